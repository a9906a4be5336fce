"""Opens a Modbus line to a box of digital inputs on the lamp circuits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.lamp_sense.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.world.signal import Grade


@asynccontextmanager
async def open_controller(settings: Settings, clock: Clock) -> AsyncIterator[Dialogue]:
    """Open the line. Raises DeviceLost: missing, permission, busy or closed."""
    from drivers.lamp_sense.session import Session  # here: every process reads every driver's settings

    async with open_line(settings.line("master"), clock) as line:
        yield Dialogue(line, Session(settings, clock.now_s()), clock)


PLUGIN = Plugin("lamp_sense", Kind.CONTROLLER, Settings, open_controller, grade=Grade.C)
