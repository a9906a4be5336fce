"""The uplink: what was produced, what the district holds, and whether its phase log is the truth."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from typing import Any

from hil.score.timeline import LampTruth

WITHIN_S = 0.3


def score_uplink(
    numbers: Mapping[str, Mapping[str, int]],
    stored: Mapping[tuple[int, str], set[int]],
    duplicates: int,
    phase_log: Iterable[Mapping[str, Any]],
    truth: Mapping[int, LampTruth],
    utc_less_monotonic_s: float,
    t0: float,
    t1: float,
) -> dict[str, Any]:
    """numbers: the outbox files' own; stored: numbers at the district by (epoch, lane)."""
    produced = sum(lane["produced"] for lane in numbers.values())
    missing = 0
    for name, lane in numbers.items():
        held = stored.get((lane["epoch"], name), set())
        missing += sum(1 for seq in range(1, lane["produced"] + 1) if seq not in held)
    return {
        "produced": produced,
        "stored": sum(len(held) for held in stored.values()),
        "duplicates": duplicates,
        "missing": missing if produced else None,
        "phase_changes_missing": _changes_missing(phase_log, truth, utc_less_monotonic_s, t0, t1),
    }


def _changes_missing(
    phase_log: Iterable[Mapping[str, Any]],
    truth: Mapping[int, LampTruth],
    offset_s: float,
    t0: float,
    t1: float,
) -> int | None:
    """Changes of the truth that the phase log does not hold within 300 ms; None when nothing changed."""
    logged: dict[tuple[int, str], list[float]] = {}
    for record in phase_log:
        logged.setdefault((record["g"], record["c"]), []).append(record["t"] / 1e6 - offset_s)
    for times in logged.values():
        times.sort()
    changes = missing = 0
    for group, shown in truth.items():
        for t, colour in zip(shown.times[1:], shown.colours[1:], strict=True):
            if not t0 <= t <= t1:
                continue
            changes += 1
            times = logged.get((group, colour), [])
            i = bisect.bisect_left(times, t - WITHIN_S)
            missing += i == len(times) or times[i] > t + WITHIN_S
    return missing if changes else None
