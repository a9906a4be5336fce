"""Opens the line of an OPS243 radar; for writing only where the site asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.ops243.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.radar_line import LineRadar

ZEROS_S = 5.0  # as silence_s advises where zeros are reported


def heard_every_s(settings: Settings) -> float | None:
    """Zeros are reported where it was told so, or where its silence counts as a loss."""
    return ZEROS_S if settings.configure and settings.silence_s is None else settings.silence_s


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[LineRadar]:
    """The radar on this line. Raises DeviceLost: missing, permission, busy, closed, refused or timeout."""
    from drivers.ops243.link import Link  # here: every process reads every driver's settings

    async with open_line(settings.line("master" if settings.writes else "listener"), clock) as line:
        now_s = clock.now_s()
        yield LineRadar(line, Link(settings, now_s, clock.utc_s() - now_s), clock)


PLUGIN = Plugin("ops243", Kind.RADAR, Settings, open_radar, heard_every_s=heard_every_s)
