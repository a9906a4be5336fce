"""What a bad line does to the controller's frames (facts/controllers 10), each fault switched on and off."""

from __future__ import annotations

import random

NOISE_BYTES = 40
FLOOD_BYTES = 4096
START, END, ESCAPE = b"\x7e", b"\x7d", b"\x5c"
FORMER = {"silent": "silence"}
# fault -> share of frames that it strikes
SHARES = {
    "garbage": 0.5,  # noise before a frame, and a byte broken in some
    "truncate": 0.3,  # cut anywhere
    "no_end": 0.3,  # the last byte is missing
    "doubled_start": 0.5,  # the first byte comes twice
    "bad_check": 0.3,  # a bit of the check is wrong
    "cut_in_escape": 0.3,  # cut right behind an escape byte
    "flood": 0.05,  # four kilobytes without a start before the frame
}
MERGED = 0.5  # share of frames that are held back and sent together with the next
FAULTS = ("silence", "merge", *SHARES)


class LineSpoiler:
    """`spoil` gives what is put on the line; a frame that nobody can read any more is not `whole`."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self._held = b""
        self.on: set[str] = set()

    def obey(self, name: str, on: bool) -> bool:
        """Set a fault of the line; whether it is one."""
        name = FORMER.get(name, name)
        if name not in FAULTS:
            return False
        (self.on.add if on else self.on.discard)(name)
        return True

    def spoil(self, frame: bytes) -> tuple[bytes, bool]:
        """(bytes, whole); no bytes while silent."""
        if "silence" in self.on:
            self._held = b""
            return b"", False
        before, whole = b"", True
        for fault in SHARES:
            if fault in self.on and self._random.random() < SHARES[fault]:
                more, frame, unbroken = getattr(self, f"_{fault}")(frame)
                before, whole = before + more, whole and unbroken
        held, self._held = self._held, b""
        if "merge" in self.on and not held and self._random.random() < MERGED:
            self._held = before + frame
            return b"", False
        return held + before + frame, whole

    def _garbage(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        dice = self._random
        noise = dice.randbytes(dice.randint(1, NOISE_BYTES))
        if dice.random() < 0.3:
            at = dice.randrange(len(frame))
            return noise, frame[:at] + bytes([frame[at] ^ 0x55]) + frame[at + 1 :], False
        return noise, frame, True

    def _truncate(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        return b"", frame[: self._random.randrange(1, max(2, len(frame)))], False

    def _no_end(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        return b"", frame[:-1], False

    def _doubled_start(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        return frame[:1], frame, True

    def _bad_check(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        if len(frame) < 3:
            return b"", frame, True
        return b"", frame[:-2] + bytes([frame[-2] ^ 0x01]) + frame[-1:], False

    def _cut_in_escape(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        at = frame.find(ESCAPE)
        return b"", frame[: at + 1] if at > 0 else frame[:-1] + ESCAPE, False

    def _flood(self, frame: bytes) -> tuple[bytes, bytes, bool]:
        noise = bytes(b for b in self._random.randbytes(FLOOD_BYTES) if bytes([b]) not in (START, END))
        return noise, frame, True
