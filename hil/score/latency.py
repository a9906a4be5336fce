"""How fast a change reaches the air: from the lamp, and from the last byte of the report that told of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hil.score.timeline import COLOUR_OF, LampTruth, Spat, milliseconds
from hil.score.windows import Windows

LONGEST_S = 2.0  # a change that is not on air by then is no sample of latency but a wrong colour


def first_with(spats: Sequence[Spat], group: int, colour: str, t: float) -> float | None:
    """Arrival of the first message at or after t that shows the group so."""
    for spat in spats[_from(spats, t) :]:
        if spat.t - t > LONGEST_S:
            return None
        said = spat.groups.get(group)
        if said is not None and COLOUR_OF.get(said.light) == colour:
            return spat.t
    return None


def _from(spats: Sequence[Spat], t: float) -> int:
    low, high = 0, len(spats)
    while low < high:
        middle = (low + high) // 2
        if spats[middle].t < t:
            low = middle + 1
        else:
            high = middle
    return low


def score_latency(
    spats: Sequence[Spat],
    truth: Mapping[int, LampTruth],
    wire: Iterable[Mapping[str, Any]],
    t0: float,
    t1: float,
    windows: Windows | None = None,
) -> dict[str, Any]:
    """The figures `latency.*` of signals. One sample a change of a group, none in a void window."""
    windows = windows or Windows(t0, t1)
    lamp = []
    for group, shown in truth.items():
        for t, colour in zip(shown.times[1:], shown.colours[1:], strict=True):
            at = first_with(spats, group, colour, t) if t <= t1 - LONGEST_S and windows.good(t) else None
            if at is not None:
                lamp.append((at - t) * 1000)
    report = []
    for entry in wire:
        if entry["t"] > t1 - LONGEST_S or not windows.good(entry["t"]):
            continue
        for group, colour in entry["colours"].items():
            at = first_with(spats, int(group), colour, entry["t"])
            if at is not None:
                report.append((at - entry["t"]) * 1000)
    return {
        "report_to_radio_p50_ms": milliseconds(report, 0.5),
        "report_to_radio_p95_ms": milliseconds(report, 0.95),
        "report_to_radio_p99_ms": milliseconds(report, 0.99),
        "lamp_to_radio_p50_ms": milliseconds(lamp, 0.5),
        "lamp_to_radio_p95_ms": milliseconds(lamp, 0.95),
        "lamp_to_radio_p99_ms": milliseconds(lamp, 0.99),
        "changes": len(lamp),
    }
