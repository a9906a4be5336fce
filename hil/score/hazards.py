"""Scripted hazards against what the district holds and what was on air."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

PLACE_M, ONSET_S, ON_AIR_M = 3.0, 2.0, 2.5
LASTING = {"wrong_way": 904, "stopped_vehicle": 412}


def score_hazards(
    events: Sequence[Mapping[str, Any]],
    records: Sequence[Mapping[str, Any]],
    cycles: Sequence[tuple[float, list[tuple[float, float, int]]]],
    rsi: Sequence[tuple[float, set[int]]],
    utc_less_monotonic_s: float,
    seconds: float,
) -> dict[str, Any]:
    """events: truth; records: the district's events; rsi: (arrival, event codes in it)."""
    onsets = [event for event in events if event["edge"] == "onset"]
    begun = [record for record in records if record.get("end") is None]
    used: set[int] = set()
    detected = []
    for event in onsets:
        match = _match(event, begun, used, utc_less_monotonic_s)
        if match is not None:
            used.add(match)
            if _on_air(event, cycles, rsi):
                detected.append(event["kind"])
    return {
        "expected": len(onsets) if seconds >= 60 else None,
        "detected": len(detected) if seconds >= 60 else None,
        "kinds": sorted(detected),
        "false": len(begun) - len(used),
    }


def _match(
    event: Mapping[str, Any], records: Sequence[Mapping[str, Any]], used: set[int], offset_s: float
) -> int | None:
    """The record of this hazard: kind, within 3 m, onset at most 2 s after the condition is true."""
    for i, record in enumerate(records):
        if i in used or record["kind"] != event["kind"]:
            continue
        late = record["t"] / 1e6 - offset_s - event["sure_t"]
        near = math.hypot(record["x"] - event["x"], record["y"] - event["y"]) <= PLACE_M
        if near and -ONSET_S - (event["sure_t"] - event["t"]) <= late <= ONSET_S:
            return i
    return None


def _on_air(
    event: Mapping[str, Any],
    cycles: Sequence[tuple[float, list[tuple[float, float, int]]]],
    rsi: Sequence[tuple[float, set[int]]],
) -> bool:
    code = LASTING.get(event["kind"])
    if code is not None:
        return any(code in codes and 0 <= t - event["t"] <= 30 for t, codes in rsi)
    for t, people in cycles:
        if abs(t - event["t"]) <= 0.3:
            return any(math.hypot(x - event["x"], y - event["y"]) <= ON_AIR_M + 1.0 for x, y, _ in people)
    return False
