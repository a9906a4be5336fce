"""Waits for an RSMP traffic light controller to dial in and reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.rsmp.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.world.signal import Grade


@asynccontextmanager
async def open_controller(settings: Settings, clock: Clock) -> AsyncIterator[Dialogue]:
    """Wait until the site dials. Raises DeviceLost: silent or busy."""
    from drivers.rsmp.session import Session  # here: every process reads every driver's settings

    async with open_line(settings.line(), clock) as line:
        now_s = clock.now_s()
        yield Dialogue(line, Session(settings, now_s, clock.utc_s() - now_s), clock)


PLUGIN = Plugin("rsmp", Kind.CONTROLLER, Settings, open_controller, grade=Grade.C)
