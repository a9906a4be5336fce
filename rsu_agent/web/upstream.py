"""Reading the agent's control socket: one answer, or a stream shared by every browser that looks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import h11

from rsu_agent.web.history import History

READ_BYTES = 65_536
RETRY_S = 0.5
LARGEST_ANSWER = 8 << 20  # bytes of an answer, or of one event
ORDER_S = 45.0  # a still takes some twelve seconds
SILENT_S = 3.0  # live events come ten times a second; a core that hangs says nothing and does not hang up


class Upstream:
    """The control socket at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def get(self, what: str) -> Any:
        """One JSON answer. Raises ConnectionError when the agent does not answer, or not with JSON."""
        body = bytearray()
        async for piece in self._body(what):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise ConnectionError(f"{what}: answer too long")
        try:
            return json.loads(body)
        except ValueError as error:
            raise ConnectionError(f"{what}: no JSON ({error})") from None

    async def order(self, what: str, said: dict[str, Any]) -> tuple[int, Any]:
        """POST: (status, JSON answer). Raises ConnectionError."""
        status, body = 0, bytearray()
        async for event in self._exchange(what, json.dumps(said).encode(), ORDER_S):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data) and len(body) <= LARGEST_ANSWER:
                body += event.data
        try:
            return status, json.loads(body)
        except ValueError as error:
            raise ConnectionError(f"{what}: no JSON ({error})") from None

    async def file(self, what: str) -> bytes:
        """The bytes of an answer. Raises ConnectionError."""
        return b"".join([piece async for piece in self._body(what)])[:LARGEST_ANSWER]

    async def events(self, what: str) -> AsyncIterator[str]:
        """The data of each server-sent event, until the agent goes. Raises ConnectionError."""
        buffer = b""
        async for piece in self._body(what):
            buffer += piece
            while b"\n\n" in buffer:
                event, buffer = buffer.split(b"\n\n", 1)
                if event.startswith(b"data: "):
                    yield event[6:].decode(errors="replace")
            if len(buffer) > LARGEST_ANSWER:
                raise ConnectionError(f"{what}: event too long")

    async def _body(self, what: str) -> AsyncIterator[bytes]:
        async for event in self._exchange(what, None, SILENT_S):
            if isinstance(event, h11.Response) and event.status_code != HTTPStatus.OK:
                raise ConnectionError(f"{what}: answered {event.status_code}")
            if isinstance(event, h11.Data):
                yield bytes(event.data)

    async def _exchange(
        self, what: str, said: bytes | None, silent_s: float
    ) -> AsyncIterator[h11.Response | h11.Data]:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._path))
        except OSError as error:
            raise ConnectionError(f"{self._path}: {error}") from None
        try:
            connection = h11.Connection(h11.CLIENT)
            writer.write(_asked(connection, what, said))
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    async with asyncio.timeout(silent_s):
                        connection.receive_data(await reader.read(READ_BYTES))
                elif isinstance(event, (h11.Response, h11.Data)):
                    yield event
                elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
                    return
        except TimeoutError:
            raise ConnectionError(f"{what}: no word for {silent_s:.0f} s") from None
        except (OSError, h11.ProtocolError) as error:
            raise ConnectionError(f"{what}: {error}") from None
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _asked(connection: h11.Connection, what: str, said: bytes | None) -> bytes:
    headers = [("Host", "rsu-agent")]
    if said is not None:
        headers += [("Content-Type", "application/json"), ("Content-Length", str(len(said)))]
    method = "GET" if said is None else "POST"
    sent = connection.send(h11.Request(method=method, target=f"/v1/{what}", headers=headers)) or b""
    if said is not None:
        sent += connection.send(h11.Data(said)) or b""
    return sent + (connection.send(h11.EndOfMessage()) or b"")


class Newest:
    """The newest live event, read once however many look; None while the agent is silent.

    history: is told of each.
    """

    def __init__(self, upstream: Upstream, history: History | None = None) -> None:
        self._upstream, self._history = upstream, history
        self._changed = asyncio.Condition()
        self.value: str | None = None
        self.number = 0
        self.ended = False

    async def run(self) -> None:
        """Follow the agent for ever, through its restarts."""
        while True:
            with contextlib.suppress(ConnectionError):
                async for text in self._upstream.events("live"):
                    self._told(text)
                    await self._put(text)
            self._told(None)
            await self._put(None)
            await asyncio.sleep(RETRY_S)

    async def after(self, number: int) -> tuple[int, str | None]:
        """The newest value once it is newer than `number`; what was overtaken is skipped."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.number != number)
            return self.number, self.value

    async def end(self) -> None:
        """Let go of everybody who waits: the page is closing."""
        async with self._changed:
            self.ended = True
            self.number += 1
            self._changed.notify_all()

    def _told(self, text: str | None) -> None:
        if self._history is not None:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # of another version: no history
                self._history.take(None if text is None else json.loads(text), time.monotonic())

    async def _put(self, value: str | None) -> None:
        async with self._changed:
            if value is None and self.value is None:
                return
            self.value = value
            self.number += 1
            self._changed.notify_all()
