"""How many pictures a second a camera gives, against how many it should. Sans-IO."""

from __future__ import annotations

import statistics

WINDOW_S = 10.0
GAP_S = 1.0  # after a longer silence the camera was away: it is measured anew
LEARNT_FROM, FASTER = 6, 1.1  # windows; a camera that learnt its rate on a bad day learns again


class FrameRate:
    """One camera. expected_hz None: learnt from the first minute. share: of it below which it is slow."""

    def __init__(self, expected_hz: float | None = None, share: float = 0.6) -> None:
        self._told, self._share = expected_hz is not None, share
        self.expected_hz = expected_hz
        self.rate_hz: float | None = None  # of the last whole window
        self._windows: list[float] = []
        self._began_s: float | None = None
        self._last_s = 0.0
        self._pictures = 0

    @property
    def slow(self) -> bool:
        """Whether the last whole window had too few pictures."""
        if self.rate_hz is None or self.expected_hz is None:
            return False
        return self.rate_hz < self._share * self.expected_hz

    def saw(self, now_s: float) -> None:
        """A picture has arrived."""
        if self._began_s is None or now_s - self._last_s > self._longest_gap_s():
            self._began_s, self._pictures, self.rate_hz = now_s, 0, None
        else:
            self._pictures += 1
        self._last_s = now_s
        if now_s - self._began_s >= WINDOW_S:
            self.rate_hz = self._pictures / (now_s - self._began_s)
            self._learn(self.rate_hz)
            self._began_s, self._pictures = now_s, 0

    def restore(self, expected_hz: float) -> None:
        """What was learnt before a restart; a setting stands above it."""
        if not self._told:
            self.expected_hz = expected_hz

    def _longest_gap_s(self) -> float:
        """Pictures of a slow camera lie far apart, too."""
        return GAP_S if self.expected_hz is None else max(GAP_S, 10.0 / self.expected_hz)

    def _learn(self, rate_hz: float) -> None:
        if self._told:
            return
        self._windows = [*self._windows, rate_hz][-LEARNT_FROM:]
        if len(self._windows) < LEARNT_FROM:
            return
        usual_hz = statistics.median(self._windows)
        if self.expected_hz is None or min(self._windows) > FASTER * self.expected_hz:
            self.expected_hz = usual_hz
