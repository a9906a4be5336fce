"""Finding UMRR-0C frames: a plausible head, a payload that can be walked, a check that is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.umrr0c.settings import Settings
from drivers.umrr0c.wire import Message, messages
from rsu_agent.wire.byte_times import ByteTimes
from rsu_agent.wire.crc import Crc16

MARK = 0x7E
HEADS = range(5, 33)  # believable lengths of a head
FIXED_HEAD = 5  # mark, version, length of the head, length of the payload
LARGEST_PAYLOAD = 4096
CHECK_BYTES = 2
LARGEST_BYTES = HEADS[-1] + LARGEST_PAYLOAD + CHECK_BYTES
PATIENCE_S = 0.25  # beyond the time its bytes take: then its head was no head


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. checked: its CRC holds by the site file's rule."""

    messages: tuple[Message, ...]
    checked: bool
    first_byte_s: float


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise, walk, late or check."""

    why: str
    size: int


class Deframer:
    """Bytes and time in, frames out. A mark inside a payload restarts nothing; a head that lies does."""

    def __init__(self, settings: Settings) -> None:
        self._byte_s = settings.line("listener").byte_s
        self._crc = Crc16(settings.crc_polynomial, settings.crc_initial)
        self._crc_from, self._confirmed = settings.crc_from, settings.crc_confirmed
        self._times = ByteTimes(self._byte_s)
        self._held = bytearray()

    @property
    def kept_bytes(self) -> int:
        """What waits for the rest of a frame."""
        return len(self._held)

    def receive(self, data: bytes, now_s: float) -> Iterator[Frame | Garbled]:
        """Take a chunk read at now_s."""
        self._times.add(len(data), now_s)
        self._held += data
        while self._held:
            noise = self._held.find(MARK)
            if noise:
                yield self._dropped("noise", len(self._held) if noise < 0 else noise)
                continue
            size = self._size()
            if size is None or len(self._held) < (size or 1):
                if now_s - self._first_s() <= (size or FIXED_HEAD) * self._byte_s + PATIENCE_S:
                    break
                yield self._dropped("late", 1)
            elif size == 0:
                yield self._dropped("noise", 1)
            else:
                yield self._whole(size)
        self._times.forget(self._times.position - len(self._held))

    def _size(self) -> int | None:
        """Bytes of the frame that begins here; 0: none does; None: its head is not whole."""
        held = self._held
        if len(held) > 2 and held[2] not in HEADS:
            return 0
        if len(held) < FIXED_HEAD:
            return None
        payload = held[3] << 8 | held[4]
        return held[2] + payload + CHECK_BYTES if payload <= LARGEST_PAYLOAD else 0

    def _whole(self, size: int) -> Frame | Garbled:
        """What the frame of this size at the buffer's start is."""
        raw = bytes(self._held[:size])
        found = messages(raw[raw[2] : -CHECK_BYTES])
        if not found:  # an empty payload would make a frame of seven bytes of noise
            return self._dropped("walk", 1)
        checked = self._check_holds(raw)
        if self._confirmed and not checked:
            return self._dropped("check", 1)
        frame = Frame(tuple(found), checked, self._first_s())
        del self._held[:size]
        return frame

    def _check_holds(self, raw: bytes) -> bool:
        begins = {"mark": 0, "version": 1, "payload": raw[2]}[self._crc_from]
        return self._crc.of(raw[begins:-CHECK_BYTES]) == int.from_bytes(raw[-CHECK_BYTES:], "big")

    def _first_s(self) -> float:
        return self._times.left_s(self._times.position - len(self._held))

    def _dropped(self, why: str, size: int) -> Garbled:
        del self._held[:size]
        return Garbled(why, size)
