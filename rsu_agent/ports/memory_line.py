"""A byte line in memory: two ends, for scenarios on the fake clock and for tests."""

from __future__ import annotations

from collections import deque

import anyio

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import BITS_A_BYTE, MEMORY, Received, memory_lines
from rsu_agent.ports.trouble import DeviceLost


class MemoryEnd:
    """One end; what is written here is read at the other, `baud` apart in time stamps."""

    def __init__(self, clock: Clock, baud: int) -> None:
        self._clock, self._baud = clock, baud
        self._inbox: deque[tuple[bytes, float]] = deque()
        self._wake = anyio.Event()
        self._closed = False
        self.other: MemoryEnd | None = None

    async def read(self) -> Received:
        """The next bytes."""
        while not self._inbox:
            if self._closed:
                raise DeviceLost("closed", "the line was cut")
            self._wake = anyio.Event()
            await self._wake.wait()
        data, at_s = self._inbox.popleft()
        return Received(data, at_s - len(data) * BITS_A_BYTE / self._baud, at_s)

    async def write(self, data: bytes) -> None:
        """Write everything."""
        if self._closed:
            raise DeviceLost("closed", "the line was cut")
        self.put(data)

    def put(self, data: bytes) -> None:
        """Write without waiting, for devices that run on the fake clock."""
        if self.other is not None and not self._closed:
            self.other._inbox.append((data, self._clock.now_s()))
            self.other._wake.set()

    def take(self) -> bytes:
        """Everything that has arrived, without waiting."""
        data = b"".join(piece for piece, _ in self._inbox)
        self._inbox.clear()
        return data

    def close(self) -> None:
        """Nothing to give back: the scenario owns the line."""

    def cut(self) -> None:
        """Unplug: both ends fail from now on."""
        for end in (self, self.other):
            if end is not None:
                end._closed = True
                end._wake.set()

    def mend(self) -> None:
        """Plug in again; what was under way is lost."""
        for end in (self, self.other):
            if end is not None:
                end._closed = False
                end._inbox.clear()


def lay_line(name: str, clock: Clock, baud: int) -> tuple[MemoryEnd, MemoryEnd]:
    """(the product's end, the device's end) of a line that `open_line('memory:NAME')` finds."""
    ours, theirs = MemoryEnd(clock, baud), MemoryEnd(clock, baud)
    ours.other, theirs.other = theirs, ours
    memory_lines[MEMORY + name] = ours
    return ours, theirs
