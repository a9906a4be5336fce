"""Opens the line of a simple speed radar; for writing only where the site asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.csr_speed.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import HEARD_EVERY_S, Kind, Plugin
from rsu_agent.ports.radar_line import LineRadar

ANSWERS = 3  # may be missing


def heard_every_s(settings: Settings) -> float | None:
    """It says that nothing moves, but not in trigger mode."""
    match settings.mode:
        case "continuous":
            return HEARD_EVERY_S
        case "answer":
            return max(HEARD_EVERY_S, ANSWERS / settings.ask_hz)
        case "trigger":
            return None


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[LineRadar]:
    """The radar on this line. Raises DeviceLost: missing, permission, busy, closed, refused or timeout."""
    from drivers.csr_speed.link import Link  # here: every process reads every driver's settings

    async with open_line(settings.line("master" if settings.writes else "listener"), clock) as line:
        yield LineRadar(line, Link(settings, clock.now_s()), clock)


PLUGIN = Plugin("csr_speed", Kind.RADAR, Settings, open_radar, heard_every_s=heard_every_s)
