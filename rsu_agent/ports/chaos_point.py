"""Where a chaos run kills this process: `RSU_CHAOS_POINT=name:count`; without it nothing happens."""

from __future__ import annotations

import os
import signal

_name, _, _count = os.environ.get("RSU_CHAOS_POINT", "").partition(":")
_left = int(_count or 1)


def chaos_point(name: str) -> None:
    """Passed by; the count-th time at the named point ends the process as a power cut would."""
    global _left
    if name != _name:
        return
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
