"""Finding SmartSensor HD frames in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.ss125.wire import CRC, HEAD, HEAD_BYTES, LEAST_BODY, MARK, MOST_BODY, Head

LARGEST_BYTES = HEAD_BYTES + MOST_BODY + 1
PATIENCE_S = 1.0  # the rest of a frame whose head was good


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose two checks hold. body: without its CRC."""

    head: Head
    body: bytes


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise, head, body or late."""

    why: str
    size: int


class Deframer:
    """Bytes and time in, frames out."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._last_s = float("-inf")

    @property
    def kept_bytes(self) -> int:
        """What waits for the rest of a frame."""
        return len(self._held)

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk read at now_s."""
        if self._held and now_s - self._last_s > PATIENCE_S:
            yield self._dropped("late", len(MARK))
        self._last_s = now_s
        self._held += data
        while self._held:
            begins = self._held.find(MARK)
            if begins < 0:
                begins = len(self._held) - (self._held[-1] == MARK[0])
            if begins:
                yield self._dropped("noise", begins)
                continue
            found = self._first()
            if found is None:
                return
            yield found

    def _first(self) -> Frame | Garbled | None:
        """The frame at the buffer's start; None: more must come."""
        held = self._held
        if len(held) < HEAD_BYTES:
            return None
        head = HEAD.read(held)
        if (
            CRC.of(bytes(held[: HEAD_BYTES - 1])) != held[HEAD_BYTES - 1]
            or not LEAST_BODY <= head.body_bytes <= MOST_BODY
        ):
            return self._dropped("head", len(MARK))
        end = HEAD_BYTES + head.body_bytes
        if len(held) <= end:
            return None
        body = bytes(held[HEAD_BYTES:end])
        if CRC.of(body) != held[end]:
            return self._dropped("body", len(MARK))
        del held[: end + 1]
        return Frame(head, body)

    def _dropped(self, why: str, size: int) -> Garbled:
        del self._held[:size]
        return Garbled(why, size)
