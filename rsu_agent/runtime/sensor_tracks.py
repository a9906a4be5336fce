"""What each sensor sees by itself, as JSON lines: written while devices are watched, read to align a radar.

One object a line: {"sensor", "at_s", "points"}; of a camera [east, north] on the ground, m; of a radar
[forward, left, doppler], m and m/s, positive = moving away.
"""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO

import anyio
import anyio.to_thread
import numpy as np

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pipeline import SURE
from rsu_agent.perception.track_pieces import Looked
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Frame, RadarFrame
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.detectors import Detectors
from rsu_agent.settings.model import open_section
from rsu_agent.settings.read import SiteRead
from rsu_agent.settings.sections import CameraSection, RadarSection

Tracks = dict[str, list[Looked]]
REOPEN_S = 2.0
MOST_LINES, LONGEST_LINE, MOST_POINTS = 2_000_000, 100_000, 1000


class TracksInvalid(Exception):
    """A file that holds no tracks, with the line that says so."""


async def watch(site: SiteRead, clock: Clock, seconds: float, out: TextIO) -> dict[str, dict[str, Any]]:
    """Watches every camera and every radar; looks and places seen, and the last trouble, by sensor."""
    watched = _Watch(site, clock, out)
    async with anyio.create_task_group() as tasks:
        for camera in site.settings.cameras:
            tasks.start_soon(watched.camera, camera)
        for radar in site.settings.radars:
            tasks.start_soon(watched.radar, radar)
        await clock.sleep(seconds)
        tasks.cancel_scope.cancel()
    return watched.counts


class _Watch:
    """What is seen, onto the file; a device that is lost is opened again."""

    def __init__(self, site: SiteRead, clock: Clock, out: TextIO) -> None:
        cameras = [camera.name for camera in site.settings.cameras]
        self.detectors = Detectors(site.settings.perception.detector, cameras, site.folder)
        self.counts: dict[str, dict[str, Any]] = {}
        self._clock, self._out = clock, out

    async def camera(self, section: CameraSection) -> None:
        """One camera's users, placed on the road; without a detector it sees none."""
        eye = GroundCamera.through(section.pose, PinholeLens.of(section.lens))
        detector = self.detectors.of.get(section.name)

        async def take(frame: Frame) -> None:
            assert detector is not None
            found = await anyio.to_thread.run_sync(detector.detect, frame.image, None, SURE)
            places, good = eye.to_ground(np.array([item.ground for item in found]).reshape(-1, 2))
            self._told(section.name, frame.captured_s, np.round(places[good], 2).tolist())

        if detector is None:
            why = self.detectors.told.get("refused") or "the site file names no detector"
            self._count(section.name)["trouble"] = why
        else:
            await self._keep(section, take)

    async def radar(self, section: RadarSection) -> None:
        """One radar's returns."""

        async def take(frame: RadarFrame) -> None:
            self._told(section.name, frame.measured_s, returns(frame))

        await self._keep(section, take)

    async def _keep(self, section: Any, take: Callable[[Any], Awaitable[None]]) -> None:
        count = self._count(section.name)
        while True:
            try:
                async with open_section(section, self._clock) as frames:
                    async for frame in frames:
                        await take(frame)
                        count["trouble"] = None
            except DeviceLost as lost:
                count["trouble"] = str(lost)
            await self._clock.sleep(REOPEN_S)

    def _count(self, sensor: str) -> dict[str, Any]:
        return self.counts.setdefault(sensor, {"looks": 0, "places": 0, "trouble": None})

    def _told(self, sensor: str, at_s: float, points: list[list[float]]) -> None:
        count = self._count(sensor)
        count["looks"] += 1
        count["places"] += len(points)
        self._out.write(json.dumps({"sensor": sensor, "at_s": round(at_s, 4), "points": points}) + "\n")


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
