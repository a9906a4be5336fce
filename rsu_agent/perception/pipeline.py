"""Sensors to scenes: each camera's pictures are looked at by its own thread, scenes leave just after."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from rsu_agent.perception.blind import Blind
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detection import Box, Detection
from rsu_agent.perception.lamps import LampReader
from rsu_agent.perception.life import Associate
from rsu_agent.perception.outline import outlines
from rsu_agent.perception.roadway import Roadway
from rsu_agent.perception.v2x import Vehicles
from rsu_agent.perception.watch import CameraWatch
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Camera, Frame, Radar, RadarFrame
from rsu_agent.ports.plugins import HEARD_EVERY_S
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.place import LocalFrame
from rsu_agent.world.road_user import FrameUsed, RoadUser, Scene, SensorHealth
from rsu_agent.world.spot import SpotReading
from rsu_agent.world.witness import HeadsSeen

PERIOD_S = 0.1
PULL_S = 0.003  # a tick moves at most so much towards the pictures, so that ten a second stay ten
AFTER_PICTURE_S = 0.004
SURE = (
    0.35  # weaker detections are half false: going on with a track by them made a fifth of all tracks false
)
NO_WITNESS = ("moved", "defocused")  # of what shines: its boxes lie beside the heads, or all is a blur


class Detector(Protocol):
    """What finds users in a picture."""

    def detect(self, image: Any, radar: Any, threshold: float) -> list[Detection]: ...


Saw = Callable[[str, Any, list[Detection], float], None]


@dataclass
class _Sensor:
    covers: tuple[str, ...]
    watch: CameraWatch | None = None
    seen_s: float | None = None
    every_s: float | None = HEARD_EVERY_S
    open: bool = False


class Perception:
    """One crossing's senses. `cover` names the arms each sensor's declared field holds.

    detectors: of each camera one, used by that camera's thread alone; a camera without one sees no users.
    associate: instead of the gate (life.py). heard_every_s: how often each radar is heard at least; None: it
    is well while its line is open.
    """

    def __init__(
        self,
        cameras: dict[str, GroundCamera],
        radars: dict[str, GroundRadar],
        cover: dict[str, tuple[str, ...]],
        detectors: Mapping[str, Detector],
        crossing: Crossing,
        clock: Clock,
        lamps: Mapping[str, LampReader] | None = None,
        watches: Mapping[str, CameraWatch] | None = None,
        associate: Associate | None = None,
        heard_every_s: Mapping[str, float | None] | None = None,
    ) -> None:
        self.watches = {name: (watches or {}).get(name) or CameraWatch() for name in cameras}
        self._lamps = dict(lamps or {})
        self.heads: Callable[[HeadsSeen], None] = lambda _: None  # told what each picture shows of the lamps
        self.spotted: Callable[[SpotReading], None] = lambda _: None  # told what radars without places see
        self.saw: Saw = lambda *_: None  # told, in the camera's thread, of each picture that shows something
        self.heard: Callable[[str, RadarFrame], None] = lambda *_: None  # told of each radar's frame
        roadway = Roadway(crossing)
        self.fusion = Fusion(cameras, radars, roadway, associate=associate)
        self.vehicles = Vehicles(LocalFrame(crossing.origin), roadway)
        self._detectors, self._clock = dict(detectors), clock
        self._blind = Blind({name: cameras[name] for name in detectors if name in cameras}, radars)
        self._threads = {name: ThreadPoolExecutor(1, f"camera-{name}") for name in cameras}
        self._sensors = {name: _Sensor(cover[name], self.watches[name]) for name in cameras}
        every_s = dict.fromkeys(radars, HEARD_EVERY_S) | dict(heard_every_s or {})
        self._sensors |= {name: _Sensor(cover[name], every_s=every_s[name]) for name in radars}
        self._newest: dict[str, FrameUsed] = {}
        self._picture_s: float | None = None
        self._tick = 0
        self._cameras = cameras
        self._tracked: tuple[RoadUser, ...] = ()

    async def watch_camera(self, name: str, camera: Camera, serving: Callable[[], None]) -> None:
        """Take in one camera's pictures until it is lost."""
        async for frame in camera:
            serving()
            watch = self._sensors[name].watch
            assert watch is not None
            found, heads = await asyncio.get_running_loop().run_in_executor(
                self._threads[name], self._look, name, watch, frame
            )
            if heads is not None:
                self.heads(heads)
            self.fusion.trust(name, watch.trust(frame.arrived_s))
            self.fusion.camera(name, found, frame.captured_s)
            self._newest[name] = FrameUsed(name, frame.number, frame.captured_s)
            self._picture_s = self._clock.now_s()

    async def watch_radar(self, name: str, radar: Radar, serving: Callable[[], None]) -> None:
        """Take in one radar's frames until it is lost."""
        sensor = self._sensors[name]
        if sensor.every_s is None:
            serving()
        sensor.open = True
        try:
            async for frame in radar:
                serving()
                sensor.seen_s = self._clock.now_s()
                self.fusion.radar(name, frame)
                self.heard(name, frame)
                for reading in _spots(name, frame):
                    self.spotted(reading)
        finally:
            sensor.open = False

    async def run(self, publish: Callable[[Scene], None]) -> None:
        """Ten scenes a second, for ever; the beat slides slowly to just after the pictures."""
        next_s = self._clock.now_s() + PERIOD_S
        while True:
            await self._clock.sleep_until(next_s)
            now_s = self._clock.now_s()
            publish(self.scene(now_s))
            next_s = max(next_s + PERIOD_S + self._pull(now_s), now_s + PERIOD_S / 4)

    def scene(self, now_s: float) -> Scene:
        """The road at this instant."""
        self._tick += 1
        tracked = tuple(self.fusion.users(now_s))
        self._tracked = tracked
        users, word = self.vehicles.meet(tracked, now_s)
        if word is not None:
            self.fusion.take(word)
        self._blind.tick(tracked, now_s, [name for name, watch in self.watches.items() if watch.sees(now_s)])
        for name, watch in self.watches.items():
            watch.care.blind = name in self._blind.now
        return Scene(now_s, self._tick, tuple(users), self.sensors(now_s), tuple(self._newest.values()))

    def sensors(self, now_s: float) -> tuple[SensorHealth, ...]:
        """How each sensor is."""
        return tuple(self._health(name, sensor, now_s) for name, sensor in self._sensors.items())

    def bodies(self, name: str) -> list[Box]:
        """Where those whom we track are in a camera's picture now."""
        return outlines(self._cameras[name], self._tracked)

    def _look(self, name: str, watch: CameraWatch, frame: Frame) -> tuple[list[Detection], HeadsSeen | None]:
        watch.saw(frame.image, frame.arrived_s, int(self._clock.utc_s() // 3600 % 24))
        if not watch.sees(frame.arrived_s):
            return [], None
        lamps = self._lamps.get(name) if watch.reason(frame.arrived_s) not in NO_WITNESS else None
        heads = None if lamps is None else lamps.saw(frame.image, frame.captured_s)
        detector = self._detectors.get(name)
        found = [] if detector is None else detector.detect(frame.image, None, SURE)
        self.saw(name, frame.image, found, frame.arrived_s)
        return found, heads

    def _pull(self, now_s: float) -> float:
        """How much the next tick moves towards the next picture."""
        if self._picture_s is None or now_s - self._picture_s > 2 * PERIOD_S:
            return 0.0
        late_s = (now_s - self._picture_s - AFTER_PICTURE_S) % PERIOD_S
        wanted = -late_s if late_s < PERIOD_S / 2 else PERIOD_S - late_s
        return max(-PULL_S, min(PULL_S, wanted * 0.2))

    def _health(self, name: str, sensor: _Sensor, now_s: float) -> SensorHealth:
        if sensor.watch is not None:
            reason = sensor.watch.reason(now_s)
            covers = sensor.watch.covers(now_s)
            return SensorHealth(name, covers, reason, sensor.watch.age_s(now_s), sensor.covers)
        age_s = 1e9 if sensor.seen_s is None else now_s - sensor.seen_s
        every_s = math.inf if sensor.every_s is None else sensor.every_s
        fresh = age_s <= (every_s if sensor.open else min(every_s, HEARD_EVERY_S))
        return SensorHealth(name, fresh, "ok" if fresh else "silent", age_s, sensor.covers)


def _spots(name: str, frame: RadarFrame) -> Iterator[SpotReading]:
    for passing in frame.passings:
        speed, length = passing.speed_mps, passing.length_m
        yield SpotReading(name, passing.zone, passing.at_s, speed, length, passing.dwell_s)
    for reading in frame.speeds:
        yield SpotReading(name, None, frame.measured_s, abs(reading.speed_mps))
