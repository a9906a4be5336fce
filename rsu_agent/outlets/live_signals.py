"""Live SPaT from the frame that went on air, read by the guard's own reader. Pure."""

from __future__ import annotations

from typing import Any

from rsu_agent.outlets.rules import Rules
from rsu_agent.outlets.spat_reader import PhaseRead, SpatRead
from rsu_agent.world.signal import Colour

HOLDS_US = 1_500_000  # a second's period and a way to the district
LEAST_US = 300_000  # however near an end is: the change itself is said at once
TENTH_US = 100_000
MOVED_US = 1_000_000  # an end that is foretold so much otherwise is a change

Body = dict[str, Any]


def spat_body(read: SpatRead, rules: Rules, utc_us: int) -> Body:
    """What a frame says. utc_us: when it was handed to the radio; its ends count from there."""
    phases = [_phase(phase, rules, utc_us) for phase in read.phases]
    first = [phase["lo"] or phase["e"] for phase in phases if phase["lo"] or phase["e"]]
    soonest_us = min([end for end in first if end > utc_us], default=utc_us + HOLDS_US)
    until_us = min(utc_us + HOLDS_US, max(utc_us + LEAST_US, soonest_us))
    head = {"k": "spat", "t": utc_us, "u": until_us}
    return {**head, "node": read.node, "rg": read.region, "st": read.status, "ph": phases}


def changed(before: Body | None, now: Body) -> bool:
    """Whether lights, status or a foretold end are others than they were."""
    if before is None or (before["st"], len(before["ph"])) != (now["st"], len(now["ph"])):
        return True
    for old, new in zip(before["ph"], now["ph"], strict=True):
        if (old["p"], old["l"], old["e"] is None) != (new["p"], new["l"], new["e"] is None):
            return True
        if new["e"] is not None and abs(new["e"] - old["e"]) >= MOVED_US:
            return True
    return False


def _phase(phase: PhaseRead, rules: Rules, utc_us: int) -> Body:
    def end(tenths: int | None) -> int | None:
        return None if tenths is None else utc_us + tenths * TENTH_US

    column = rules.column.get(phase.phase, 0)
    colour = next((c for c, codes in rules.lights.items() if codes[column] == phase.light), Colour.UNKNOWN)
    ends = {"e": end(phase.likely), "lo": end(phase.least), "hi": end(phase.most)}
    return {"p": phase.phase, "l": phase.light, "c": str(colour), **ends}
