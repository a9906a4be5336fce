"""Finding frames in a byte stream: start, end and escape bytes, bounds, and recovery from rubbish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from drivers.gbt20999.wire import END, ESCAPE, START, Checksum, Frame, Garbled, parse
from rsu_agent.wire.byte_times import ByteTimes

LARGEST_BYTES = 2048  # facts 1.1; a full poll of 64 groups is under 600
LENGTH_BYTES = 2
LONGEST_GAP_S = 0.2  # facts 1.1; between two bytes of one frame
MOST_INNER = 8  # start bytes tried inside what is no frame: each costs a checksum over all that follows
_SPECIAL = re.compile(rb"[\x5c\x7d\x7e]")


class Deframer:
    """Bytes in, frames out. What cannot be read is an event with its size."""

    def __init__(self, checksum: Checksum, byte_s: float = 0.0) -> None:
        self._checksum, self._byte_s = checksum, byte_s
        self._times = ByteTimes(byte_s)
        self._raw: bytearray | None = None  # the frame so far, still escaped, without its start byte
        self._start = 0  # stream position of the frame's start byte
        self._escaped = False
        self._noise = 0
        self._last_s = float("-inf")

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk that was read at now_s."""
        if self._raw is not None and now_s - len(data) * self._byte_s - self._last_s > LONGEST_GAP_S:
            yield self._drop("gap")
        base, self._last_s = self._times.position, now_s
        self._times.add(len(data), now_s)
        at = 0
        while at < len(data):
            if self._escaped:
                self._escaped = False
                at = self._take(data, at, at + 1)
            else:
                found = _SPECIAL.search(data, at)
                at = self._take(data, at, found.start() if found else len(data))
                if found:
                    yield from self._special(data[at], base + at, now_s)
                    at += 1
            yield from self._bound()
        if self._raw is None:
            self._times.forget(self._times.position)
            yield from self._flush_noise()

    @property
    def rest_bytes(self) -> int | None:
        """Bytes still to come of the frame under way, by its length field; None: no frame, or not known yet.

        Fewer than there are where bytes are escaped or the length leaves out the checksum.
        """
        if self._raw is None or len(self._raw) < LENGTH_BYTES:
            return None
        size = int.from_bytes(self._raw[:LENGTH_BYTES], "big") + LENGTH_BYTES + 1  # and the end byte
        return max(1, size - len(self._raw)) if size <= LARGEST_BYTES else None

    def _take(self, data: bytes, start: int, end: int) -> int:
        if self._raw is None:
            self._noise += end - start
        else:
            self._raw += data[start:end]
        return end

    def _special(self, byte: int, position: int, now_s: float) -> Iterator[Frame | Garbled]:
        if byte == START:
            if self._raw:
                yield self._drop("cut")
            yield from self._flush_noise()
            self._raw, self._start = bytearray(), position
        elif self._raw is None:
            self._noise += 1
        elif byte == ESCAPE:
            self._raw.append(ESCAPE)
            self._escaped = True
        elif byte == END:
            yield from self._finish(self._raw, now_s)

    def _finish(self, raw: bytearray, now_s: float) -> Iterator[Frame | Garbled]:
        self._raw = None
        result = parse(raw, self._checksum)
        if isinstance(result, Frame):
            yield self._stamped(result, self._start, now_s)
            return
        inner = raw.find(START)  # rubbish that ended in an escape has swallowed this frame's start byte
        for _ in range(MOST_INNER):
            if inner < 0:
                break
            saved = parse(raw[inner + 1 :], self._checksum)
            if isinstance(saved, Frame):
                yield Garbled(result.why, inner + 1)
                yield self._stamped(saved, self._start + 1 + inner, now_s)
                return
            inner = raw.find(START, inner + 1)
        yield result

    def _bound(self) -> Iterator[Garbled]:
        """A frame that grows too long ends here; a start byte escaped inside it may be the true one."""
        while self._raw is not None and len(self._raw) > LARGEST_BYTES:
            inner = self._raw.rfind(START)
            if inner < 0:
                yield self._drop("long")
            else:
                yield Garbled("long", inner + 1)
                self._start += 1 + inner
                self._raw = self._raw[inner + 1 :]

    def _stamped(self, frame: Frame, position: int, now_s: float) -> Frame:
        return replace(frame, first_byte_s=self._times.left_s(position), last_byte_s=now_s)

    def _drop(self, why: str) -> Garbled:
        size = 1 + len(self._raw or b"")
        self._raw, self._escaped = None, False
        return Garbled(why, size)

    def _flush_noise(self) -> Iterator[Garbled]:
        if self._noise:
            yield Garbled("noise", self._noise)
            self._noise = 0
