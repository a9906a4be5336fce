"""Opens a V4L2 device of this machine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.v4l2.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.newest_frame import Capture, NewestFrame, open_newest
from rsu_agent.ports.opencv import device_capture
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost


@asynccontextmanager
async def open_camera(settings: Settings, clock: Clock) -> AsyncIterator[NewestFrame]:
    """The device. Raises DeviceLost: `missing`, `permission`, and what opening it says."""
    async with open_newest(lambda: _open(settings), settings, clock, settings.device) as camera:
        yield camera


def _open(settings: Settings) -> Capture:
    device = settings.device
    if not os.path.exists(device):
        raise DeviceLost("missing", f"there is no {device}", "is the camera plugged in? ls /dev/v4l/by-path")
    if not os.access(device, os.R_OK | os.W_OK):
        raise DeviceLost("permission", f"{device} may not be opened", "put the user into the group video")
    return device_capture(device, settings.size(), settings.fourcc, settings.fps, settings)


PLUGIN = Plugin("v4l2", Kind.CAMERA, Settings, open_camera)
