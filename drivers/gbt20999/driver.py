"""Opens a GB/T 20999-2017 controller on a byte line and reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.gbt20999.listener import Listener
from drivers.gbt20999.memory import Memory, Shelf
from drivers.gbt20999.recognise import recognisers
from drivers.gbt20999.session import Session
from drivers.gbt20999.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.world.signal import Grade

_shelf = Shelf()  # lives as long as the process: reopening finds what was read before


@asynccontextmanager
async def open_controller(settings: Settings, clock: Clock, shelf: Shelf = _shelf) -> AsyncIterator[Dialogue]:
    """Open the line. Raises DeviceLost: missing, permission, busy, closed, refused, timeout or silent."""
    async with open_line(settings.line(settings.role), clock) as line:
        now_s = clock.now_s()
        if settings.role == "listener":
            yield Dialogue(line, Listener(settings, now_s), clock)
        else:
            yield Dialogue(line, Session(settings, now_s, Memory(shelf)), clock)


PLUGIN = Plugin("gbt20999", Kind.CONTROLLER, Settings, open_controller, grade=Grade.A, recognise=recognisers)
