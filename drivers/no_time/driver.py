"""A site without a time source: its clock is never trusted, countdowns go on, message times are absent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.declare import Declared
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.world.health import TimeQuality

PERIOD_S = 10.0


class Settings(Declared):
    """No keys."""


class NoTime:
    """ports.devices.TimeSource that says so."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first = True

    def __aiter__(self) -> AsyncIterator[TimeQuality]:
        return self

    async def __anext__(self) -> TimeQuality:
        if not self._first:
            await self._clock.sleep(PERIOD_S)
        self._first = False
        return TimeQuality("none", False, 0.0, None, self._clock.now_s())


@asynccontextmanager
async def open_time(_settings: Settings, clock: Clock) -> AsyncIterator[NoTime]:
    """Never fails."""
    yield NoTime(clock)


PLUGIN = Plugin("no_time", Kind.TIME, Settings, open_time)
