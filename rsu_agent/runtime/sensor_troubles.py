"""What is wrong with each camera and radar and for how long, on the page of metrics; alerts read it."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Gauge

from rsu_agent.world.road_user import SensorHealth

CAMERA = (
    "stalled",
    "frozen",
    "black",
    "over_exposed",
    "defocused",
    "dirty",
    "moved",
    "slow",
    "blind",
)
RADAR = ("silent",)
SECONDS = Gauge(
    "rsu_sensor_trouble_seconds",
    "For how long this has been wrong with a camera or radar without a break; 0: it is not.",
    ["device", "reason"],
)


class SensorTroubles:
    """Of each sensor its trouble, and since when. A camera that never gave a picture has stalled."""

    def __init__(self, cameras: Iterable[str], radars: Iterable[str]) -> None:
        self._reasons = dict.fromkeys(cameras, CAMERA) | dict.fromkeys(radars, RADAR)
        self._since: dict[str, tuple[str, float]] = {}

    def measure(self, sensors: Iterable[SensorHealth], now_s: float) -> None:
        """Bring it onto the page."""
        for sensor in sensors:
            reason = "stalled" if sensor.reason == "starting" else sensor.reason
            was, since_s = self._since.get(sensor.sensor, ("", now_s))
            if reason != was:
                since_s = now_s
            self._since[sensor.sensor] = reason, since_s
            for each in self._reasons[sensor.sensor]:
                SECONDS.labels(sensor.sensor, each).set(now_s - since_s if each == reason else 0.0)
