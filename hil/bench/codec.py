"""SPAT frames encoded and decoded by the generated codec, against asn1tools in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from rsu_agent.messages.csae53 import codec as ours
from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.spat import spat_value
from rsu_agent.world.signal import Colour, Control, GroupOutlook, SignalOutlook

PHASES = 13
ROUNDS = 300
BEST_OF = 3


def codec(_seed: int) -> dict[str, Any]:
    """Microseconds for one encode and one decode of a full SPAT; ratio = theirs / ours."""
    import asn1tools

    schema = files("rsu_agent.messages.csae53") / "schema.asn"
    theirs = asn1tools.compile_string(schema.read_text(), "uper")
    groups = tuple(GroupOutlook(n, Colour.RED, 90.0, 105.0, 106.0, 107.0, 0.9) for n in range(1, PHASES + 1))
    table = PhaseTable({n: (n,) for n in range(1, PHASES + 1)})
    outlook = SignalOutlook(100.0, groups, Control.FIXED_TIME, 1, 1)
    value = ("spatFrame", spat_value(outlook, table, (12, 0), None, 5, now_s=100.0))
    frame = ours.encode(value)
    if theirs.encode("MessageFrame", value) != frame:
        raise AssertionError("asn1tools gives other bytes: nothing to compare")
    ours_us = _micros(lambda: ours.decode(ours.encode(value)))
    theirs_us = _micros(lambda: theirs.decode("MessageFrame", theirs.encode("MessageFrame", value)))
    return {
        "spat_us": ours_us,
        "asn1tools_spat_us": theirs_us,
        "ratio": round(theirs_us / ours_us, 2),
        "frame_bytes": len(frame),
    }


def _micros(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(BEST_OF):
        began_s = time.perf_counter()
        for _ in range(ROUNDS):
            work()
        best = min(best, (time.perf_counter() - began_s) / ROUNDS)
    return round(best * 1e6, 1)
