"""Opens the line of an RTMS G4, read-only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.rtms_g4.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.radar_line import LineRadar


def heard_every_s(_: Settings) -> float | None:
    """It tells of vehicles only."""
    return None


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[LineRadar]:
    """The radar on this line. Raises DeviceLost: missing, permission, busy, closed, refused or timeout."""
    from drivers.rtms_g4.link import Link  # here: every process reads every driver's settings

    async with open_line(settings.line("listener"), clock) as line:
        yield LineRadar(line, Link(settings, clock.now_s()), clock)


PLUGIN = Plugin("rtms_g4", Kind.RADAR, Settings, open_radar, heard_every_s=heard_every_s)
