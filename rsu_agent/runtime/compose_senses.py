"""The senses process: cameras, radars, detector, fusion; scenes to the core ten times a second."""

from __future__ import annotations

import asyncio
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import anyio
import cv2

from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.heads_news import HeadsNews
from rsu_agent.perception.lamps import HeadBox, LampReader
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pipeline import Perception
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.link import Link
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime import measure
from rsu_agent.runtime.associations import association
from rsu_agent.runtime.camera_watches import CameraWatches
from rsu_agent.runtime.detectors import Detectors
from rsu_agent.runtime.hub import join
from rsu_agent.runtime.looks import LOOK_S, LOOKS, Looks
from rsu_agent.runtime.process import Place, run_process
from rsu_agent.runtime.sensor_troubles import SensorTroubles
from rsu_agent.runtime.still_desk import STILL, STILLS
from rsu_agent.runtime.still_files import expire
from rsu_agent.runtime.stills import NoStill, Stills
from rsu_agent.runtime.supervise import DeviceKeeper
from rsu_agent.runtime.v2x_watch import V2xWatch
from rsu_agent.settings.model import driver_settings, open_section
from rsu_agent.world.health import DeviceHealth
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.road_user import Scene
from rsu_agent.world.spot import SpotReading
from rsu_agent.world.witness import HeadsSeen

log = logging.getLogger(__name__)
METRICS_S = 1.0
EXPIRE_S = 600.0
MAKING_S = 30.0  # of a still; a camera that gives three pictures a second needs ten
CAMERA_BACK_OFF_S = 1.5  # facts/perception 9: pictures are back within 2 s of the camera


