"""Points at which a chaos run lets a process kill itself: RSU_CHAOS_POINT=name:count; unset, nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

VARIABLE = "RSU_CHAOS_POINT"
POINTS = ("append", "commit", "publish", "ack", "delete", "receive", "store", "reply")


def armed(told: str | None, die: Callable[[], None]) -> Callable[[str], None]:
    """What to call at a point: `die` when the named one is passed the count-th time; else nothing at all.

    append, commit, publish, ack, delete are the edge's (stored but not committed, committed but not told,
    handed to the broker, acknowledgement heard, rows deleted but not committed); receive, store, reply the
    district's. Raises ValueError for a point that nobody passes: such a run would prove nothing.
    """
    if not told:
        return lambda _name: None
    point, _, count = told.partition(":")
    if point not in POINTS:
        raise ValueError(f"{VARIABLE}: no point {point!r}; there are {', '.join(POINTS)}")
    left, lock = [int(count or 1)], threading.Lock()

    def passed(name: str) -> None:
        if name == point:
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    die()

    return passed


def _kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


chaos_point = armed(os.environ.get(VARIABLE), _kill_myself)
