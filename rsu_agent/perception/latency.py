"""How late a camera's pictures are: signal changes as told, against the first pictures that show them. Pure.

A change is known only to lie between two reports, and to be seen between two pictures. What all of them allow
together is known far better than a picture's period, unless pictures and changes keep step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from rsu_agent.perception.lamp_changes import Seen, Told

Array = npt.NDArray[np.float64]
EARLIEST_S, LATEST_S, STEP_S = -1.0, 2.5, 0.001  # a camera's line may be set too late by a second
NOISES_S = (
    0.002,
    0.005,
    0.01,
    0.02,
    0.04,
)  # of stamps: the line's jitter, the lamp before or after its report
STRAY = 0.02  # share of changes that are nothing of the sort
WIDEST_REPORT_S = 1.2  # reports farther apart tell no instant
LEAST_CHANGES, MOST_SD_S, MOST_STRAY = 8, 0.015, 0.25
LEAST_SPREAD = 0.5  # of the usual; below it many changes tell no more than one does
WITHIN_S = 0.06  # of the whole: a change that allows no latency so near to the found one is a stray one
SPLITS = 8  # of the time between two reports


@dataclass(frozen=True, slots=True)
class Change:
    """One change: between two reports, and between two pictures. Monotonic seconds."""

    told_after_s: float
    told_by_s: float
    seen_after_s: float
    seen_by_s: float

    @property
    def least_s(self) -> float:
        """The smallest latency that it allows."""
        return self.seen_after_s - self.told_by_s

    @property
    def most_s(self) -> float:
        """The largest."""
        return self.seen_by_s - self.told_after_s


@dataclass(frozen=True, slots=True)
class Latency:
    """latency_s: what is still missing from the camera's stamps; sd_s: of it; changes: used; stray: not used.

    frame_s: between two pictures; report_s: between two reports, of which half may be missing from the
    latency where changes keep step with reports. spread_s: standard deviation of single changes around it.
    """

    latency_s: float
    sd_s: float
    changes: int
    stray: int
    frame_s: float
    report_s: float
    spread_s: float


class LatencyRefused(Exception):
    """Nothing can be said; `do` says what helps. reason: few, scattered, step."""

    def __init__(self, reason: str, text: str, do: str) -> None:
        super().__init__(text)
        self.reason, self.text, self.do = reason, text, do


def measure(told: Sequence[Told], seen: Sequence[Seen], camera: str) -> Latency:
    """One camera's latency. Raises LatencyRefused."""
    own = [each for each in seen if each.camera == camera]
    frame_s = frame_of(own)
    return fit(paired(told, own, frame_s), frame_s)


def frame_of(seen: Sequence[Seen]) -> float:
    """Seconds between two pictures: a colour is sure with the second picture that shows it, seldom later."""
    gaps = [each.captured_s - each.since_s for each in seen if each.captured_s > each.since_s]
    return float(np.percentile(gaps, 25)) if gaps else 0.0


def paired(told: Sequence[Told], seen: Sequence[Seen], frame_s: float) -> list[Change]:
    """Changes that were told and seen, each instant once; one that might belong to two is left out."""
    found: dict[Change, None] = {}
    for each in seen:
        near = [
            t
            for t in told
            if t.group == each.group
            and t.lit == each.lit
            and EARLIEST_S < each.since_s - t.by_s < LATEST_S
            and t.by_s - t.after_s <= WIDEST_REPORT_S
        ]
        if len(near) == 1:
            found[Change(near[0].after_s, near[0].by_s, each.since_s - frame_s, each.since_s)] = None
    return list(found)


def fit(changes: Sequence[Change], frame_s: float) -> Latency:
    """The latency that all changes together make likeliest. Raises LatencyRefused."""
    if len(changes) < LEAST_CHANGES:
        raise LatencyRefused(
            "few",
            f"{len(changes)} changes were both told and seen, {LEAST_CHANGES} are needed",
            "watch longer (--for); with `rsu calibrate heads` see whether the boxes lie on the right heads",
        )
    grid = np.arange(EARLIEST_S - 0.2, LATEST_S + 0.2, STEP_S)
    weight = _likelihood(grid, changes)
    latency_s = float(weight @ grid)
    sd_s = math.sqrt(float(weight @ np.square(grid - latency_s)))
    good = [c for c in changes if c.least_s - WITHIN_S <= latency_s <= c.most_s + WITHIN_S]
    stray = len(changes) - len(good)
    if stray > MOST_STRAY * len(changes):
        raise LatencyRefused(
            "scattered",
            f"{stray} of {len(changes)} changes do not fit a latency of {latency_s * 1000:.0f} ms",
            "a line that jitters, a host that is overloaded, or a box on another group's head",
        )
    middles = [(c.least_s + c.most_s) / 2 - latency_s for c in good]
    spread_s = float(np.std(middles))
    _refuse_step(good, spread_s)
    if sd_s > MOST_SD_S:
        text = f"known to {sd_s * 1000:.0f} ms only, after {len(good)} changes"
        raise LatencyRefused("scattered", text, "watch longer: --for 1800")
    report_s = float(np.median([c.told_by_s - c.told_after_s for c in good]))
    return Latency(latency_s, sd_s, len(good), stray, frame_s, report_s, spread_s)


def _refuse_step(good: Sequence[Change], spread_s: float) -> None:
    """Changes that fall anywhere between two reports and two pictures spread by what that means."""
    widths = [np.hypot(c.told_by_s - c.told_after_s, c.seen_by_s - c.seen_after_s) for c in good]
    usual_s = float(np.sqrt(np.mean(np.square(widths)) / 12))
    if spread_s < LEAST_SPREAD * usual_s:
        raise LatencyRefused(
            "step",
            f"{len(good)} changes all fall alike ({spread_s * 1000:.0f} ms apart, {usual_s * 1000:.0f} would "
            "be usual): pictures and signal keep step",
            "let the camera give another rate (say 12 or 15 pictures a second), or watch for hours",
        )


def _likelihood(grid: Array, changes: Sequence[Change]) -> Array:
    """Of every latency on the grid, summing to one; how exact the stamps are is not known and summed over."""
    logs = [_log_likelihood(grid, changes, noise_s) for noise_s in NOISES_S]
    highest = max(float(each.max()) for each in logs)
    weight = np.sum([np.exp(each - highest) for each in logs], axis=0)
    return np.asarray(weight / weight.sum(), np.float64)


def _log_likelihood(grid: Array, changes: Sequence[Change], noise_s: float) -> Array:
    total = np.zeros_like(grid)
    for change in changes:
        width = change.told_by_s - change.told_after_s
        parts = change.told_after_s + width * (np.arange(SPLITS) + 0.5) / SPLITS
        late = grid[:, None] + parts[None]
        seen = ndtr((change.seen_by_s - late) / noise_s) - ndtr((change.seen_after_s - late) / noise_s)
        total += np.log((1 - STRAY) * seen.mean(axis=1) + STRAY * 1e-2)
    return total
