"""Countdown display frames of both generations (facts/controllers 7), found in a stream and never sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import xor

from rsu_agent.wire.byte_times import ByteTimes

OLD_MARK, OLD_BYTES = 0xFE, 5
NEW_MARK = b"\x55\xaa"
NEW_COUNTS = (4, 32)
LONGEST_GAP_S = 0.5
LARGEST_BYTES = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """One display. colour: 0 black, 1 green, 2 yellow, 3 red."""

    address: int
    colour: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; a frame of 2004 tells one direction, one of 2014 all of them."""

    entries: tuple[Entry, ...]
    first_byte_s: float
    last_byte_s: float


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise or gap."""

    why: str
    size: int


class Deframer:
    """Bytes in, frames out, both generations at once."""

    def __init__(self, byte_s: float = 0.0) -> None:
        self._byte_s = byte_s
        self._times = ByteTimes(byte_s)
        self._held = bytearray()
        self._last_s = float("-inf")

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk read at now_s."""
        if self._held and now_s - len(data) * self._byte_s - self._last_s > LONGEST_GAP_S:
            yield Garbled("gap", len(self._held))
            self._held.clear()
        self._last_s = now_s
        self._times.add(len(data), now_s)
        self._held += data
        skipped = 0
        while self._held:
            size = _size(self._held)
            if size is None:
                break
            entries = _entries(bytes(self._held[:size])) if size else None
            if entries is None:
                skipped += 1
                del self._held[:1]
                continue
            if skipped:
                yield Garbled("noise", skipped)
                skipped = 0
            yield Frame(entries, self._times.left_s(self._times.position - len(self._held)), now_s)
            del self._held[:size]
        if skipped:
            yield Garbled("noise", skipped)
        self._times.forget(self._times.position - len(self._held))


def _size(held: bytearray) -> int | None:
    """Bytes of the frame that begins here; 0: none does; None: more must come."""
    if held[0] == OLD_MARK:
        return OLD_BYTES if len(held) >= OLD_BYTES else None
    if held[0] != NEW_MARK[0]:
        return 0
    if len(held) < 3:
        return None if held[1:2] in (b"", NEW_MARK[1:]) else 0
    if held[1] != NEW_MARK[1] or held[2] not in NEW_COUNTS:
        return 0
    size = 3 + 2 * held[2] + 1
    return size if len(held) >= size else None


def _entries(frame: bytes) -> tuple[Entry, ...] | None:
    """What a whole frame tells, None where its check or its digits are wrong."""
    if frame[0] == OLD_MARK:
        head, high, low, check = frame[1:]
        seconds = [_digits(high), _digits(low)]
        if check != 0x7F & (head ^ high ^ low) or head & 0xE0 != 0x20 or None in seconds:
            return None
        return (Entry(head >> 2 & 7, head & 3, (seconds[0] or 0) * 100 + (seconds[1] or 0)),)
    if reduce(xor, frame[2:-1]) != frame[-1]:
        return None
    pairs = zip(frame[3:-1:2], frame[4:-1:2], strict=True)
    return tuple(Entry(first >> 3, first & 3, seconds) for first, seconds in pairs)


def _digits(byte: int) -> int | None:
    """Two decimal digits in one byte."""
    high, low = byte >> 4, byte & 15
    return high * 10 + low if high < 10 and low < 10 else None
