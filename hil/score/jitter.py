"""How evenly frames are emitted: how far the frame of each tick is from its tick."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence

from hil.score.timeline import quantile

PERIOD_S = 0.1


def tick_errors(
    times: Sequence[float], t0: float, t1: float, period_s: float = PERIOD_S
) -> list[tuple[float, float]]:
    """(tick, seconds to the frame nearest to it) of each tick from t0 to t1; at most half a period.

    The grid's phase is the circular mean of all arrivals, taken again without those far from it: frames
    between ticks, which tell a change at once, do not move it.
    """
    inner = sorted(t for t in times if t0 - period_s <= t <= t1 + period_s)
    if not inner:
        return []
    phase = _phase(inner, period_s)
    near = [t for t in inner if abs(_off(t, phase, period_s)) < period_s / 10]
    phase = _phase(near or inner, period_s)
    first = math.ceil((t0 - phase) / period_s)
    errors = []
    while (tick := phase + first * period_s) <= t1:
        errors.append((tick, min(_nearest(inner, tick), period_s / 2)))
        first += 1
    return errors


def jitter_ms(errors: Iterable[tuple[float, float]], share: float = 0.999) -> float | None:
    """The tick error below which this share lies, in milliseconds; None of no tick."""
    found = quantile([error for _, error in errors], share)
    return None if found is None else round(found * 1000, 2)


def _phase(times: Sequence[float], period_s: float) -> float:
    x = sum(math.cos(2 * math.pi * t / period_s) for t in times)
    y = sum(math.sin(2 * math.pi * t / period_s) for t in times)
    return math.atan2(y, x) / (2 * math.pi) * period_s


def _off(t: float, phase: float, period_s: float) -> float:
    return (t - phase + period_s / 2) % period_s - period_s / 2


def _nearest(ordered: Sequence[float], at: float) -> float:
    i = bisect.bisect_left(ordered, at)
    return min(abs(t - at) for t in ordered[max(0, i - 1) : i + 1])
