"""SPAT of T/CSAE 53-2020 from the signal outlook. Countdowns count from the instant of encoding."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.fields import reference
from rsu_agent.messages.moment import UtcStamp
from rsu_agent.messages.status import UNAVAILABLE, status
from rsu_agent.world.signal import Colour, GroupOutlook, SignalOutlook

UNDEFINED = 36001  # TimeMark: no such time is known
LONGEST = 36000

LIGHTS: dict[Colour, str] = {
    Colour.UNKNOWN: "unavailable",
    Colour.DARK: "dark",
    Colour.RED: "red",
    Colour.RED_FLASH: "flashing-red",
    Colour.RED_YELLOW: "red",  # CSAE has no code for it; it still means stop
    Colour.GREEN: "permissive-green",
    Colour.GREEN_FLASH: "flashing-green",
    Colour.YELLOW: "yellow",
    Colour.YELLOW_FLASH: "flashing-yellow",
}
TIMELESS = frozenset({"unavailable", "dark"})


def spat_value(
    outlook: SignalOutlook,
    table: PhaseTable,
    identity: tuple[int, int | None],
    stamp: UtcStamp | None,
    count: int,
    *,
    now_s: float,
    map_news: Collection[int] = (),
    without_times: frozenset[int] = frozenset(),
) -> dict[str, Any]:
    """One SPAT. identity: (node, region); stamp None: our clock is not trusted; now_s: encoding (monotonic).

    map_news: bits of `status` that tell of a new MAP. without_times: lamp groups whose times are held back.
    """
    by_group = {group.group: group for group in outlook.groups}
    phases = []
    for phase, groups in table.phases.items():
        members = [by_group[group] for group in groups if group in by_group]
        whole = len(members) == len(groups)
        timed = whole and not without_times.intersection(groups)
        phases.append(
            {"id": phase, "phaseStates": [_state(members, table.is_arrow(phase), whole, timed, now_s)]}
        )
    return _frame(phases, status(outlook, map_news), identity, stamp, count)


def unavailable_value(table: PhaseTable, identity: tuple[int, int | None]) -> dict[str, Any]:
    """The ready-made frame of the last resort: nothing is known, no times, no clock, noValidSPAT set."""
    phases = [{"id": phase, "phaseStates": [{"light": "unavailable"}]} for phase in table.phases]
    return _frame(phases, UNAVAILABLE, identity, None, 0)


def _frame(
    phases: list[dict[str, Any]],
    bits: tuple[bytes, int],
    identity: tuple[int, int | None],
    stamp: UtcStamp | None,
    count: int,
) -> dict[str, Any]:
    state: dict[str, Any] = {
        "intersectionId": reference(*identity),
        "status": bits,
    }
    value: dict[str, Any] = {"msgCnt": count}
    if stamp is not None:
        times = {"moy": stamp.minute_of_year, "timeStamp": stamp.millisecond}
        value |= times
        state |= times
    state["phases"] = phases
    value["intersections"] = [state]
    return value


def light(colour: Colour, arrow: bool) -> str:
    """CSAE light of a colour; an arrow's green is protected."""
    return "protected-green" if colour is Colour.GREEN and arrow else LIGHTS[colour]


def _state(
    members: list[GroupOutlook], arrow: bool, whole: bool, timed: bool, now_s: float
) -> dict[str, Any]:
    """One PhaseState; groups that share a phase and differ make it unavailable."""
    lights = {light(member.colour, arrow) for member in members}
    if not whole or len(lights) != 1:
        return {"light": "unavailable"}
    state: dict[str, Any] = {"light": lights.pop()}
    if timed and state["light"] not in TIMELESS:
        counting = _counting(members, now_s)
        if counting:
            state["timing"] = ("counting", counting)
    return state


def _counting(members: list[GroupOutlook], now_s: float) -> dict[str, int] | None:
    """TimeCountingDown of groups that change together; None when no end is known at all."""
    first, *others = members
    least_s, most_s = first.min_end_s, first.max_end_s
    for other in others:
        if (other.likely_end_s is None) != (first.likely_end_s is None):
            return None
        least_s, most_s = _either(min, least_s, other.min_end_s), _either(max, most_s, other.max_end_s)
    if first.likely_end_s is None and (least_s is None or most_s is None):
        return None
    likely = UNDEFINED if first.likely_end_s is None else _tenths(first.likely_end_s - now_s, 1)
    value = {"startTime": 0}
    if least_s is not None:
        value["minEndTime"] = min(likely, LONGEST, max(0, math.floor((least_s - now_s) * 10 + 1e-6)))
    if most_s is not None:
        highest = min(LONGEST, math.ceil((most_s - now_s) * 10 - 1e-6))
        value["maxEndTime"] = max(likely, highest) if likely != UNDEFINED else max(0, highest)
    value["likelyEndTime"] = likely
    if first.confidence is not None and likely != UNDEFINED:
        value["timeConfidence"] = max(0, min(200, round(first.confidence * 200)))
    if first.next_start_s is not None:
        value["nextStartTime"] = _tenths(first.next_start_s - now_s, 0)
        if first.next_duration_s is not None:
            value["nextDuration"] = _tenths(first.next_duration_s, 0)
    return value


def _either(best: Callable[[float, float], float], one: float | None, other: float | None) -> float | None:
    """The better of two, or the one that is there."""
    if one is None or other is None:
        return other if one is None else one
    return best(one, other)


def _tenths(seconds: float, least: int) -> int:
    return max(least, min(LONGEST, round(seconds * 10)))
