"""Finding frames between C0 bytes: in a stream, or in one datagram; bounds and recovery from rubbish."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from drivers.gat1743.wire import END, Frame, Garbled, parse
from rsu_agent.wire.byte_times import ByteTimes

LARGEST_BYTES = 4096  # 64 lamps of 16 steps with every byte escaped are some 6 kB; real ones are under 2
LONGEST_GAP_S = 0.2


class Deframer:
    """Bytes in, frames out. One C0 may end a frame and begin the next."""

    def __init__(self, byte_s: float = 0.0) -> None:
        self._byte_s = byte_s
        self._times = ByteTimes(byte_s)
        self._held: bytearray | None = None  # what follows a C0, still escaped
        self._start = 0  # stream position of that C0
        self._last_s = float("-inf")

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk that was read at now_s."""
        if self._held and now_s - len(data) * self._byte_s - self._last_s > LONGEST_GAP_S:
            yield Garbled("gap", len(self._held))
            self._held = None
        base, self._last_s = self._times.position, now_s
        self._times.add(len(data), now_s)
        at = 0
        for part in data.split(bytes([END])):
            yield from self._take(part)
            at += len(part)
            if at < len(data):  # a C0 stands here
                yield from self._marked(base + at, now_s)
                at += 1
        self._times.forget(self._start if self._held is not None else self._times.position)

    def _take(self, part: bytes) -> Iterator[Garbled]:
        if self._held is None:
            if part:
                yield Garbled("noise", len(part))
            return
        self._held += part
        if len(self._held) > LARGEST_BYTES:
            yield Garbled("long", len(self._held))
            self._held = None

    def _marked(self, position: int, now_s: float) -> Iterator[Frame | Garbled]:
        """A C0: the end of what was held, and perhaps the start of more."""
        if self._held:
            found = parse(bytes(self._held))
            if isinstance(found, Frame):
                first_s = self._times.left_s(self._start)
                found = replace(found, first_byte_s=first_s, last_byte_s=now_s)
            yield found
        self._held, self._start = bytearray(), position
