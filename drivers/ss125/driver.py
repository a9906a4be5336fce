"""Opens the line of a SmartSensor HD, which speaks only when asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.ss125.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.radar_line import LineRadar


def heard_every_s(_: Settings) -> float | None:
    """Its answers are empty while no vehicle comes; whether it answers at all is the line's to judge."""
    return None


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[LineRadar]:
    """The radar on this line. Raises DeviceLost: missing, permission, busy, closed, refused or timeout."""
    from drivers.ss125.link import Link  # here: every process reads every driver's settings

    async with open_line(settings.line("master"), clock) as line:
        yield LineRadar(line, Link(settings, clock.now_s()), clock)


PLUGIN = Plugin("ss125", Kind.RADAR, Settings, open_radar, heard_every_s=heard_every_s)
