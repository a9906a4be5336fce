"""What happened, in records for the district: scenes, colours, hazards, health in, small maps out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rsu_agent.outlets.summary_flow import MINUTE_US
from rsu_agent.outlets.summary_road import RoadFigures
from rsu_agent.outlets.summary_zones import Zones
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.health import DeviceHealth, DeviceState
from rsu_agent.world.place import LocalFrame
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Colour, Lamp
from rsu_agent.world.spot import SpotReading

QUEUE_US = 30_000_000
HEALTH_S = 60.0
BEAT_S = 10.0
ENDED_KEPT = 1000  # ended hazards remembered, so that a repeated word about one says nothing new

Record = dict[str, Any]


class Summary:
    """Every method gives the records that are due, with lanes from `summary_kinds.LANE_OF`.

    `utc_less_s` is UTC less monotonic time in seconds, as this machine believes now.
    """

    def __init__(self, crossing: Crossing, start_s: float) -> None:
        self._frame, self._road = LocalFrame(crossing.origin), RoadFigures(crossing)
        self._zones = Zones()
        self._start_s = start_s
        self._scene_s: float | None = None
        self._minute = _Running(MINUTE_US)
        self._interval = _Running(QUEUE_US)
        self._onsets: dict[int, tuple[str, int, bool]] = {}
        self._devices: dict[str, DeviceHealth] = {}
        self._health_s, self._beat_s = start_s + HEALTH_S, start_s

    def changed(self, group: int, colour: Colour, at_utc_us: int, source: str | None = None) -> list[Record]:
        """A lamp group has changed to `colour`."""
        record: Record = {"k": "phase", "t": at_utc_us, "g": group, "c": str(colour)}
        return [record if source is None else {**record, "src": source}]

    def lamps(self, lamps: Iterable[Lamp], at_s: float) -> None:
        """All lamps of one report of the controller, changed or not: what is not repeated is not known."""
        self._road.lamps(lamps, at_s)

    def spotted(self, reading: SpotReading) -> None:
        """A radar without places has told of a vehicle."""
        self._zones.saw(reading)

    def still(self, camera: str, who: str, made: dict[str, Any], at_utc_us: int) -> list[Record]:
        """Somebody asked for a still of a camera; `made` as the senses told it. The picture stays here."""
        record: Record = {"k": "still", "t": at_utc_us, "d": camera, "u": who}
        kept = {"w": "made", "p": made["pictures"], "f": made["filled"]} if "file" in made else None
        return [record | (kept or {"w": str(made.get("refused"))})]

    def scene(self, scene: Scene, utc_less_s: float) -> list[Record]:
        """One fusion tick; records when a minute or a queue interval has ended before it."""
        due = self._close(scene.at_s + utc_less_s)
        step_s = scene.at_s - self._scene_s if self._scene_s is not None else 0.0
        if step_s < 0.0:
            return due
        self._scene_s = scene.at_s
        self._road.scene(scene, step_s)
        return due

    def hazard(self, hazard: Hazard, utc_less_s: float) -> list[Record]:
        """A hazard was found, is still there (nothing), or has ended."""
        known = self._onsets.get(hazard.number)
        if known is None:
            onset_us = round((hazard.onset_s + utc_less_s) * 1e6)
            known = f"{onset_us}-{hazard.number}", onset_us, False
            self._remember(hazard.number, known)
            records = [self._event(hazard, known, "on")]
        else:
            records = []
        identity, onset_us, over = known
        if hazard.ended_s is not None and not over:
            self._onsets[hazard.number] = identity, onset_us, True
            ended_us = round((hazard.ended_s + utc_less_s) * 1e6)
            records.append({**self._event(hazard, known, "off"), "te": ended_us})
        return records

    def device(self, health: DeviceHealth, utc_us: int) -> list[Record]:
        """A device's state; a record when it is news."""
        known = self._devices.get(health.device)
        self._devices[health.device] = health
        if known is not None and (known.state, known.reason) == (health.state, health.reason):
            return []
        return [_health(health, utc_us)]

    def beat(self, now_s: float, utc_less_s: float) -> list[Record]:
        """Call about once a second: heartbeat, the minute's health, and minutes that end without a scene."""
        utc_us = round((now_s + utc_less_s) * 1e6)
        due = self._close(now_s + utc_less_s)
        if now_s >= self._health_s:
            self._health_s = now_s + HEALTH_S
            due += [_health(health, utc_us) for health in self._devices.values()]
        if now_s >= self._beat_s:
            self._beat_s = now_s + BEAT_S
            well = sum(health.state is DeviceState.OK for health in self._devices.values())
            due.append({"k": "hb", "t": utc_us, "up": int(now_s - self._start_s), "ok": well})
        return due

    def _close(self, utc_s: float) -> list[Record]:
        due: list[Record] = []
        if (minute_us := self._minute.over(utc_s)) is not None:
            due += self._road.minute(minute_us) + self._zones.close(minute_us)
        if (interval_us := self._interval.over(utc_s)) is not None:
            due += self._road.interval(interval_us, QUEUE_US / 1e6)
        return due

    def _remember(self, number: int, onset: tuple[str, int, bool]) -> None:
        self._onsets[number] = onset
        over = [key for key, (_, _, ended) in self._onsets.items() if ended]
        for key in over[: max(0, len(over) - ENDED_KEPT)]:
            del self._onsets[key]

    def _event(self, hazard: Hazard, known: tuple[str, int, bool], state: str) -> Record:
        point = self._frame.to_geo(hazard.x_east_m, hazard.y_north_m)
        return {
            "k": "event",
            "t": known[1],
            "i": known[0],
            "h": str(hazard.kind),
            "s": state,
            "lat": round(point.lat_deg, 8),
            "lon": round(point.lon_deg, 8),
            "x": round(hazard.x_east_m, 2),
            "y": round(hazard.y_north_m, 2),
            "hd": None if hazard.heading_deg is None else round(hazard.heading_deg, 1),
            "ln": hazard.lane,
            "tr": hazard.track,
            "ev": hazard.evidence,
        }


class _Running:
    """The whole interval of UTC that is running now."""

    def __init__(self, length_us: int) -> None:
        self._length_us = length_us
        self._number: int | None = None

    def over(self, utc_s: float) -> int | None:
        """Start (UTC us) of the interval that this instant has ended; a scene a little late ends none."""
        number, before = round(utc_s * 1e6) // self._length_us, self._number
        if before is not None and number in (before, before - 1):
            return None
        self._number = number
        return None if before is None else before * self._length_us


def _health(health: DeviceHealth, utc_us: int) -> Record:
    return {"k": "health", "t": utc_us, "d": health.device, "s": str(health.state), "w": health.reason}
