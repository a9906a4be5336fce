"""Opens an NTCIP 1202 controller on UDP or on a serial line and reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.ntcip1202.recognise import recognisers
from drivers.ntcip1202.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.world.signal import Grade


@asynccontextmanager
async def open_controller(settings: Settings, clock: Clock) -> AsyncIterator[Dialogue]:
    """Open the line. Raises DeviceLost: missing, permission, busy, closed, refused or timeout."""
    from drivers.ntcip1202.session import Session  # here: every process reads every driver's settings

    async with open_line(settings.line(settings.role), clock) as line:
        yield Dialogue(line, Session(settings, clock.now_s()), clock)


PLUGIN = Plugin("ntcip1202", Kind.CONTROLLER, Settings, open_controller, grade=Grade.B, recognise=recognisers)
