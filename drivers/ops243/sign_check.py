"""Does the sign of the speed agree with the range? Which way is positive is recalled, not read."""

from __future__ import annotations

LEAST_MPS = 1.5  # slower than this the range's own noise decides
LEAST_S, MOST_S = 0.2, 2.0  # between two ranges that are compared
LARGEST_STEP_MPS = 60.0  # a jump to another vehicle
VERDICTS = 12  # comparisons looked back on
MISMATCHES = 10  # of them against the sign: no accident


class SignCheck:
    """Fed with pairs of speed (away positive) and range; `mismatch` while most contradict."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None  # (range, instant)
        self._verdicts: list[bool] = []
        self.mismatch = False

    def see(self, away_mps: float, range_m: float, at_s: float) -> None:
        """One speed with its range."""
        if self._last is None or at_s - self._last[1] > MOST_S or at_s < self._last[1]:
            self._last = range_m, at_s
            return
        passed_s = at_s - self._last[1]
        if passed_s < LEAST_S:
            return
        trend_mps = (range_m - self._last[0]) / passed_s
        self._last = range_m, at_s
        if min(abs(trend_mps), abs(away_mps)) < LEAST_MPS or abs(trend_mps) > LARGEST_STEP_MPS:
            return
        self._verdicts = [*self._verdicts[1 - VERDICTS :], trend_mps * away_mps > 0]
        wrong = self._verdicts.count(False)
        if wrong >= MISMATCHES:
            self.mismatch = True
        elif len(self._verdicts) == VERDICTS and wrong <= VERDICTS - MISMATCHES:
            self.mismatch = False
