"""When a count was reached: a line under all arrivals, because delay only ever adds."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

WINDOW_S = 30.0  # the slope of a crystal is steady for longer; temperature is followed
MOST_POINTS = 1200  # forty frames a second; more would only cost
ENOUGH = 10  # frames before the line is believed
REFIT_EVERY = 10
STEP_S = 0.15  # arrivals later than the line by more than this ...
STEPS = 5  # ... so often in a row are a jump of the counter, not delay
FASTEST_S, SLOWEST_S = 0.01, 1.0  # believable frame periods


class ClockFit:
    """Fits t = a + b * number on the lower envelope of (number, arrival of the first byte).

    least_s, most_s: believable seconds from one number to the next.
    """

    def __init__(self, least_s: float = FASTEST_S, most_s: float = SLOWEST_S) -> None:
        self._least_s, self._most_s = least_s, most_s
        self._points: deque[tuple[int, float]] = deque(maxlen=MOST_POINTS)
        self._line: tuple[float, float] | None = None  # at number 0, and from one number to the next
        self._since_fit = self._late = 0
        self.jitter_s: float | None = None  # mean height of the arrivals above the line
        self.delay_s: float | None = None  # the same of the last arrival

    @property
    def period_s(self) -> float | None:
        """Our seconds from one number to the next."""
        return self._line[1] if self._line else None

    def measured_s(self, number: int, first_byte_s: float) -> float:
        """The instant of `number`, free of the line's jitter; never after its arrival."""
        if self._points and number < self._points[-1][0]:
            self.reset()
        if not self._points or number > self._points[-1][0]:  # sub-frames have one number
            self._points.append((number, first_byte_s))
        while len(self._points) > 1 and first_byte_s - self._points[0][1] > WINDOW_S:
            self._points.popleft()
        self._since_fit += 1
        if len(self._points) >= ENOUGH and (self._line is None or self._since_fit >= REFIT_EVERY):
            self._refit()
        if self._line is None:
            return first_byte_s
        fitted_s = self._line[0] + self._line[1] * number
        self.delay_s = max(0.0, first_byte_s - fitted_s)
        self._late = self._late + 1 if self.delay_s > STEP_S else 0
        if self._late >= STEPS:
            self.reset()
            self._points.append((number, first_byte_s))
            return first_byte_s
        return min(fitted_s, first_byte_s)

    def reset(self) -> None:
        """The counter began anew."""
        self._points.clear()
        self._line, self._late, self._since_fit = None, 0, 0
        self.jitter_s = self.delay_s = None

    def _refit(self) -> None:
        self._line, self._since_fit = self._fitted(), 0
        if self._line is not None:
            start_s, period_s = self._line
            heights = (at_s - start_s - period_s * number for number, at_s in self._points)
            self.jitter_s = sum(heights) / len(self._points)

    def _fitted(self) -> tuple[float, float] | None:
        """The lower convex hull's edge above the middle number: least total distance under all points."""
        hull: list[tuple[int, float]] = []
        for point in self._points:
            while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
                hull.pop()
            hull.append(point)
        middle = sum(number for number, _ in self._points) / len(self._points)
        for (n0, t0), (n1, t1) in pairwise(hull):
            if n0 <= middle <= n1:
                period_s = (t1 - t0) / (n1 - n0)
                return (t0 - n0 * period_s, period_s) if self._least_s <= period_s <= self._most_s else None
        return None


def _turn(a: tuple[int, float], b: tuple[int, float], c: tuple[int, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
