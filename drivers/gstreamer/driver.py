"""Opens a GStreamer pipeline through an OpenCV that has GStreamer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.gstreamer.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.newest_frame import NewestFrame, open_newest
from rsu_agent.ports.opencv import pipeline_capture
from rsu_agent.ports.plugins import Kind, Plugin

WHERE = "the pipeline"  # which may hold a password


@asynccontextmanager
async def open_camera(settings: Settings, clock: Clock) -> AsyncIterator[NewestFrame]:
    """What the appsink gives. Raises DeviceLost: `refused` where this OpenCV has no GStreamer."""
    async with open_newest(
        lambda: pipeline_capture(settings.pipeline, settings, WHERE), settings, clock, WHERE
    ) as camera:
        yield camera


PLUGIN = Plugin("gstreamer", Kind.CAMERA, Settings, open_camera)
