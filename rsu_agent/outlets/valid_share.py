"""How much of the last ten minutes SPAT said something: a box that never does keeps no promise either."""

from __future__ import annotations

from collections import deque

WINDOW_S = 600.0
LONGEST_S = 0.3  # what was said holds so long where nothing follows


class ValidShare:
    """Told at every tick whether SPAT says something. Monotonic seconds."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float, bool]] = deque()  # (end, seconds, valid), 1 s or longer each
        self._last: tuple[float, bool] | None = None
        self._valid_s = self._all_s = 0.0

    def saw(self, now_s: float, *, valid: bool) -> None:
        """At this instant."""
        if self._last is not None:
            since_s, said = self._last
            held_s = min(now_s - since_s, LONGEST_S) if said else 0.0
            self._add(now_s, held_s, valid=True)
            self._add(now_s, now_s - since_s - held_s, valid=False)
        self._last = now_s, valid
        while self._spans and now_s - self._spans[0][0] > WINDOW_S:
            _, seconds, said = self._spans.popleft()
            self._all_s -= seconds
            self._valid_s -= seconds if said else 0.0

    @property
    def share(self) -> float | None:
        """None before anything was told."""
        return min(1.0, max(0.0, self._valid_s / self._all_s)) if self._all_s > 0 else None

    def _add(self, now_s: float, seconds: float, *, valid: bool) -> None:
        if seconds <= 0.0:
            return
        self._all_s += seconds
        self._valid_s += seconds if valid else 0.0
        if self._spans and self._spans[-1][2] is valid and self._spans[-1][1] < 1.0:
            _, before_s, _ = self._spans.pop()
            seconds += before_s
        self._spans.append((now_s, seconds, valid))
