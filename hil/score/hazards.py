"""Scripted hazards against what the district holds and what was on air."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hil.score.tracks import TruthUsers

PLACE_M, ONSET_S, ON_AIR_M = 3.0, 2.0, 2.5
CYCLE_S = 0.15  # the RSM cycle nearest to an onset is no farther away
LASTS_S = 30.0
LASTING = {"wrong_way": 904, "stopped_vehicle": 412}


def score_hazards(
    events: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
    cycles: Sequence[tuple[float, list[tuple[float, float, int]]]],
    rsi: Sequence[tuple[float, set[int]]],
    truth: TruthUsers,
    utc_less_monotonic_s: float,
    seconds: float,
) -> dict[str, Any]:
    """events: truth; records: the district's events; rsi: (arrival, event codes in it)."""
    onsets = [event for event in events if event["edge"] == "onset"]
    begun = [record for record in records if record.get("end") is None]
    used: set[int] = set()
    detected = []
    for event in onsets:
        match = _match(event, begun, used, truth, utc_less_monotonic_s)
        if match is not None:
            used.add(match)
            if _on_air(event, cycles, rsi):
                detected.append(event["kind"])
    return {
        "expected": len(onsets) if seconds >= 60 else None,
        "detected": len(detected) if seconds >= 60 else None,
        "kinds": sorted(detected),
        "false": len(begun) - len(used) + len(_unfounded(onsets, begun, rsi)),
    }


def _unfounded(
    onsets: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
    rsi: Sequence[tuple[float, set[int]]],
) -> set[int]:
    """Codes on air that neither the truth nor any record (which is judged by itself) accounts for."""
    known = {LASTING.get(told["kind"]) for told in [*onsets, *records]}
    return {code for _, codes in rsi for code in codes if code not in known}


def _match(
    event: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    used: set[int],
    truth: TruthUsers,
    offset_s: float,
) -> int | None:
    """The record of this hazard: kind, within 3 m of its user at the record's onset, at most 2 s late.

    Late against the instant at which the rule's condition was true of a user that the sensors could see.
    """
    seen_s = truth.countable_from(event["user"], event["t"])
    true_s = max(event["sure_t"], seen_s) if seen_s is not None else event["sure_t"]
    for i, record in enumerate(records):
        if i in used or record["kind"] != event["kind"]:
            continue
        at_s = record["t"] / 1e6 - offset_s
        place = truth.place(event["user"], at_s)
        near = place is not None and math.dist(place, (record["x"], record["y"])) <= PLACE_M
        if near and event["t"] - ONSET_S <= at_s <= true_s + ONSET_S:
            return i
    return None


def _on_air(
    event: Mapping[str, Any],
    cycles: Sequence[tuple[float, list[tuple[float, float, int]]]],
    rsi: Sequence[tuple[float, set[int]]],
) -> bool:
    """RSI of its code while it may last; for those who move by, a participant where they are at onset."""
    code = LASTING.get(event["kind"])
    if code is not None:
        return any(code in codes and 0 <= t - event["t"] <= LASTS_S for t, codes in rsi)
    at_onset = min(cycles, key=lambda cycle: abs(cycle[0] - event["t"]), default=None)
    if at_onset is None or abs(at_onset[0] - event["t"]) > CYCLE_S:
        return False
    return any(math.dist((x, y), (event["x"], event["y"])) <= ON_AIR_M for x, y, _ in at_onset[1])
