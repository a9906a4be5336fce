"""Opens a CAN bus and yields the cycles of an ARS40x or NanoRadar unit on it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from drivers.ars40x.settings import Settings
from rsu_agent.ports.can_line import CanLine, open_can
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.plugins import Kind, Plugin

if TYPE_CHECKING:
    from drivers.ars40x.session import Session

SHORTEST_WAIT_S = 0.001  # so that a due time in the past never spins


class Radar:
    """ports.devices.Radar. `session` shows the radar's state, version and complaints."""

    def __init__(self, line: CanLine, session: Session, clock: Clock) -> None:
        self._line, self.session, self._clock = line, session, clock
        self._ready: deque[RadarFrame] = deque()
        self.counters: dict[str, int] = session.counters

    def __aiter__(self) -> AsyncIterator[RadarFrame]:
        return self

    async def __anext__(self) -> RadarFrame:
        while not self._ready:
            await self._turn()
        return self._ready.popleft()

    async def _turn(self) -> None:
        now_s = self._clock.now_s()
        self.session.check(now_s)
        for frame_id, data in self.session.next_frames(now_s):
            await self._line.write(frame_id, data)
        wait_s = self.session.wake_s(now_s) - self._clock.now_s()
        with self._clock.move_on_after(max(SHORTEST_WAIT_S, wait_s)):
            for frame in await self._line.read():
                self._ready.extend(self.session.receive(frame))
        self._ready.extend(self.session.tick(self._clock.now_s()))


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[Radar]:
    """The radar on this bus. Raises DeviceLost."""
    from drivers.ars40x.session import Session  # here: every process reads every driver's settings
    from drivers.ars40x.wire import HEARD, MESSAGE_MASK

    filters = tuple((message, MESSAGE_MASK) for message in HEARD)
    async with open_can(settings.can(filters), clock) as line:
        yield Radar(line, Session(settings, clock.now_s(), line.counters), clock)


PLUGIN = Plugin("ars40x", Kind.RADAR, Settings, open_radar)
