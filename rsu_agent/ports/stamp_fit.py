"""A device's own clock laid onto ours: the least delay of the last minute, because delay only ever adds."""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0  # 50 ppm of skew move the line by 3 ms in it
LONGEST_DELAY_S = 5.0  # more is no delay: somebody set the device's clock


class StampFit:
    """Instants of a device whose clock may be wrong by any amount, but runs.

    `jumps` counts how often its clock was set; the fit then begins anew.
    """

    def __init__(self) -> None:
        self._least: deque[tuple[int, float]] = deque()  # (second of ours, least lag within it)
        self.jumps = 0

    def at_s(self, stamp_s: float, arrived_s: float) -> float:
        """Our monotonic instant of the device's `stamp_s`; never after its arrival, nor 5 s before."""
        lag_s = arrived_s - stamp_s
        least_s = min((least for _, least in self._least), default=lag_s)
        if abs(lag_s - least_s) > LONGEST_DELAY_S:
            self.jumps += 1
            self._least.clear()
            least_s = lag_s
        second = int(arrived_s)
        if self._least and self._least[-1][0] == second:
            self._least[-1] = second, min(lag_s, self._least[-1][1])
        else:
            self._least.append((second, lag_s))
        while self._least[0][0] < arrived_s - WINDOW_S:
            self._least.popleft()
        return stamp_s + min(lag_s, least_s)
