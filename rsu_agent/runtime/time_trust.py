"""Whether our clock may be told to others (field-rules 3.6): bound, age, hysteresis. Sans-IO."""

from __future__ import annotations

from rsu_agent.messages.moment import Instant, near_leap
from rsu_agent.world.health import TimeQuality

LEAPS = {"insert": 1, "delete": -1}
LIMIT_S = 0.020
RETURN_S = 0.010  # hysteresis: trust comes back below this
UNSYNCHRONISED_S = 60.0


class TimeTrust:
    """Fed with readings; a clock nobody has read lately coasts and its bound grows by the site's drift."""

    def __init__(self, drift_ppm: float) -> None:
        self._drift = drift_ppm * 1e-6
        self._newest: TimeQuality | None = None
        self._synchronised_s: float | None = None
        self._trusted = False

    def read(self, quality: TimeQuality) -> None:
        """A new reading. One without a bound, or unsynchronised, does not replace the last good one's age."""
        if quality.synchronised and quality.bound_s is not None:
            self._synchronised_s = quality.read_s
            self._newest = quality
        elif self._newest is None:
            self._newest = quality

    def bound_s(self, now_s: float) -> float | None:
        """How far our UTC may be off now; None: not known."""
        if self._newest is None or self._newest.bound_s is None:
            return None
        return self._newest.bound_s + self._drift * max(0.0, now_s - self._newest.read_s)

    def trusted(self, now_s: float) -> bool:
        """Whether message times may go on air."""
        bound_s = self.bound_s(now_s)
        fresh = self._synchronised_s is not None and now_s - self._synchronised_s <= UNSYNCHRONISED_S
        limit_s = LIMIT_S if self._trusted else RETURN_S
        self._trusted = bound_s is not None and fresh and bound_s <= limit_s
        return self._trusted

    def instant(self, now_s: float, utc_s: float) -> Instant:
        """Both clocks at this instant, UTC only while it is trusted and no leap second is about to happen."""
        leap = LEAPS.get(self._newest.leap, 0) if self._newest else 0
        trusted = self.trusted(now_s) and not near_leap(utc_s, leap)
        return Instant(now_s, utc_s if trusted else None, leap)

    @property
    def source(self) -> str:
        """Where the newest reading came from."""
        return self._newest.source if self._newest else "none"
