"""Opens a GB/T 20999-2017 controller on a byte line and reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.gbt20999.memory import Memory, Shelf
from drivers.gbt20999.session import Session
from drivers.gbt20999.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import Line, open_line
from rsu_agent.ports.line_faults import diagnosis
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Programme, SignalReport

SHORTEST_WAIT_S = 0.001  # so that a due time in the past never spins

_shelf = Shelf()  # lives as long as the process: reopening finds what was read before


class Controller:
    """Iterating asks, listens and gives what was heard; ends in DeviceLost."""

    def __init__(self, line: Line, settings: Settings, clock: Clock, shelf: Shelf) -> None:
        self._line, self._clock = line, clock
        self._session = Session(settings, clock.now_s(), Memory(shelf))
        self._ready: deque[SignalReport | Programme] = deque()
        self.counters: dict[str, int] = self._session.counters

    def __aiter__(self) -> AsyncIterator[SignalReport | Programme]:
        return self

    async def __anext__(self) -> SignalReport | Programme:
        while not self._ready:
            await self._turn()
        return self._ready.popleft()

    async def _turn(self) -> None:
        """Write what is due, then wait for bytes or for the next due instant."""
        now_s = self._clock.now_s()
        try:
            self._session.check(now_s)
        except DeviceLost as lost:
            raise DeviceLost(lost.reason, lost.detail, diagnosis(self._line.errors()) or lost.hint) from None
        if data := self._session.next_bytes(now_s):
            await self._line.write(data)
        wait_s = self._session.wake_s(now_s) - self._clock.now_s()
        with self._clock.move_on_after(max(SHORTEST_WAIT_S, wait_s)):
            received = await self._line.read()
            self._ready.extend(self._session.receive(received.data, received.arrived_s))


@asynccontextmanager
async def open_controller(
    settings: Settings, clock: Clock, shelf: Shelf = _shelf
) -> AsyncIterator[Controller]:
    """Open the line. Raises DeviceLost: missing, permission, busy or closed."""
    async with open_line(settings.line(), clock) as line:
        yield Controller(line, settings, clock, shelf)


PLUGIN = Plugin("gbt20999", Kind.CONTROLLER, Settings, open_controller)
