"""A bucket of tokens: so much a second on the mean, so much at once."""

from __future__ import annotations


class Bucket:
    """Full at first. Monotonic seconds."""

    def __init__(self, per_s: float, at_once: float, now_s: float) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._held, self._at_s = at_once, now_s

    def take(self, count: float, now_s: float, leave: float = 0.0) -> bool:
        """Take so many, if they are there and so many are left then."""
        self._held = min(self._at_once, self._held + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._held < count + leave:
            return False
        self._held -= count
        return True
