"""What each sensor sees by itself, as JSON lines: written while devices are watched, read to align a radar.

One object a line: {"sensor", "at_s", "points"}; of a camera [east, north] on the ground, m; of a radar
[forward, left, doppler], m and m/s, positive = moving away.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TextIO

import anyio
import anyio.to_thread
import numpy as np

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.heads.detector import Detector
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pipeline import SURE
from rsu_agent.perception.track_pieces import Looked
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.settings.model import driver_settings
from rsu_agent.settings.read import SiteRead, find

Tracks = dict[str, list[Looked]]
REOPEN_S = 2.0
MOST_LINES, LONGEST_LINE, MOST_POINTS = 2_000_000, 100_000, 1000


class TracksInvalid(Exception):
    """A file that holds no tracks, with the line that says so."""


def _detector(site: SiteRead) -> Detector | None:
    """The site's detector, for all cameras one."""
    section = site.settings.perception.detector
    if section is None or not site.settings.cameras:
        return None
    model = find(site.folder, section.model)
    return Detector(model, section.allow, providers=section.providers, allow_fallback=section.allow_fallback)


async def watch(site: SiteRead, clock: Clock, seconds: float, out: TextIO) -> dict[str, dict[str, Any]]:
    """Watches every camera (where there is a detector) and every radar; looks and places seen, by sensor."""
    detector = _detector(site)
    counts: dict[str, dict[str, Any]] = {}

    def told(sensor: str, at_s: float, points: list[list[float]]) -> None:
        counts[sensor]["looks"] += 1
        counts[sensor]["places"] += len(points)
        out.write(json.dumps({"sensor": sensor, "at_s": round(at_s, 4), "points": points}) + "\n")

    async def keep(sensor: Any, take: Any) -> None:
        counts[sensor.name] = {"looks": 0, "places": 0, "trouble": None}
        opener, settings = plugins()[sensor.driver].open, driver_settings(sensor)
        while True:
            try:
                async with opener(settings, clock) as frames:
                    async for frame in frames:
                        await take(frame)
                        counts[sensor.name]["trouble"] = None
            except DeviceLost as lost:
                counts[sensor.name]["trouble"] = str(lost)
            await clock.sleep(REOPEN_S)

    def camera_of(sensor: Any) -> Any:
        eye = GroundCamera.through(sensor.pose, PinholeLens.of(sensor.lens))

        async def take(frame: Any) -> None:
            found = await anyio.to_thread.run_sync(detector.detect, frame.image, None, SURE)  # type: ignore[union-attr]
            places, good = eye.to_ground(np.array([item.ground for item in found]).reshape(-1, 2))
            told(sensor.name, frame.captured_s, np.round(places[good], 2).tolist())

        return take

    def radar_of(sensor: Any) -> Any:
        async def take(frame: RadarFrame) -> None:
            told(sensor.name, frame.measured_s, returns(frame))

        return take

    async with anyio.create_task_group() as tasks:
        for camera in site.settings.cameras if detector is not None else []:
            tasks.start_soon(keep, camera, camera_of(camera))
        for radar in site.settings.radars:
            tasks.start_soon(keep, radar, radar_of(radar))
        await clock.sleep(seconds)
        tasks.cancel_scope.cancel()
    return counts


def returns(frame: RadarFrame) -> list[list[float]]:
    """Forward, left, doppler of a frame: of the radar's own tracks where it keeps some, else its returns."""
    measured = [target for target in frame.targets if target.measured]
    if measured:
        return [[round(t.x_forward_m, 2), round(t.y_left_m, 2), round(_radial(t), 2)] for t in measured]
    return [[round(p.x_forward_m, 2), round(p.y_left_m, 2), round(p.doppler_mps, 2)] for p in frame.points]


def _radial(target: Any) -> float:
    away = math.hypot(target.x_forward_m, target.y_left_m) or 1.0
    return float((target.x_forward_m * target.vx_forward_mps + target.y_left_m * target.vy_left_mps) / away)


def read_tracks(path: Path) -> Tracks:
    """Looks by sensor, in order of time. Raises TracksInvalid and OSError."""
    found: Tracks = {}
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
            if number > MOST_LINES:
                raise TracksInvalid(f"more than {MOST_LINES} lines")
            if not line.strip():
                continue
            if not line.endswith(b"\n"):
                break  # a watch that was killed leaves half a line at the end
            try:
                sensor, look = _look(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError):
                raise TracksInvalid(
                    f"line {number} is no look of a sensor ({'{'}sensor, at_s, points{'}'})"
                ) from None
            found.setdefault(sensor, []).append(look)
    for looks in found.values():
        looks.sort(key=lambda look: look.at_s)
    return found


def _look(told: Any) -> tuple[str, Looked]:
    points = np.array(told["points"], np.float64)
    if not points.size:
        return str(told["sensor"]), Looked(float(told["at_s"]), np.zeros((0, 2)), np.zeros(0))
    if points.ndim != 2 or points.shape[1] not in (2, 3) or len(points) > MOST_POINTS:
        raise ValueError("points")
    if not np.isfinite(points).all() or not math.isfinite(at_s := float(told["at_s"])):
        raise ValueError("numbers")
    extra = points[:, 2] if points.shape[1] == 3 else np.zeros(len(points))
    return str(told["sensor"]), Looked(at_s, points[:, :2], extra)
