"""Finding RTMS G4 frames in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.rtms_g4.wire import CHECK_BYTES, HEAD_BYTES, MARK, SENSOR_BYTES, Frame, parse
from rsu_agent.wire.byte_times import ByteTimes

LARGEST_BYTES = HEAD_BYTES + 255 + CHECK_BYTES
PATIENCE_S = 0.5  # beyond the time its bytes take: then its mark was no mark


@dataclass(frozen=True, slots=True)
class Heard:
    """A frame and when its first byte left the sensor."""

    frame: Frame
    first_byte_s: float


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise, length, sum or late."""

    why: str
    size: int


class Deframer:
    """Bytes and time in, frames out."""

    def __init__(self, byte_s: float = 0.0) -> None:
        self._byte_s = byte_s
        self._times = ByteTimes(byte_s)
        self._held = bytearray()

    @property
    def kept_bytes(self) -> int:
        """What waits for the rest of a frame."""
        return len(self._held)

    def receive(self, data: bytes, now_s: float) -> Iterator[Heard | Garbled]:
        """Take a chunk read at now_s."""
        self._times.add(len(data), now_s)
        self._held += data
        while self._held:
            begins = self._held.find(MARK)
            if begins < 0:
                begins = len(self._held) - (self._held[-1] == MARK[0])
            if begins:
                yield self._dropped("noise", begins)
                continue
            size = self._size()
            if len(self._held) >= size:
                yield self._whole(size)
            elif now_s - self._first_s() > size * self._byte_s + PATIENCE_S:
                yield self._dropped("late", 1)
            else:
                break
        self._times.forget(self._times.position - len(self._held))

    def _size(self) -> int:
        """Bytes of the frame that begins here; of one whose length is still to come, its head."""
        length = self._held[3] if len(self._held) >= HEAD_BYTES else 0
        return HEAD_BYTES + max(length, SENSOR_BYTES) + CHECK_BYTES

    def _whole(self, size: int) -> Heard | Garbled:
        found = parse(bytes(self._held[:size]))
        if isinstance(found, str):
            return self._dropped(found, 1)
        heard = Heard(found, self._first_s())
        del self._held[:size]
        return heard

    def _first_s(self) -> float:
        return self._times.left_s(self._times.position - len(self._held))

    def _dropped(self, why: str, size: int) -> Garbled:
        del self._held[:size]
        return Garbled(why, size)
