"""What a bad line does to the controller's frames: silence, noise before and in them, frames cut short."""

from __future__ import annotations

import random

NOISE_BYTES = 40


class LineSpoiler:
    """`spoil` gives what is put on the line; a frame that nobody can read any more is not `whole`."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self.silent = self.garbage = self.truncate = False

    def obey(self, name: str, on: bool) -> bool:
        """Set a fault of the line; whether it is one."""
        name = {"silence": "silent"}.get(name, name)
        if name not in ("silent", "garbage", "truncate"):
            return False
        setattr(self, name, on)
        return True

    def spoil(self, frame: bytes) -> tuple[bytes, bool]:
        """(bytes, whole); no bytes while silent."""
        if self.silent:
            return b"", False
        whole = True
        dice = self._random
        if self.garbage and dice.random() < 0.5:
            frame = dice.randbytes(dice.randint(1, NOISE_BYTES)) + frame
        if self.garbage and dice.random() < 0.3:
            whole = False
            at = dice.randrange(len(frame))
            frame = frame[:at] + bytes([frame[at] ^ 0x55]) + frame[at + 1 :]
        if self.truncate and dice.random() < 0.3:
            whole = False
            frame = frame[: dice.randrange(1, len(frame))]
        return frame, whole
