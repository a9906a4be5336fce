"""SPAT against the lamps: rates, validity, colours, announced ends."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hil.score.timeline import COLOUR_OF, GO_LIGHTS, RIGHT, STOP_COLOURS, LampTruth, Spat, quantile
from hil.score.windows import Windows

HOLD_S = 0.3  # a statement counts so long after its arrival at most: then the air is silent
MARGIN_S = 0.3  # around a lamp's change in which either colour is right


def score_spat(
    spats: Sequence[Spat],
    truth: dict[int, LampTruth],
    t0: float,
    t1: float,
    windows: Windows | None = None,
) -> dict[str, Any]:
    """The figures `spat.*` but `first_valid_s`; counts and gaps leave out void windows."""
    windows = windows or Windows(t0, t1)
    times = [spat.t for spat in spats]
    counts = windows.counts(times)
    edges = [t0, *(t for t in times if t0 <= t <= t1), t1]
    gaps = [(b - a) * 1000 for a, b in pairwise(edges) if windows.good(a) and windows.good(b)]
    shares = _shares(spats, truth, t0, t1)
    errors = _end_errors(spats, truth, t0, t1)
    return {
        "per_10s_min": min(counts) if counts else None,
        "per_10s_max": max(counts) if counts else None,
        "gap_p99_ms": _rounded(quantile(gaps, 0.99), 1),
        "gap_max_ms": _rounded(max(gaps, default=None), 1),
        **shares,
        "end_error_p50_s": _rounded(quantile(errors, 0.5), 3),
        "end_error_p95_s": _rounded(quantile(errors, 0.95), 3),
        "end_error_max_s": _rounded(max(errors, default=None), 3),
        "ends_announced": len(errors),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _shares(spats: Sequence[Spat], truth: dict[int, LampTruth], t0: float, t1: float) -> dict[str, Any]:
    """Group-time valid, timed, wrong, dangerous; silence is group-time that is not valid."""
    groups = sorted(truth)
    total = len(groups) * (t1 - t0)
    valid = lit = timed = wrong = dangerous = 0.0
    for i, spat in enumerate(spats):
        end = min(spats[i + 1].t if i + 1 < len(spats) else t1, spat.t + HOLD_S, t1)
        begin = max(spat.t, t0)
        if end <= begin:
            continue
        lasts = end - begin
        for group in groups:
            said = spat.groups.get(group)
            shows = truth[group].at(begin)
            if said is None or said.light == "unavailable":
                continue
            if said.light == "dark" and shows != "dark" and not truth[group].near_change(begin, MARGIN_S):
                continue
            valid += lasts
            if said.light != "dark":
                lit += lasts
                timed += lasts if said.likely_s is not None else 0.0
            if _wrong(said.light, truth[group], begin):
                wrong += lasts
                dangerous += lasts if said.light in GO_LIGHTS and shows in STOP_COLOURS else 0.0
    return {
        "valid_share": round(valid / total, 5) if total > 0 else None,
        "times_share": round(timed / lit, 5) if lit > 0 else None,
        "wrong_colour_ms": round(wrong * 1000, 1) if valid > 0 else None,
        "dangerous_ms": round(dangerous * 1000, 1) if valid > 0 else None,
    }


def _wrong(light: str, lamp: LampTruth, t: float) -> bool:
    shows = lamp.at(t)
    return shows is not None and light not in RIGHT[shows] and not lamp.near_change(t, MARGIN_S)


def _end_errors(spats: Sequence[Spat], truth: dict[int, LampTruth], t0: float, t1: float) -> list[float]:
    """Announced likely ends against true ends, every message and group."""
    errors = []
    for spat in spats:
        if not t0 <= spat.t <= t1:
            continue
        for group, said in spat.groups.items():
            if said.likely_s is None or said.light not in COLOUR_OF or group not in truth:
                continue
            end = truth[group].end_of(COLOUR_OF[said.light], spat.t, MARGIN_S)
            if end is not None:
                errors.append(abs(spat.t + said.likely_s - end))
    return errors
