"""Watches gpsd, which measures the system clock against a receiver's pulse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import anyio

from drivers.gpsd.link import Link
from drivers.gpsd.settings import Settings
from drivers.gpsd.wire import WATCH
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import Line, LineSettings, open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.health import TimeQuality

HINT = "is gpsd running? systemctl status gpsd"


class Gpsd:
    """ports.devices.TimeSource. `counters` holds the reports by kind, and lines that could not be read."""

    def __init__(self, line: Line, settings: Settings, clock: Clock) -> None:
        self._line, self._settings, self._clock = line, settings, clock
        self._link = Link(settings, clock.now_s())
        self.counters = self._link.counters

    def __aiter__(self) -> AsyncIterator[TimeQuality]:
        return self

    async def __anext__(self) -> TimeQuality:
        until_s = self._clock.now_s() + self._settings.period_s
        while (left_s := until_s - self._clock.now_s()) > 0.0:
            with self._clock.move_on_after(left_s), _said_of_gpsd():
                received = await self._line.read()
                self._link.receive(received.data, received.arrived_s)
            await anyio.lowlevel.checkpoint()  # a flood must not keep others from running
        now_s = self._clock.now_s()
        if lost := self._link.lost(now_s):
            raise lost
        return self._link.quality(now_s)

    @property
    def satellites_used(self) -> int | None:
        """Satellites in the newest fix, for the technician; None: not told."""
        return self._link.satellites_used


@asynccontextmanager
async def open_time(settings: Settings, clock: Clock) -> AsyncIterator[Gpsd]:
    """Connect and ask gpsd to report. Raises DeviceLost: refused, timeout or closed."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        opening = open_line(LineSettings(f"tcp://{host}:{settings.port}", baud=0), clock)
    except ValueError as error:  # brackets around what is no IPv6 address
        raise DeviceLost("refused", f"gpsd: {host}: {error}", "check time.host") from None
    async with AsyncExitStack() as stack:
        with _said_of_gpsd():
            line = await stack.enter_async_context(opening)
            await line.write(WATCH)
        yield Gpsd(line, settings, clock)


@contextmanager
def _said_of_gpsd() -> Iterator[None]:
    """The line speaks of controllers; here the next step is another one."""
    try:
        yield
    except DeviceLost as lost:
        raise DeviceLost(lost.reason, f"gpsd: {lost.detail}", HINT) from None


PLUGIN = Plugin("gpsd", Kind.TIME, Settings, open_time)
