"""Opens an MJPEG camera: a reader that never stops, the newest whole picture for whoever asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import anyio
import anyio.abc

from drivers.mjpeg_http.link import MjpegReader, Picture, Refused
from drivers.mjpeg_http.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import Frame
from rsu_agent.ports.opencv import decoded
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.stream_time import Thinning
from rsu_agent.ports.trouble import DeviceLost

READ_BYTES = 65_536


class MjpegCamera:
    """ports.devices.Camera. Between two asks the pictures go on; those overtaken are counted."""

    def __init__(self, stream: anyio.abc.ByteStream, settings: Settings, clock: Clock) -> None:
        self._stream, self._settings, self._clock = stream, settings, clock
        self._reader = MjpegReader()
        self._thinning = Thinning(settings.most_fps)
        self._count = 0
        self.counters: dict[str, int] = Counter()

    def __aiter__(self) -> AsyncIterator[Frame]:
        return self

    async def __anext__(self) -> Frame:
        while True:
            picture = await self._next()
            if not self._thinning.takes(picture.first_byte_s):
                self.counters["passed_over"] += 1
                continue
            image = decoded(picture.jpeg)
            if image is None:
                self.counters["undecodable"] += 1
                continue
            self._count += 1
            captured_s = picture.first_byte_s - self._settings.latency_ms / 1000
            number = self._count if picture.number is None else picture.number
            return Frame(number, captured_s, picture.first_byte_s, image)

    async def _next(self) -> Picture:
        """The newest picture: everything that has arrived is read before one is handed out."""
        newest: Picture | None = None
        while True:
            wait_s = self._settings.read_timeout_s if newest is None else 0.0
            with self._clock.move_on_after(wait_s) as scope:
                data = await self._receive()
                for picture in self._pictures(data):
                    if newest is not None:
                        self.counters["overtaken"] += 1
                    newest = picture
            if scope.cancelled_caught and newest is None:
                raise DeviceLost("silent", f"no picture for {wait_s:g} s", "restart the camera")
            if newest is not None and (scope.cancelled_caught or len(data) < READ_BYTES):
                self.counters["pictures"] += 1
                return newest

    async def _receive(self) -> bytes:
        try:
            return await self._stream.receive(READ_BYTES)
        except (anyio.EndOfStream, anyio.BrokenResourceError, OSError) as error:
            raise DeviceLost("closed", f"the camera ended the stream ({error})") from None

    def _pictures(self, data: bytes) -> list[Picture]:
        try:
            found = list(self._reader.receive(data, self._clock.now_s()))
        except Refused as refused:
            raise DeviceLost("refused", str(refused), "check the address of the stream") from None
        self.counters.update(self._reader.counters)
        self._reader.counters.clear()
        return found


@asynccontextmanager
async def open_camera(settings: Settings, clock: Clock) -> AsyncIterator[MjpegCamera]:
    """The stream at the url. Raises DeviceLost."""
    address = urlsplit(settings.url)
    host, port = address.hostname or "", address.port or 80
    stream: anyio.abc.ByteStream | None = None
    with clock.move_on_after(settings.open_timeout_s) as scope:
        try:
            stream = await anyio.connect_tcp(host, port)
        except OSError as error:
            raise DeviceLost(
                "refused", f"{host}:{port}: {error}", "is the camera on, and its address right?"
            ) from None
    if stream is None or scope.cancelled_caught:
        raise DeviceLost("timeout", f"{host}:{port} does not answer", "check the network to the camera")
    path = address.path or "/"
    if address.query:
        path += f"?{address.query}"
    try:
        head = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: multipart/x-mixed-replace\r\n"
        await stream.send(f"{head}{settings.login()}\r\n".encode())
        yield MjpegCamera(stream, settings, clock)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
        raise DeviceLost("closed", str(error)) from None
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(0.2):
            await stream.aclose()


PLUGIN = Plugin("mjpeg_http", Kind.CAMERA, Settings, open_camera)
