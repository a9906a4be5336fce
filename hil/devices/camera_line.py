"""The line between camera and network: pictures in order, each held as long as the line is slow."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture on the line: when it left the camera, and when the line gives its first byte."""

    frame: int
    jpeg: bytes
    left_s: float
    due_s: float


class Line:
    """Pictures put in at one end come out `delay_s` later; who comes late gets the newest only."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._on_line: deque[Shown] = deque()
        self._out = Shown(-1, b"", 0.0, 0.0)
        self.delay_s = 0.0

    @property
    def newest(self) -> bytes:
        """The newest picture that has come out."""
        with self._changed:
            self._advance(time.monotonic())
            return self._out.jpeg

    def put(self, frame: int, jpeg: bytes) -> None:
        """A picture leaves the camera now."""
        with self._changed:
            left_s = time.monotonic()
            self._on_line.append(Shown(frame, jpeg, left_s, left_s + self.delay_s))
            self._changed.notify_all()

    def after(self, frame: int) -> Shown:
        """Wait for a picture that is not this one to come out."""
        with self._changed:
            while True:
                now_s = time.monotonic()
                self._advance(now_s)
                if self._out.frame != frame:
                    return self._out
                self._changed.wait(self._on_line[0].due_s - now_s if self._on_line else None)

    def _advance(self, now_s: float) -> None:
        while self._on_line and self._on_line[0].due_s <= now_s:
            self._out = self._on_line.popleft()
