"""The link between two processes of one agent: whole nouns over a socket pair, newest wins or queue."""

from __future__ import annotations

import socket
from collections import deque
from typing import Any

import anyio

from rsu_agent.ports.nouns import LARGEST_BYTES, NotANoun, pack, unpack, version
from rsu_agent.ports.trouble import DeviceLost

HELLO = "hello"
QUEUE_LENGTH = 10_000  # records that wait while the uplink process restarts: an hour of a busy crossing
SEND_BUFFER_BYTES = 4 << 20


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Two ends that keep message boundaries, for one parent to hand to two children."""
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    return pair


class Link:
    """One end. `send` never waits: `newest` topics overwrite what is unsent, others queue in order.

    A message is [topic, noun]. The first one each way is the version hello; what is said with `greet` comes
    next, and nothing overtakes either.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._greetings: deque[tuple[str, bytes]] = deque()
        self._queue: deque[tuple[str, bytes]] = deque()
        self._newest: dict[str, bytes] = {}
        self._wake = anyio.Event()
        self.dropped = 0
        self.garbled = 0
        self.greet(HELLO, version())

    def greet(self, topic: str, noun: Any) -> None:
        """What the other end must know before anything else."""
        self._greetings.append((topic, _frame(topic, noun)))
        self._wake.set()

    def send(self, topic: str, noun: Any, *, newest: bool = False) -> None:
        """Hand a message over; a full queue drops its oldest entry and counts it."""
        data = _frame(topic, noun)
        if newest:
            self.dropped += topic in self._newest
            self._newest[topic] = data
        else:
            if len(self._queue) >= QUEUE_LENGTH:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append((topic, data))
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Messages not yet handed to the kernel."""
        return len(self._greetings) + len(self._queue) + len(self._newest)

    async def run_sender(self) -> None:
        """Write messages out until the other end goes. Raises DeviceLost('closed')."""
        while True:
            await self._wake.wait()
            self._wake = anyio.Event()
            while self.waiting:
                topic, data = self._next()
                if not await self._write(data):
                    return
                if self._queue and self._queue[0][0] == topic and self._queue[0][1] is data:
                    self._queue.popleft()

    def _next(self) -> tuple[str, bytes]:
        if self._greetings:
            return self._greetings.popleft()
        if self._newest:
            topic = next(iter(self._newest))
            return topic, self._newest.pop(topic)
        return self._queue[0]

    async def _write(self, data: bytes) -> bool:
        while True:
            try:
                self._socket.send(data)
                return True
            except BlockingIOError:
                await anyio.wait_writable(self._socket)
            except OSError as error:
                raise DeviceLost("closed", str(error)) from None

    async def receive(self) -> tuple[str, Any]:
        """The next message. Raises DeviceLost when the other end goes or speaks another version."""
        while True:
            try:
                data = self._socket.recv(LARGEST_BYTES)
            except BlockingIOError:
                await anyio.wait_readable(self._socket)
                continue
            except OSError as error:
                raise DeviceLost("closed", str(error)) from None
            if not data:
                raise DeviceLost("closed", "the other process has gone")
            try:
                topic, noun = _read(data)
            except (NotANoun, UnicodeDecodeError):
                self.garbled += 1
                continue
            if topic != HELLO:
                return topic, noun
            if noun != version():
                raise DeviceLost("version", "the other process is of another version")

    def close(self) -> None:
        """Close this end."""
        self._socket.close()


def _frame(topic: str, noun: Any) -> bytes:
    name = topic.encode()
    return bytes([len(name)]) + name + pack(noun)


def _read(data: bytes) -> tuple[str, Any]:
    length = data[0]
    try:
        topic = data[1 : 1 + length].decode()
    except UnicodeDecodeError as error:
        raise NotANoun(str(error)) from None
    return topic, unpack(data[1 + length :])
