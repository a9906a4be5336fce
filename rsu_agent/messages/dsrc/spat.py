"""SPAT of ISO/TS 19091 and SAE J2735 from the signal outlook. Times are tenths within the UTC hour."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from rsu_agent.messages.dsrc.units import Edition, mark
from rsu_agent.messages.fields import reference
from rsu_agent.messages.moment import Instant, UtcStamp
from rsu_agent.messages.status import UNAVAILABLE, status
from rsu_agent.world.signal import Colour, GroupOutlook, SignalOutlook

HIGHEST_GROUP = 254  # SignalGroupID 0 is unknown, 255 a permanent green


class Right(StrEnum):
    """What a group's green gives, which the connections that it serves tell (field-rules 2.2)."""

    PROTECTED = "protected"
    PERMISSIVE = "permissive"
    WALK = "walk"  # pedestrians: protected, and their flashing green is clearance (field-rules 2.3)


STATES: dict[Colour, str] = {
    Colour.UNKNOWN: "unavailable",
    Colour.DARK: "dark",
    Colour.RED: "stop-And-Remain",
    Colour.RED_FLASH: "stop-Then-Proceed",
    Colour.RED_YELLOW: "pre-Movement",
    Colour.YELLOW_FLASH: "caution-Conflicting-Traffic",
}
STATES_BY_RIGHT: dict[tuple[Colour, Right], str] = {
    (Colour.GREEN, Right.PROTECTED): "protected-Movement-Allowed",
    (Colour.GREEN, Right.PERMISSIVE): "permissive-Movement-Allowed",
    (Colour.GREEN, Right.WALK): "protected-Movement-Allowed",
    (Colour.GREEN_FLASH, Right.PROTECTED): "protected-Movement-Allowed",
    (Colour.GREEN_FLASH, Right.PERMISSIVE): "permissive-Movement-Allowed",
    (Colour.GREEN_FLASH, Right.WALK): "protected-clearance",
    (Colour.YELLOW, Right.PROTECTED): "protected-clearance",
    (Colour.YELLOW, Right.PERMISSIVE): "permissive-clearance",
    (Colour.YELLOW, Right.WALK): "protected-clearance",
}
TIMELESS = frozenset({"unavailable", "dark"})
ENDS = frozenset({"minEndTime", "maxEndTime", "likelyTime"})


def spat_value(
    outlook: SignalOutlook,
    rights: Mapping[int, Right],
    identity: tuple[int, int | None],
    revision: int,
    instant: Instant,
    *,
    edition: Edition = Edition.ISO_19091,
    map_news: Collection[int] = (),
    without_times: Collection[int] = (),
) -> dict[str, Any]:
    """One SPAT with every group of `rights`, a movement each. identity: (node, region).

    Without a trusted clock in `instant` neither times nor stamps are said (field-rules 3.6).
    map_news: bits of `status` that tell of a new MAP. without_times: lamp groups whose times the guard holds
    back. Raises ValueError: group without number.
    """
    by_group = {group.group: group for group in outlook.groups}
    timed = set() if instant.utc_s is None else by_group.keys() - set(without_times)
    states = [
        _movement(number, by_group.get(number), right, instant if number in timed else None, edition)
        for number, right in sorted(rights.items())
    ]
    return _message(states, status(outlook, map_news), identity, revision, instant.stamp)


def unavailable_value(
    rights: Mapping[int, Right], identity: tuple[int, int | None], revision: int
) -> dict[str, Any]:
    """The ready-made message of the last resort: nothing is known, no times, no clock, noValidSPAT set."""
    states = [
        _movement(number, None, right, None, Edition.ISO_19091) for number, right in sorted(rights.items())
    ]
    return _message(states, UNAVAILABLE, identity, revision, None)


def _message(
    states: list[dict[str, Any]],
    bits: tuple[bytes, int],
    identity: tuple[int, int | None],
    revision: int,
    stamp: UtcStamp | None,
) -> dict[str, Any]:
    state: dict[str, Any] = {
        "id": reference(*identity),
        "revision": revision,
        "status": bits,
    }
    message: dict[str, Any] = {}
    if stamp is not None:
        message["timeStamp"] = stamp.minute_of_year
        state |= {"moy": stamp.minute_of_year, "timeStamp": stamp.millisecond}
    return message | {"intersections": [state | {"states": states}]}


def _movement(
    number: int, outlook: GroupOutlook | None, right: Right, instant: Instant | None, edition: Edition
) -> dict[str, Any]:
    if not 0 < number <= HIGHEST_GROUP:
        raise ValueError(f"lamp group {number} has no SignalGroupID: 1 to {HIGHEST_GROUP}")
    colour = Colour.UNKNOWN if outlook is None else outlook.colour
    event: dict[str, Any] = {"eventState": STATES.get(colour) or STATES_BY_RIGHT[colour, right]}
    if outlook is None or instant is None or event["eventState"] in TIMELESS:
        timing = {}
    else:
        timing = _timing(outlook if right is Right.WALK else _one_green(outlook), instant, edition)
    return {"signalGroup": number, "state-time-speed": [event | ({"timing": timing} if timing else {})]}


def _one_green(outlook: GroupOutlook) -> GroupOutlook:
    """A vehicle's green and the flash after it are one state here: it ends when the flash does.

    Of a flash that is not known the least end alone still holds.
    """
    if outlook.colour is Colour.GREEN_FLASH:
        return replace(outlook, since_s=None, next_start_s=None)
    if outlook.colour is not Colour.GREEN:
        return outlook
    flash_s = outlook.flash_s
    if flash_s is None:
        return replace(outlook, likely_end_s=None, max_end_s=None)
    ends = (outlook.min_end_s, outlook.likely_end_s, outlook.max_end_s)
    least_s, likely_s, most_s = (None if end_s is None else end_s + flash_s for end_s in ends)
    return replace(outlook, min_end_s=least_s, likely_end_s=likely_s, max_end_s=most_s)


def _timing(outlook: GroupOutlook, instant: Instant, edition: Edition) -> dict[str, int]:
    """TimeChangeDetails; none when no end is known at all. minEndTime must be there, be it as unknown.

    An end is never before now, the likely one a tenth ahead until evidence says otherwise (field-rules 3.3).
    """
    soonest_s = instant.now_s
    likely_s = _later(outlook.likely_end_s, soonest_s + 0.1)
    least_s = _later(outlook.min_end_s, soonest_s)
    most_s = _later(outlook.max_end_s, likely_s or soonest_s)
    marks = {
        "startTime": mark(instant, outlook.since_s, edition),
        "minEndTime": mark(instant, least_s, edition, math.floor),
        "maxEndTime": mark(instant, most_s, edition, math.ceil),
        "likelyTime": mark(instant, likely_s, edition),
        "nextTime": mark(instant, outlook.next_start_s, edition),
    }
    known = {name: number for name, number in marks.items() if number is not None}
    if known.keys().isdisjoint(ENDS):
        return {}
    return {"minEndTime": edition.unknown_mark} | known


def _later(at_s: float | None, least_s: float) -> float | None:
    return None if at_s is None else max(at_s, least_s)
