"""The other ends of a CAN bus: an slcan adapter on a pseudo-terminal, a socketcand server, a bus in memory.

Written from facts/radars 5.10.
"""

from __future__ import annotations

import os
import queue
import re
import tty
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any

import anyio
import anyio.abc
import can


class SlcanAdapter:
    """Takes `C`, `S6`, `O`, `L` and `tIIILDD..`; what is put on its bus goes to the host once it is open."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.commands: list[str] = []
        self.sent: list[tuple[int, bytes]] = []  # by the host
        self.open = anyio.Event()
        self._rest = b""

    async def __aenter__(self) -> SlcanAdapter:
        os.set_blocking(self.master, False)
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._serve)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.cancel_scope.cancel()
        await self._tasks.__aexit__(None, None, None)
        self.hang_up()

    def put(self, frame_id: int, data: bytes) -> None:
        """A frame of another node."""
        self.write(f"t{frame_id:03X}{len(data)}{data.hex().upper()}\r".encode())

    def write(self, data: bytes) -> None:
        """Bytes to the host, whatever they are."""
        assert os.write(self.master, data) == len(data)

    def hang_up(self) -> None:
        """The adapter is unplugged."""
        if self.master >= 0:
            anyio.notify_closing(self.master)
            os.close(self._slave)
            os.close(self.master)
        self.master = -1

    async def _serve(self) -> None:
        while True:
            try:
                await anyio.wait_readable(self.master)
                self._rest += os.read(self.master, 4096)
            except (OSError, anyio.ClosedResourceError):
                return
            *commands, self._rest = self._rest.split(b"\r")
            for command in commands:
                self._take(command.decode())

    def _take(self, command: str) -> None:
        if command.startswith("t"):
            self.sent.append((int(command[1:4], 16), bytes.fromhex(command[5:])))
            assert int(command[4]) == len(self.sent[-1][1])
            return
        self.commands.append(command)
        if command in ("O", "L"):
            self.open.set()


class SocketcandServer:
    """`< hi >`, `< open can0 >`, `< rawmode >`, then `< frame .. >` out and `< send .. >` in."""

    def __init__(self, bus: str = "can0", silent_at: str | None = None) -> None:
        self.bus, self.silent_at = bus, silent_at
        self.port = 0
        self.sent: list[tuple[int, bytes]] = []
        self.raw = anyio.Event()
        self.streams: list[anyio.abc.SocketStream] = []
        self.clients = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[SocketcandServer]:
        """While in here it listens on the loopback."""
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
        self.port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, self._client)
            yield self
            tasks.cancel_scope.cancel()

    async def put(self, frame_id: int, data: bytes, at_s: float = 1.5) -> None:
        """A frame of another node."""
        await self.write(f"< frame {frame_id:03X} {at_s:.6f} {data.hex().upper()} >".encode())

    async def write(self, data: bytes) -> None:
        """Bytes to the newest client."""
        await self.streams[-1].send(data)

    async def end(self) -> None:
        """Close the connections."""
        while self.streams:
            await self.streams.pop().aclose()

    async def _client(self, stream: anyio.abc.SocketStream) -> None:
        self.clients += 1
        rest = ""
        try:
            async with stream:
                await stream.send(b"< hi >")
                async for data in stream:
                    rest += data.decode()
                    while found := re.match(r"\s*<([^>]*)>", rest):
                        rest = rest[found.end() :]
                        await self._take(found[1].split(), stream)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return

    async def _take(self, words: list[str], stream: anyio.abc.SocketStream) -> None:
        if words[0] == self.silent_at:
            return
        match words:
            case ["open", bus]:
                await stream.send(b"< ok >" if bus == self.bus else b"< error unknown bus >")
            case ["rawmode"]:
                self.streams.append(stream)
                await stream.send(b"< ok >")
                self.raw.set()
            case ["send", number, count, *data]:
                assert int(count, 16) == len(data)
                self.sent.append((int(number, 16), bytes(int(byte, 16) for byte in data)))


class FakeBus:
    """What `BusLine` uses of a python-can bus; `arriving` holds messages and exceptions to come."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.arriving: queue.Queue[can.Message | Exception] = queue.Queue()
        self.sent: list[can.Message] = []
        self.refuse: Exception | None = None
        self.state = can.BusState.ACTIVE
        self.flushed = self.shut = 0

    def recv(self, timeout: float | None) -> can.Message | None:
        """The next message, None after the timeout."""
        try:
            found = self.arriving.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def send(self, message: can.Message, timeout: float | None = None) -> None:
        """Take a message, or refuse it."""
        if self.refuse is not None:
            raise self.refuse
        self.sent.append(message)

    def flush(self) -> None:
        """As slcan's."""
        self.flushed += 1

    def shutdown(self) -> None:
        """As every bus's."""
        self.shut += 1


def message(frame_id: int, data: bytes = b"", **more: Any) -> can.Message:
    """A frame with an 11-bit identifier as python-can has it."""
    return can.Message(arbitration_id=frame_id, data=data, **{"is_extended_id": False, **more})
