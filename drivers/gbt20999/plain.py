"""Finding frames that are not escaped: by their length, in a stream or one datagram at a time (facts 1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from drivers.gbt20999.deframer import LARGEST_BYTES, LONGEST_GAP_S
from drivers.gbt20999.wire import (
    CHECKSUM_BYTES,
    END,
    HEAD,
    START,
    Checksum,
    Frame,
    Garbled,
    parse,
    parse_plain,
)
from rsu_agent.wire.byte_times import ByteTimes

AROUND_BYTES = 4  # start, length and end: what a length that counts the checksum leaves out
LEAST_LENGTH = HEAD.size - 2


class PlainDeframer:
    """As Deframer. datagrams: each chunk is whole frames; one that is escaped all the same is read too."""

    def __init__(self, checksum: Checksum, byte_s: float = 0.0, *, datagrams: bool = False) -> None:
        self._checksum, self._byte_s, self._datagrams = checksum, byte_s, datagrams
        self._times = ByteTimes(byte_s)
        self._held = bytearray()
        self._last_s = float("-inf")

    @property
    def rest_bytes(self) -> int | None:
        """Nothing is gathered on networks."""
        return None

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk, or one datagram, that was read at now_s."""
        if self._held and now_s - len(data) * self._byte_s - self._last_s > LONGEST_GAP_S:
            yield Garbled("gap", len(self._held))
            self._held.clear()
        self._last_s = now_s
        self._times.add(len(data), now_s)
        self._held += data
        yield from self._frames(now_s)
        if self._datagrams and self._held:
            yield self._escaped(now_s)
            self._held.clear()
        self._times.forget(self._times.position - len(self._held))

    def _frames(self, now_s: float) -> Iterator[Frame | Garbled]:
        skipped, why = 0, "noise"
        while True:
            start = self._held.find(START)
            skipped += start if start >= 0 else len(self._held)
            del self._held[: start if start >= 0 else len(self._held)]
            found = self._first(now_s) if self._held else None
            if found is None or isinstance(found, Frame):
                if skipped:
                    yield Garbled(why, skipped)
                    skipped, why = 0, "noise"
                if found is None:
                    return
                yield found
                continue
            if self._datagrams:
                return
            why = found.why
            skipped += 1
            del self._held[:1]

    def _first(self, now_s: float) -> Frame | Garbled | None:
        """The frame that the buffer begins with, why it is none, or None while it may become one."""
        if len(self._held) < 3:
            return None
        length = int.from_bytes(self._held[1:3], "big")
        if not LEAST_LENGTH <= length <= LARGEST_BYTES - AROUND_BYTES - CHECKSUM_BYTES:
            return Garbled("length", 1)
        wrong: Garbled | None = None
        for size in (length + AROUND_BYTES, length + AROUND_BYTES + CHECKSUM_BYTES):
            if len(self._held) < size:
                return wrong if self._datagrams else None
            if self._held[size - 1] != END:
                wrong = wrong or Garbled("length", 1)
                continue
            read = parse_plain(bytes(self._held[1 : size - 1]), self._checksum)
            if isinstance(read, Frame):
                first_s = self._times.left_s(self._times.position - len(self._held))
                del self._held[:size]
                return replace(read, first_byte_s=first_s, last_byte_s=now_s)
            wrong = read
        return wrong

    def _escaped(self, now_s: float) -> Frame | Garbled:
        """A datagram of a controller that escapes on UDP too, or what is wrong with it."""
        if self._held[0] == START and self._held[-1] == END:
            read = parse(self._held[1:-1], self._checksum)
            return replace(read, first_byte_s=now_s, last_byte_s=now_s) if isinstance(read, Frame) else read
        return Garbled("cut", len(self._held))
