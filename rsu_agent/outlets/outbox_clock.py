"""What the outbox may believe of its clock: the core's word for it, and that no step was seen lately.

A clock set by hand is found out by chrony at its next measurement only, up to 17 minutes later; until then it
counts as trusted. Against the monotonic clock the step shows at once.
"""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)
HOLD_S = 3600.0  # after a step: several of chrony's longest waits (1024 s)
STEP_S, SLEW = 1.0, 0.1  # chrony slews by 8 % at most


class Vouched:
    """One for all lanes; any thread may look."""

    def __init__(self) -> None:
        self._told_s: float | None = None
        self._began_s = self._looked_s = time.monotonic()
        self._ahead_s = time.time_ns() / 1e9 - self._looked_s
        self._stepped_s: float | None = None

    def told(self, bound_s: float | None) -> None:
        """The core's word: bound of the error against UTC, None where it vouches for nothing."""
        self._look()
        self._told_s = bound_s

    @property
    def bound_s(self) -> float | None:
        """How far our UTC may be off now; None: not known."""
        self._look()
        stepped = self._stepped_s is not None and time.monotonic() - self._stepped_s < HOLD_S
        return None if stepped else self._told_s

    @property
    def tells_age(self) -> bool:
        """Whether something may be deleted because of its age; a start may have followed on a step."""
        return self.bound_s is not None and time.monotonic() - self._began_s >= HOLD_S

    def _look(self) -> None:
        now_s = time.monotonic()
        ahead_s = time.time_ns() / 1e9 - now_s
        moved_s = ahead_s - self._ahead_s
        if abs(moved_s) > STEP_S + SLEW * (now_s - self._looked_s):
            log.warning("the clock was set by %+.1f s: nothing ages for an hour", moved_s)
            self._stepped_s = now_s
        self._ahead_s, self._looked_s = ahead_s, now_s
