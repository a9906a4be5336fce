"""The road's messages, in a branch of their own: it may fail and start again without touching SPAT."""

from __future__ import annotations

import logging

import anyio

from rsu_agent.messages.csae53.units import Counts
from rsu_agent.phases.history import Edge
from rsu_agent.ports.clock import Clock
from rsu_agent.runtime.air import Air
from rsu_agent.runtime.post import Post
from rsu_agent.runtime.time_trust import TimeTrust
from rsu_agent.runtime.window import Window
from rsu_agent.settings.read import SiteRead
from rsu_agent.world.health import DeviceHealth
from rsu_agent.world.road_user import Scene
from rsu_agent.world.signal import Colour

log = logging.getLogger(__name__)


class Roads:
    """Scenes in; RSM, RSI and records out."""

    def __init__(
        self,
        site: SiteRead,
        clock: Clock,
        air: Air,
        trust: TimeTrust,
        post: Post,
        window: Window,
        counts: Counts,
    ) -> None:
        self._site, self._clock, self._air, self._trust = site, clock, air, trust
        self._post, self._window, self._counts = post, window, counts
        self._newest: Scene | None = None
        self._wake = anyio.Event()
        self._colours: dict[int, tuple[Colour, float]] = {}

    def scene(self, scene: Scene) -> None:
        """The newest scene; one not yet taken is overtaken."""
        self._newest = scene
        self._wake.set()

    def saw_edges(self, edges: list[Edge], now_s: float) -> None:
        """Changes of colour, for the rules and for the phase log."""
        for edge in edges:
            self._colours[edge.group] = edge.after, edge.at_s
            utc_us = round((self._clock.utc_s() - (now_s - edge.at_s)) * 1e6)
            self._post.put({"k": "phase", "g": edge.group, "c": edge.after, "t": utc_us}, "lo")

    def device(self, health: DeviceHealth) -> None:
        """A device's state has changed."""
        record = {"k": "health", "d": health.device, "s": health.state, "w": health.reason}
        self._post.put({**record, "t": round(self._clock.utc_s() * 1e6)}, "lo")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            self._window.scene = self._newest
