"""The road's messages, in a branch of their own: it may fail and start again without touching SPAT."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel

from rsu_agent.hazards.judge import Judge
from rsu_agent.messages.moment import Instant
from rsu_agent.outlets.road_speaker import RoadSpeaker
from rsu_agent.outlets.summary import Summary
from rsu_agent.phases.history import Edge
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.recording import Recorder
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.post import Post
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.runtime.window import Window
from rsu_agent.settings.read import SiteRead
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.health import DeviceHealth
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import SignalReport
from rsu_agent.world.spot import SpotReading

log = logging.getLogger(__name__)
RESTART_S = 1.0
HAZARD_PERIOD_S = 1.0
BEAT_S = 1.0  # how often the summary is asked for what is due without a scene


class Roads:
    """Scenes in; messages of road users and hazards, and records, out."""

    def __init__(
        self,
        site: SiteRead,
        clock: Clock,
        air: Air,
        trust: TimeTrust,
        post: Post,
        window: Window,
        speaker: RoadSpeaker,
        recorder: Recorder,
    ) -> None:
        self._clock, self._air, self._trust = clock, air, trust
        self._post, self._window, self._speaker = post, window, speaker
        self._recorder = recorder
        self._newest: Scene | None = None
        self._wake = anyio.Event()
        self._judge = Judge(site.crossing)
        self._summary = Summary(site.crossing, clock.now_s())
        self._told_s = -math.inf
        self.hazard_news: Callable[[Hazard, float], None] = lambda _hazard, _offset_s: None

    def scene(self, scene: Scene) -> None:
        """The newest scene; one not yet taken is overtaken."""
        self._newest = scene
        self._wake.set()

    def saw_edges(self, edges: list[Edge], now_s: float) -> None:
        """Changes of colour, for the rules and for the phase log."""
        for edge in edges:
            self._judge.saw_lamp(edge.group, edge.after, edge.at_s)
            utc_us = round((self._clock.utc_s() - (now_s - edge.at_s)) * 1e6)
            self._post.put(self._summary.changed(edge.group, edge.after, utc_us))

    def saw_lamps(self, report: SignalReport) -> None:
        """Everything that shines, for the right of whoever passes a line."""
        self._summary.lamps(report.lamps, report.first_byte_s)

    def spotted(self, reading: SpotReading) -> None:
        """A radar without places has told of a vehicle."""
        self._summary.spotted(reading)

    def device(self, health: DeviceHealth) -> None:
        """A device's state has changed."""
        self._post.put(self._summary.device(health, round(self._clock.utc_s() * 1e6)))

    def still(self, camera: str, who: str, made: dict[str, Any]) -> None:
        """A still was asked for: for the audit."""
        self._post.put(self._summary.still(camera, who, made, round(self._clock.utc_s() * 1e6)))

    async def run(self) -> None:
        """Until cancelled; what goes wrong in here starts this branch afresh and leaves SPAT alone."""
        while True:
            try:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._scenes)
                    both.start_soon(self._beat)
            except* (ArithmeticError, LookupError, TypeError, ValueError):
                log.exception("the road's branch failed; starting it again")
                await self._clock.sleep(RESTART_S)

    async def _scenes(self) -> None:
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            scene = self._newest
            if scene is None:
                continue
            self._window.scene = scene
            now_s = self._clock.now_s()
            instant = self._trust.instant(now_s, self._clock.utc_s())
            scene_utc_s = None if instant.utc_s is None else instant.utc_s - (now_s - scene.at_s)
            for kind, frame in self._speaker.users(scene, scene_utc_s):
                await self._air.send(kind, frame)
            self._air.round_over()
            await anyio.lowlevel.checkpoint()  # a SPAT that is due now does not wait for the rest
            own = scene.seen()
            news = self._hazards(own, now_s)
            if news or now_s - self._told_s >= HAZARD_PERIOD_S:
                await self._tell_hazards(instant)
            await anyio.lowlevel.checkpoint()
            self._post.put(self._summary.scene(own, self._clock.utc_s() - now_s))
            self._record(scene)

    async def _beat(self) -> None:
        """Heartbeat, health and closed minutes, with or without scenes."""
        while True:
            now_s = self._clock.now_s()
            self._post.put(self._summary.beat(now_s, self._clock.utc_s() - now_s))
            await self._clock.sleep(BEAT_S)

    def _hazards(self, scene: Scene, now_s: float) -> bool:
        """Run the rules; beginnings and ends go to the district at once. Whether there were any."""
        began, ended = self._judge.scene(scene)
        self._window.hazards = self._judge.active
        offset_s = self._clock.utc_s() - now_s
        for hazard in [*began, *ended]:
            self._post.put(self._summary.hazard(hazard, offset_s))
            self.hazard_news(hazard, offset_s)
            self._recorder.record("/hazard", now_s, noun=hazard)
        for hazard in began:
            log.warning("hazard %s: %s", hazard.kind, hazard.evidence)
        return bool(began or ended)

    async def _tell_hazards(self, instant: Instant) -> None:
        """Once a second while something lasts, and when something begins or ends."""
        frames = self._speaker.hazards(self._judge.active, instant)
        if frames:
            self._told_s = instant.now_s
        for kind, frame in frames:
            await self._air.send(kind, frame)
        self._air.round_over()

    def _record(self, scene: Scene) -> None:
        frames = {used.camera: used.frame for used in scene.frames}
        tracks = [
            [
                user.track,
                user.kind,
                round(user.x_east_m, 2),
                round(user.y_north_m, 2),
                round(user.speed_mps, 2),
                user.heading_deg and round(user.heading_deg, 1),
            ]
            for user in scene.users
        ]
        told = {"tick": scene.tick, "users": len(tracks), "frames": frames, "tracks": tracks}
        self._recorder.record("/scene", scene.at_s, **told)
