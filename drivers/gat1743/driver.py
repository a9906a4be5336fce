"""Opens a GA/T 1743-2020 controller on a serial line, UDP or TCP and reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.gat1743.recognise import recognisers
from drivers.gat1743.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.world.signal import Grade


@asynccontextmanager
async def open_controller(settings: Settings, clock: Clock) -> AsyncIterator[Dialogue]:
    """Open the line. Raises DeviceLost: missing, permission, busy, closed, refused, timeout or silent."""
    from drivers.gat1743.session import Session  # here: every process reads every driver's settings

    async with open_line(settings.line(settings.role), clock) as line:
        now_s = clock.now_s()
        yield Dialogue(line, Session(settings, now_s, clock.utc_s() - now_s), clock)


PLUGIN = Plugin("gat1743", Kind.CONTROLLER, Settings, open_controller, grade=Grade.A, recognise=recognisers)
