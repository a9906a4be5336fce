"""A byte line in memory: two ends in one process, paced by the clock, plugged in and out by name."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line_faults import LineErrors
from rsu_agent.ports.received import Received
from rsu_agent.ports.trouble import DeviceLost

PREFIX = "memory:"
BITS_A_BYTE = 10
CHUNK_BYTES = 64  # a UART's FIFO hands over about so much at once

_plugged: dict[str, MemoryLine] = {}


class MemoryEnd:
    """One end. What is written arrives at the other end once its bits have had time to pass."""

    def __init__(self, clock: Clock, byte_s: float) -> None:
        self._clock, self._byte_s = clock, byte_s
        self._other: MemoryEnd = self
        self._inbox: deque[tuple[float, bytes]] = deque()
        self._arrival = anyio.Event()
        self._wire_free_s = 0.0
        self._gone = False

    async def read(self) -> Received:
        """The next bytes. Raises DeviceLost('closed') once unplugged."""
        await anyio.lowlevel.checkpoint()
        while not self._inbox:
            self._refuse_when_gone()
            self._arrival = anyio.Event()
            await self._arrival.wait()
        await self._clock.sleep_until(self._inbox[0][0])
        self._refuse_when_gone()
        now_s, data = self._clock.now_s(), b""
        while self._inbox and self._inbox[0][0] <= now_s:
            data += self._inbox.popleft()[1]
        return Received(data, now_s)

    async def write(self, data: bytes) -> None:
        """Put bytes on the wire; returns at once, as a kernel buffer would."""
        self._refuse_when_gone()
        for start in range(0, len(data), CHUNK_BYTES):
            chunk = data[start : start + CHUNK_BYTES]
            begin_s = max(self._clock.now_s(), self._wire_free_s)
            self._wire_free_s = begin_s + len(chunk) * self._byte_s
            self._other._inbox.append((self._wire_free_s, chunk))
        self._other._arrival.set()

    def expect(self, rest_s: float | None) -> None:
        """Memory hands over its chunks when their bits have passed, and gathers nothing."""

    def errors(self) -> LineErrors | None:
        """Memory has no UART."""
        return None

    def _refuse_when_gone(self) -> None:
        if self._gone:
            raise DeviceLost("closed", "unplugged")

    def _unplug(self) -> None:
        self._gone = True
        self._inbox.clear()
        self._arrival.set()


class MemoryLine:
    """A pair: `near` is for the driver (through `open_line`), `far` for the device that stands in."""

    def __init__(self, clock: Clock, baud: int | None = None) -> None:
        byte_s = BITS_A_BYTE / baud if baud else 0.0
        self.near, self.far = MemoryEnd(clock, byte_s), MemoryEnd(clock, byte_s)
        self.near._other, self.far._other = self.far, self.near
        self.taken = False

    def cut(self) -> None:
        """Both ends find the line gone."""
        self.near._unplug()
        self.far._unplug()


def plug(name: str, clock: Clock, baud: int | None = None) -> MemoryEnd:
    """Make `memory:NAME` openable and give the device's end. baud None: bytes take no time."""
    unplug(name)
    line = _plugged[name] = MemoryLine(clock, baud)
    return line.far


def unplug(name: str) -> None:
    """Pull the plug: open ends are lost, opening again finds the port missing."""
    if line := _plugged.pop(name, None):
        line.cut()


@asynccontextmanager
async def open_near_end(port: str, clock: Clock) -> AsyncIterator[MemoryEnd]:
    """The driver's end of `memory:NAME`. Raises DeviceLost: missing or busy. The line brings its clock."""
    line = _plugged.get(port.removeprefix(PREFIX))
    if line is None:
        raise DeviceLost("missing", f"{port} is not plugged in")
    if line.taken:
        raise DeviceLost("busy", f"{port} is already open")
    line.taken = True
    line.near._inbox = deque(entry for entry in line.near._inbox if entry[0] > clock.now_s())
    try:
        yield line.near
    finally:
        line.taken = False
