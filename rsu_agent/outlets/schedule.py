"""When SPAT leaves: a fixed 100 ms grid, changes at once as extra frames (field-rules 5.1). Sans-IO."""

from __future__ import annotations

import math
from collections import deque

PERIOD_S = 0.1
# A change so near before a tick waits for it; changes so near each other share a frame. Field-rules 5.1 says
# 20 ms of both, which would have one change in five on air later than the 5 ms asked for.
NEAR_S = 0.003
SHARED_S = 0.008
WINDOW_S = 10.0
MOST_EXTRA = 8


class SpatSchedule:
    """The grid never moves; a stalled host skips ticks and never sends a burst."""

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._tick = 0
        self._extra_s: float | None = None
        self._extras: deque[float] = deque()
        self.skipped = 0

    def next_due_s(self) -> float:
        """When `due` is to be called."""
        tick_s = self._start_s + self._tick * PERIOD_S
        return tick_s if self._extra_s is None else min(tick_s, self._extra_s)

    def changed(self, now_s: float) -> None:
        """Lamps have changed: plan an extra frame unless the next tick will do."""
        if self._extra_s is not None:
            return
        while self._extras and now_s - self._extras[0] > WINDOW_S:
            self._extras.popleft()
        tick_s = self._start_s + self._tick * PERIOD_S
        if tick_s - now_s <= NEAR_S or len(self._extras) >= MOST_EXTRA:
            return
        at_s = now_s
        if self._extras and now_s - self._extras[-1] < SHARED_S:
            at_s = self._extras[-1] + SHARED_S
        if tick_s - at_s > NEAR_S:
            self._extra_s = at_s

    def due(self, now_s: float) -> bool:
        """Whether a frame leaves now; takes note of it."""
        if self._extra_s is not None and now_s >= self._extra_s:
            self._extra_s = None
            self._extras.append(now_s)
            if now_s < self._start_s + self._tick * PERIOD_S:
                return True
        tick_s = self._start_s + self._tick * PERIOD_S
        if now_s < tick_s:
            return False
        passed = math.floor((now_s - self._start_s) / PERIOD_S + 1e-6)
        self.skipped += max(0, passed - self._tick)
        self._tick = passed + 1
        self._extra_s = None
        return True
