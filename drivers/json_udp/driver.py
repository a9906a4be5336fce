"""Opens the port on which a unit's JSON datagrams arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.json_udp.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.radar_line import LineRadar


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[LineRadar]:
    """The radar on this port. Raises DeviceLost: busy or refused."""
    from drivers.json_udp.link import Link  # here: every process reads every driver's settings

    async with open_line(settings.line(), clock) as line:
        yield LineRadar(line, Link(settings, clock.now_s()), clock)


PLUGIN = Plugin("json_udp", Kind.RADAR, Settings, open_radar)
