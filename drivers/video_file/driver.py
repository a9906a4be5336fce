"""Plays a video, or a folder of pictures, as if a camera took them now."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from drivers.video_file.reels import Reel, open_reel
from drivers.video_file.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost

FIRST_GAP_S = 0.1


class Player:
    """ports.devices.Camera. A picture is handed out when its time has come; those overtaken are counted."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._reel: Reel | None = None
        self._begins_s = self._due_s = clock.now_s()
        self._gap_s = FIRST_GAP_S
        self._number = 0
        self.counters: dict[str, int] = Counter()

    async def open(self) -> None:
        """Begin at the beginning. Raises DeviceLost."""
        await self.close()
        path = Path(self._settings.path)
        self._reel = await anyio.to_thread.run_sync(open_reel, path, self._settings.fps)

    async def close(self) -> None:
        """Let go of the file."""
        if self._reel is not None:
            await anyio.to_thread.run_sync(self._reel.close)
            self._reel = None

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        while True:
            reel = await self._go_on()
            if self._due_s + self._gap_s < self._clock.now_s():
                self.counters["overtaken"] += 1
                continue
            await self._clock.sleep_until(self._due_s)
            image = await anyio.to_thread.run_sync(reel.picture)
            if image is None:
                self.counters["undecodable"] += 1
                continue
            self.counters["pictures"] += 1
            return Frame(self._number, self._due_s, self._due_s, image)

    async def _go_on(self) -> Reel:
        """Make the next picture the present one. Raises DeviceLost('ended')."""
        assert self._reel is not None
        at_s = await anyio.to_thread.run_sync(self._reel.go_on)
        if at_s is None:
            if not self.counters["pictures"]:
                raise DeviceLost("refused", f"nothing in {self._settings.path} can be read as a picture")
            if not self._settings.loop:
                raise DeviceLost("ended", f"{self._settings.path} is over", "loop: true plays it again")
            self._begins_s = self._due_s + self._gap_s
            await self.open()
            at_s = await anyio.to_thread.run_sync(self._reel.go_on) or 0.0
        due_s = self._begins_s + at_s
        if self._number:
            self._gap_s = due_s - self._due_s
        self._due_s = due_s
        self._number += 1
        return self._reel


@asynccontextmanager
async def open_camera(settings: Settings, clock: Clock) -> AsyncIterator[Player]:
    """The file from its beginning. Raises DeviceLost: missing, permission, refused."""
    player = Player(settings, clock)
    try:
        await player.open()
        yield player
    finally:
        with anyio.CancelScope(shield=True):
            await player.close()


PLUGIN = Plugin("video_file", Kind.CAMERA, Settings, open_camera)
