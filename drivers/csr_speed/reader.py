"""Speeds out of a stream that may have no framing at all. Configuration replies are taken out whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from drivers.csr_speed.wire import (
    ASCII_BYTES,
    CLOSES,
    IDLE,
    LEAST_KMH,
    LONGEST_REPLY,
    MOST_KMH,
    OPENS,
    POWER_ON,
    SIGNS,
    WAYS,
    Garbled,
    Kmh,
    PowerOn,
    Reply,
)

Format = Literal["byte", "two_bytes", "ascii"]
Found = Kmh | Reply | PowerOn | Garbled

GAP_S = 0.02  # bytes of one reply follow on each other's heels; speeds come every 26 ms
NETWORK_GAP_S = 0.15  # serial servers cut as they like
WORDS = {"byte": 1, "two_bytes": 2, "ascii": ASCII_BYTES}


class Reader:
    """Bytes and time in, speeds and replies out."""

    def __init__(self, form: Format, gap_s: float = GAP_S) -> None:
        self._form: Format = form
        self._gap_s = gap_s
        self._held = bytearray()
        self._last_s = float("-inf")

    @property
    def kept_bytes(self) -> int:
        """What waits for the rest of a word."""
        return len(self._held)

    def receive(self, data: bytes, now_s: float) -> Iterator[Found]:
        """Take a chunk read at now_s."""
        if self._held and now_s - self._last_s > self._gap_s:
            yield from self._cut_off()
        self._last_s = now_s
        self._held += data
        while self._held:
            found, size = self._first(now_s)
            if found is None:
                return
            del self._held[:size]
            yield found

    def _cut_off(self) -> Iterator[Found]:
        """The rest of what was begun did not come."""
        yield Garbled("reply" if self._held[0] == OPENS else "noise", len(self._held))
        self._held.clear()

    def _first(self, now_s: float) -> tuple[Found | None, int]:
        """What the held bytes begin with, and its size; None: more must come."""
        held = self._held
        if held[0] == OPENS:
            return self._reply()
        if held[0] == POWER_ON[0]:
            begun = POWER_ON.startswith(bytes(held[: len(POWER_ON)]))
            if begun and len(held) < len(POWER_ON):
                return None, 0
            return (PowerOn(), len(POWER_ON)) if begun else (Garbled("noise", 1), 1)
        word = WORDS[self._form]
        if not self._begins(held[0]):
            return Garbled("range" if self._form == "byte" else "noise", 1), 1
        return self._word(now_s, word) if len(held) >= word else (None, 0)

    def _begins(self, byte: int) -> bool:
        """Whether a word of this format may begin so."""
        match self._form:
            case "byte":
                return byte == IDLE or LEAST_KMH <= byte <= MOST_KMH
            case "two_bytes":
                return byte in WAYS
            case "ascii":
                return byte in SIGNS

    def _word(self, now_s: float, size: int) -> tuple[Found, int]:
        held = self._held
        if self._form == "byte":
            return Kmh(held[0], None, now_s), 1
        if self._form == "two_bytes":
            good = held[1] == IDLE or LEAST_KMH <= held[1] <= MOST_KMH
            return (Kmh(held[1], WAYS[held[0]], now_s), 2) if good else (Garbled("range", 1), 1)
        digits = bytes(held[1:size])
        if not digits.isdigit() or int(digits) > MOST_KMH:
            return Garbled("digits", 1), 1
        return Kmh(int(digits), SIGNS[held[0]], now_s), size

    def _reply(self) -> tuple[Found | None, int]:
        """FA, a command 3x, data, FB; anything else makes FA noise."""
        held = self._held
        if len(held) > 1 and held[1] >> 4 != 3:
            return Garbled("noise", 1), 1
        end = held.find(CLOSES, 2, LONGEST_REPLY)
        if end >= 0:
            return Reply(bytes(held[1:end])), end + 1
        if any(byte > MOST_KMH for byte in held[1:LONGEST_REPLY]) or len(held) >= LONGEST_REPLY:
            return Garbled("noise", 1), 1
        return None, 0
