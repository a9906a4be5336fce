"""The radar's own count of cycles: its step is learnt, as it is 2 on the units that were recorded."""

from __future__ import annotations

from collections import Counter, deque

COUNTS = 1 << 16
LOOKED_BACK = 32  # differences
ENOUGH = 5  # of them before the step is believed
MOST_MISSED = 1000  # cycles; a larger step is a restart of the radar, not a loss


class MissedCycles:
    """How many cycles were lost before each one that came."""

    def __init__(self, counters: Counter[str]) -> None:
        self._last: int | None = None
        self._steps: deque[int] = deque(maxlen=LOOKED_BACK)
        self.counters = counters

    @property
    def step(self) -> int | None:
        """The commonest difference of late, None as long as it is not known."""
        if len(self._steps) < ENOUGH:
            return None
        return Counter(self._steps).most_common(1)[0][0]

    def before(self, number: int) -> int:
        """Cycles lost between the last one and this one, 0 while that cannot be known."""
        last, self._last = self._last, number
        if last is None:
            return 0
        step = (number - last) % COUNTS
        if step == 0:
            self.counters["count_stands"] += 1
            return 0
        self._steps.append(step)
        usual = self.step
        if usual is None:
            return 0
        lost, rest = divmod(step, usual)
        if rest or lost > MOST_MISSED:
            self.counters["count_jumps"] += 1
            return 0
        self.counters["missed"] += lost - 1
        return lost - 1
