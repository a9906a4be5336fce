"""Doppler checked against the radar's own tracks: speeds that wrapped over the boundary, a wrong sign."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rsu_agent.ports.devices import RadarPoint, RadarTarget

NEAR = 0.85  # of the boundary: a road user a little faster comes out with the other sign
ALIKE_MPS = 2.0  # a speed told and a speed tracked that are one
TREND_M = 3.0  # a change of range that is no noise of the tracker
LONGEST_S = 3.0  # to come so far; slower ones turn meanwhile
VOTES = 20  # tracks that came so far before anything is said of the sign
WRONG = 0.8  # share of them


@dataclass
class _Anchor:
    """Where a track's trend is measured from, and the doppler heard since."""

    range_m: float
    at_s: float
    doppler_sum: float = 0.0
    heard: int = 0


class DopplerWatch:
    """Sans-IO. limit_mps: speed at which doppler wraps, None: not known.

    Counts `near_doppler_limit` and `aliased_points` (points), and `doppler_sign_mismatch`: each time that
    most of twenty tracks drew near while their doppler said away, or the reverse.
    """

    def __init__(self, limit_mps: float | None, counters: Counter[str]) -> None:
        self._limit_mps, self._counters = limit_mps, counters
        self._anchors: dict[tuple[int, int], _Anchor] = {}
        self._for = self._against = 0

    def points(self, points: Sequence[RadarPoint]) -> None:
        """Count those whose speed is near the boundary."""
        if self._limit_mps is not None:
            near_mps = NEAR * self._limit_mps
            self._counters["near_doppler_limit"] += sum(abs(point.doppler_mps) > near_mps for point in points)

    def tracked(
        self, targets: Sequence[RadarTarget], returns: Mapping[int, Sequence[RadarPoint]], measured_s: float
    ) -> None:
        """A frame's targets and, by target number, the points that the radar gave to them."""
        for target in targets:
            given = returns.get(target.target, ())
            self._find_wrapped(target, given)
            self._follow(target, given, measured_s)
        alive = {(target.target, target.epoch) for target in targets}
        self._anchors = {key: anchor for key, anchor in self._anchors.items() if key in alive}

    def _find_wrapped(self, target: RadarTarget, given: Sequence[RadarPoint]) -> None:
        if self._limit_mps is None:
            return
        tracked_mps, turn_mps = _radial_mps(target), 2 * self._limit_mps
        for point in given:
            apart_mps = tracked_mps - point.doppler_mps
            turns = round(apart_mps / turn_mps)
            if turns and abs(apart_mps - turns * turn_mps) < ALIKE_MPS:
                self._counters["aliased_points"] += 1

    def _follow(self, target: RadarTarget, given: Sequence[RadarPoint], measured_s: float) -> None:
        key = target.target, target.epoch
        range_m = math.hypot(target.x_forward_m, target.y_left_m)
        anchor = self._anchors.setdefault(key, _Anchor(range_m, measured_s))
        anchor.doppler_sum += sum(point.doppler_mps for point in given)
        anchor.heard += len(given)
        gone_m, passed_s = range_m - anchor.range_m, measured_s - anchor.at_s
        if abs(gone_m) < TREND_M and passed_s < LONGEST_S:
            return
        self._anchors[key] = _Anchor(range_m, measured_s)
        if abs(gone_m) >= TREND_M and anchor.heard and self._unwrapped(gone_m, passed_s):
            self._vote(gone_m * anchor.doppler_sum > 0.0)

    def _unwrapped(self, gone_m: float, passed_s: float) -> bool:
        """Whether such a speed shows as it is."""
        return self._limit_mps is None or abs(gone_m) < NEAR * self._limit_mps * passed_s

    def _vote(self, alike: bool) -> None:
        self._for, self._against = self._for + alike, self._against + (not alike)
        if self._for + self._against < VOTES:
            return
        self._counters["doppler_sign_mismatch"] += self._against >= WRONG * VOTES
        self._for = self._against = 0


def _radial_mps(target: RadarTarget) -> float:
    """Speed away from the radar."""
    range_m = math.hypot(target.x_forward_m, target.y_left_m)
    along = target.x_forward_m * target.vx_forward_mps + target.y_left_m * target.vy_left_mps
    return along / range_m if range_m else 0.0