class Senses:
    """Everything of the senses, wired."""

    def __init__(self, place: Place) -> None:
        self.site = place.site.settings
        self.place, self.clock = place, SystemClock()
        self.link: Link | None = None
        self.told: dict[str, DeviceHealth] = {}
        cameras = {c.name: GroundCamera.through(c.pose, PinholeLens.of(c.lens)) for c in self.site.cameras}
        radars = {r.name: GroundRadar(r.pose) for r in self.site.radars}
        cover = {c.name: tuple(c.field.covers) for c in self.site.cameras}
        cover |= {r.name: tuple(r.field.covers) for r in self.site.radars}
        section = self.site.perception.detector
        self.detectors = Detectors(section, [c.name for c in self.site.cameras], place.site.folder)
        self.watches = CameraWatches(self.site.cameras, place.state)
        self.troubles = SensorTroubles(cameras, radars)
        associate, self.association = association(self.site.perception.association)
        self.perception = Perception(
            cameras,
            radars,
            cover,
            self.detectors.of,
            place.site.crossing,
            self.clock,
            self._lamps(),
            self.watches.of,
            associate,
            {r.name: plugins()[r.driver].heard_every_s(driver_settings(r)) for r in self.site.radars},
        )
        self.perception.heads = self._heads
        self.perception.spotted = self._spotted
        names = [camera.name for camera in self.site.cameras]
        self.stills = Stills(place.state / STILLS, names, self.detectors.of, self.perception.bodies)
        self.looks = Looks()
        self.perception.saw = self._saw
        self.perception.heard = self.looks.radar
        self.attacks = V2xWatch(self._tell)
        self._news = HeadsNews()

    def _lamps(self) -> dict[str, LampReader]:
        """What reads the signal heads, for each camera that watches some."""
        return {
            camera.name: LampReader(
                camera.name,
                [HeadBox.of(head.group, head.box, head.layout) for head in camera.heads],
                (camera.lens.width_px, camera.lens.height_px),
            )
            for camera in self.site.cameras
            if camera.heads
        }

    async def run(self) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as tasks:
            for camera in self.site.cameras:
                tasks.start_soon(self._camera, camera)
            for radar in self.site.radars:
                tasks.start_soon(self._radar, radar)
            tasks.start_soon(self.perception.run, self._publish)
            tasks.start_soon(self._measure)
            tasks.start_soon(self._show)
            tasks.start_soon(self._expire)
            while True:
                await self._linked()

    async def _camera(self, section: Any) -> None:
        keeper = DeviceKeeper(section.name, self.clock, self._tell, CAMERA_BACK_OFF_S)
        await keeper.keep(
            lambda: open_section(section, self.clock),
            lambda camera: self.perception.watch_camera(section.name, camera, keeper.serving),
        )

    async def _radar(self, section: Any) -> None:
        keeper = DeviceKeeper(section.name, self.clock, self._tell)
        await keeper.keep(
            lambda: open_section(section, self.clock),
            lambda radar: self.perception.watch_radar(section.name, radar, keeper.serving),
        )

    def _saw(self, camera: str, image: Any, found: list[Detection], at_s: float) -> None:
        self.looks.camera(camera, image, found, at_s)
        self.stills.saw(camera, image, found, at_s)

    async def _show(self) -> None:
        while True:
            await self.clock.sleep(LOOK_S)
            if self.link is not None:
                self.link.send(LOOKS, self.looks.told(), newest=True)

    def _publish(self, scene: Scene) -> None:
        if self.link is not None:
            self.link.send("scene", scene, newest=True)

    def _heads(self, seen: HeadsSeen) -> None:
        """Lamps seen, when they have changed, and a few times a second besides."""
        if self.link is not None and self._news.news(seen):
            self.link.send(f"heads {seen.camera}", seen, newest=True)

    def _spotted(self, reading: SpotReading) -> None:
        if self.link is not None:
            self.link.send("spot", reading)

    def _tell(self, health: DeviceHealth) -> None:
        health = self.watches.dressed(health, self.clock.now_s())
        known = self.told.get(health.device)
        if known is not None and (known.state, known.reason) == (health.state, health.reason):
            return
        self.told[health.device] = health
        if self.link is not None:
            self.link.send("health", health)

    async def _measure(self) -> None:
        while True:
            await self.clock.sleep(METRICS_S)
            self.detectors.measure()
            now_s = self.clock.now_s()
            self.watches.measure(now_s)
            self.attacks.look(self.perception.vehicles, now_s)
            self.troubles.measure(self.perception.sensors(now_s), now_s)
            if self.link is not None:
                self.link.send("metrics", measure.sample("senses"), newest=True)

    async def _still(self, link: Link, camera: str) -> None:
        """Make one and tell the core; `refused` with a word where there is none."""
        made: dict[str, Any] = {}
        try:
            with anyio.fail_after(MAKING_S):
                made = await asyncio.wrap_future(self.stills.begin(camera))
        except NoStill as refused:
            made = {"refused": str(refused)}
        except TimeoutError:
            self.stills.forget(camera)
            made = {"refused": "pictures"}
        link.send(STILL, {"camera": camera, **made})

    async def _expire(self) -> None:
        while True:
            if gone := expire(self.place.state / STILLS, datetime.now(UTC)):
                log.info("stills whose seven days are over, deleted: %d", gone)
            await self.clock.sleep(EXPIRE_S)

    async def _linked(self) -> None:
        """One life of the link to the core."""
        link = await join(self.place.run, "senses", self.clock)
        for health in self.told.values():
            link.send("health", health)
        link.send("detector", self.detectors.told)
        link.send("association", self.association)
        self.link = link
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(link.run_sender)
                while True:
                    topic, told = await link.receive()
                    if isinstance(told, HeardVehicle):
                        at_s = self.clock.now_s() - (self.clock.utc_s() - told.at_utc_s)
                        self.perception.vehicles.hear(told, at_s)
                    elif topic == STILL and isinstance(told, str):
                        tasks.start_soon(self._still, link, told)
        except* DeviceLost:
            self.link = None
            link.close()


async def body(place: Place) -> None:
    """The senses process."""
    cv2.setNumThreads(1)
    await Senses(place).run()


if __name__ == "__main__":
    sys.exit(run_process("senses", body, yields=5))
