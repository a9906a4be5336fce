"""Opens the line of a UMRR-0C radar, read-only."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.umrr0c.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.radar_line import LineRadar

log = logging.getLogger(__name__)
UNVERIFIED = (
    "umrr0c on %s: unverified on real bytes; compare its targets with the picture before relying on it"
)


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[LineRadar]:
    """The radar on this line. Raises DeviceLost: missing, permission, busy, closed, refused or timeout."""
    from drivers.umrr0c.link import Link  # here: every process reads every driver's settings

    async with open_line(settings.line("listener"), clock) as line:
        log.warning(UNVERIFIED, settings.port)
        yield LineRadar(line, Link(settings, clock.now_s()), clock)


PLUGIN = Plugin("umrr0c", Kind.RADAR, Settings, open_radar)
