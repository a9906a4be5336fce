"""From the camera to the vehicle: a frame's first byte to the first RSM whose fusion included it."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hil.score.timeline import milliseconds
from hil.score.windows import Windows

SAME_CYCLE_S = 0.02  # a cycle's secMark is its scene's instant to the millisecond


def score_camera(
    sent: Iterable[Mapping[str, Any]],
    fused: Sequence[tuple[float, Mapping[str, int]]],
    cycles: Iterable[tuple[float, float]],
    windows: Windows,
) -> dict[str, Any]:
    """`latency.camera_*`. One sample a frame that a cycle on air included.

    sent: truth entries `frame`. fused: (instant, frame by camera) of the product's fusion cycles.
    cycles: (arrival of its first datagram, the instant that its secMark names) of RSM cycles.
    All on the monotonic clock.
    """
    left: dict[tuple[str, int], list[float]] = {}
    for entry in sent:
        left.setdefault((entry["camera"], entry["frame"]), []).append(entry["t"])
    fused = sorted(fused, key=lambda scene: scene[0])
    instants = [at for at, _ in fused]
    first: dict[tuple[str, int, float], float] = {}
    for arrival, marked in sorted(cycles):
        frames = _nearest(fused, instants, marked)
        for name, number in frames.items():
            began = [
                t for t in left.get((name, number), ()) if t <= arrival
            ]  # the last: a camera starts again
            if began and windows.good(began[-1]):
                first.setdefault((name, number, began[-1]), arrival)
    late = [(arrival - began) * 1000 for (_, _, began), arrival in first.items()]
    return {
        "camera_to_rsm_p50_ms": milliseconds(late, 0.5),
        "camera_to_rsm_p95_ms": milliseconds(late, 0.95),
        "camera_to_rsm_p99_ms": milliseconds(late, 0.99),
        "frames": len(late),
    }


def _nearest(
    fused: Sequence[tuple[float, Mapping[str, int]]], instants: Sequence[float], at: float
) -> Mapping[str, int]:
    i = bisect.bisect_left(instants, at - SAME_CYCLE_S)
    near = [scene for scene in fused[i : i + 2] if abs(scene[0] - at) <= SAME_CYCLE_S]
    return min(near, key=lambda scene: abs(scene[0] - at))[1] if near else {}
