"""Opens an RTSP stream through OpenCV's FFmpeg."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.rtsp.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.newest_frame import NewestFrame, open_newest
from rsu_agent.ports.opencv import choose_transport, stream_capture
from rsu_agent.ports.plugins import Kind, Plugin


@asynccontextmanager
async def open_camera(settings: Settings, clock: Clock) -> AsyncIterator[NewestFrame]:
    """The stream at the url. Raises DeviceLost."""
    where = settings.where()
    choose_transport(settings.transport)
    async with open_newest(
        lambda: stream_capture(settings.address(), settings, where), settings, clock, where
    ) as camera:
        yield camera


PLUGIN = Plugin("rtsp", Kind.CAMERA, Settings, open_camera)
