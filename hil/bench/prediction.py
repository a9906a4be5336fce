"""Predictions over simulated hours: coverage, width, steadiness, calibration, a baseline by time of day."""

from __future__ import annotations

import time
from bisect import insort
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean
from typing import Any

from hil.bench.crossing import programme, site
from hil.bench.day import Day, Step
from hil.score.timeline import quantile
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant, month_end_s, near_leap
from rsu_agent.runtime.beginning import beginning, speaker_of
from rsu_agent.settings.speech import speech
from rsu_agent.world.signal import Colour, GroupOutlook, SignalOutlook

START_S, UTC_S = 1000.0, 1_767_222_000.0  # 23:00 UTC on 31 December: midnight, year and leap second within
HOUR_S, SAMPLE_S = 3600.0, 7.0
UNKNOWN_S = 300.0  # an end that is not told may be so far away
SHARES = (0.005, 0.5, 0.995)
BINS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.01)
FEWEST = 500  # changes from which a bin counts
GOOD_S = 1.0  # field-rules 3.5
WINDOW = 50  # frames in which the announced end may not creep
SETTLED_S = 200.0  # after the beginning and after each change of plan: one whole cycle and more
DAYS = {"fixed": 24.0, "actuated": 12.0, "adaptive": 6.0}  # hours


@dataclass
class Sample:
    """One announcement: seconds from its instant to the bounds, the likely and the true end."""

    group: int
    colour: Colour
    hour: int
    age_s: float
    told: tuple[float | None, float | None, float | None]
    confidence: float | None
    true_s: float


@dataclass
class Seen:
    """What one day gave."""

    samples: list[Sample] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    moves_s: list[float] = field(default_factory=list)
    creeps_s: list[float] = field(default_factory=list)
    frames: int = 0
    blocked: int = 0
    seconds: float = 0.0


class Steadiness:
    """Announced absolute ends of each run, frame by frame."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._ends: dict[int, tuple[float | None, deque[float]]] = {}

    def saw(self, group: GroupOutlook) -> None:
        """One frame's word on one group."""
        since_s, ends = self._ends.get(group.group, (None, deque()))
        if since_s != group.since_s or group.likely_end_s is None:
            since_s, ends = group.since_s, deque(maxlen=WINDOW)
            self._ends[group.group] = since_s, ends
        if group.likely_end_s is None:
            return
        if ends:
            self._seen.moves_s.append(abs(group.likely_end_s - ends[-1]))
        ends.append(group.likely_end_s)
        if len(ends) == WINDOW:
            last, first = list(ends)[-10:], list(ends)[:10]
            self._seen.creeps_s.append(abs(fmean(last) - fmean(first)))


def run_day(mode: str, hours: float, seed: int) -> Seen:
    """Feed a speaker with a day of reports; guard and encoder judge every frame."""
    said = speech(site().settings, site().crossing)
    speaker = speaker_of(beginning("bench", said), Counts())
    speaker.saw(programme())
    day = Day(START_S, hours * HOUR_S, seed, mode)
    day.steps = list(_by_time_of_day(hours)) if mode == "fixed" else []
    seen, waiting = Seen(), list[tuple[float, Sample]]()
    steady, sampled_s = Steadiness(seen), START_S
    turns_s = [START_S, *(START_S + step.at_s for step in day.steps if step.do == "set_plan")]
    began_s = time.monotonic()
    for at_s, report in day:
        if report is not None:
            speaker.saw(report)
        spoken = speaker.speak(_instant(at_s))
        seen.frames += 1
        seen.blocked += spoken.held is not None
        if not spoken.valid or _near(at_s, turns_s):
            continue
        waiting = _come_true(waiting, day, at_s, seen)
        if mode == "fixed":
            for group in spoken.outlook.groups:
                steady.saw(group)
        if at_s - sampled_s >= SAMPLE_S:
            sampled_s = at_s
            waiting += _samples(spoken.outlook, at_s)
    seen.seconds = time.monotonic() - began_s
    return seen


def _instant(at_s: float) -> Instant:
    """Both clocks; the year ends with a leap second, and near it ours is not believed."""
    utc_s, turn_s = UTC_S + at_s - START_S, month_end_s(UTC_S)
    leap = int(utc_s < turn_s + 4.0)
    if utc_s >= turn_s + 1.0:
        utc_s -= 1.0
    return Instant(at_s, None if near_leap(utc_s, leap) else utc_s, leap)


def _by_time_of_day(hours: float) -> Iterable[Step]:
    """A morning and an evening plan, the controller's clock set once by an hour each way."""
    for hour, plan in ((7.0, 2), (9.5, 1), (17.0, 2), (20.0, 1)):
        if hour < hours:
            yield Step(hour * HOUR_S, "set_plan", plan)
    yield Step(0.6 * hours * HOUR_S, "jump_clock", 3600.0)
    yield Step(0.7 * hours * HOUR_S, "jump_clock", -3600.0)


def _near(at_s: float, turns_s: list[float]) -> bool:
    return any(-5.0 <= at_s - turn_s <= SETTLED_S for turn_s in turns_s)


def _samples(outlook: SignalOutlook, at_s: float) -> Iterable[tuple[float, Sample]]:
    hour = int((UTC_S + at_s) // HOUR_S) % 24
    for group in outlook.groups:
        if group.since_s is None or group.colour in (Colour.DARK, Colour.UNKNOWN):
            continue
        ends = group.min_end_s, group.likely_end_s, group.max_end_s
        least, likely, most = (None if end is None else end - at_s for end in ends)
        age_s = at_s - group.since_s
        yield (
            at_s,
            Sample(group.group, group.colour, hour, age_s, (least, likely, most), group.confidence, 0.0),
        )


def _come_true(
    waiting: list[tuple[float, Sample]], day: Day, now_s: float, seen: Seen
) -> list[tuple[float, Sample]]:
    """Those whose colour has ended are scored; the others wait."""
    left = []
    for at_s, sample in waiting:
        end_s = day.ends.after(sample.group, at_s)
        if end_s is None:
            left += [(at_s, sample)] if now_s - at_s < UNKNOWN_S else []
            continue
        sample.true_s = end_s - at_s
        least, _, most = sample.told
        seen.samples.append(sample)
        if least is not None and most is not None:
            seen.covered.append(least - 0.05 <= sample.true_s <= most + 0.05)
    return left


class Baseline:
    """How long this colour of this group has lasted in this hour of the day; knows nothing else."""

    def __init__(self) -> None:
        self._lasted: dict[tuple[int, Colour, int], list[float]] = defaultdict(list)

    def told(self, sample: Sample) -> tuple[float, float, float]:
        """Quantiles of the time left, from runs before."""
        lasted = self._lasted[sample.group, sample.colour, sample.hour]
        left = [max(0.0, (quantile(lasted, share) or UNKNOWN_S) - sample.age_s) for share in SHARES]
        return left[0], left[1], left[2]

    def learn(self, sample: Sample) -> None:
        """A run that has ended."""
        insort(self._lasted[sample.group, sample.colour, sample.hour], sample.age_s + sample.true_s)


def _pinball(told: Sequence[float], true_s: float, shares: Sequence[float]) -> float:
    """The sum over these shares."""
    losses = (
        max(share * (true_s - at), (share - 1) * (true_s - at))
        for share, at in zip(shares, told, strict=True)
    )
    return sum(losses)


def _filled(sample: Sample) -> tuple[list[float], list[float]]:
    """(ends, shares): bounds not told are charged, as now and far away; a likely end may be left out."""
    least, likely, most = sample.told
    low, high = 0.0 if least is None else least, UNKNOWN_S if most is None else most
    return ([low, high], [SHARES[0], SHARES[2]]) if likely is None else ([low, likely, high], list(SHARES))


def scored(samples: list[Sample]) -> dict[str, float | None]:
    """Pinball losses and widths, ours and the baseline's."""
    baseline, ours, theirs = Baseline(), list[float](), list[float]()
    widths, their_widths = list[float](), list[float]()
    for sample in samples:
        (told, shares), other = _filled(sample), baseline.told(sample)
        same = [other[SHARES.index(share)] for share in shares]
        ours.append(_pinball(told, sample.true_s, shares))
        theirs.append(_pinball(same, sample.true_s, shares))
        widths.append(told[-1] - told[0])
        their_widths.append(other[2] - other[0])
        baseline.learn(sample)
    return {
        "pinball_s": round(fmean(ours), 4),
        "pinball_baseline_s": round(fmean(theirs), 4),
        "pinball_ratio": _ratio(ours, theirs),
        "width_s": round(fmean(widths), 3),
        "width_ratio": _ratio(widths, their_widths),
    }


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    return round(fmean(ours) / fmean(theirs), 4) if sum(theirs) > 0 else None


def calibration(samples: list[Sample]) -> list[dict[str, float | int]]:
    """By announced confidence: how often the end was within a second of the likely one."""
    rows = []
    for low, high in pairwise(BINS):
        own = [
            s
            for s in samples
            if s.confidence is not None and low <= s.confidence < high and s.told[1] is not None
        ]
        if len(own) >= FEWEST:
            said = fmean(s.confidence or 0.0 for s in own)
            true = fmean(abs(s.true_s - (s.told[1] or 0.0)) <= GOOD_S for s in own)
            rows.append({"changes": len(own), "said": round(said, 4), "true": round(true, 4)})
    return rows


def prediction(seed: int, share: float = 1.0) -> dict[str, Any]:
    """Every day of DAYS, or this share of its hours. Figures of fixed time first, each mode beside."""
    seen = {mode: run_day(mode, hours * share, seed) for mode, hours in DAYS.items()}
    every = [sample for day in seen.values() for sample in day.samples]
    fixed, covered = seen["fixed"], [inside for day in seen.values() for inside in day.covered]
    bins = calibration(every)
    return {
        "coverage": round(fmean(covered), 5) if covered else None,
        "coverage_fixed": round(fmean(fixed.covered), 5) if fixed.covered else None,
        **scored(every),
        "creep_max_s": round(max(fixed.creeps_s, default=0.0), 4) if fixed.creeps_s else None,
        "moves_p99_s": round(quantile(fixed.moves_s, 0.99) or 0.0, 4) if fixed.moves_s else None,
        "calibration": bins,
        "calibration_off": round(max((abs(b["said"] - b["true"]) for b in bins), default=0.0), 4)
        if bins
        else None,
        "changes": len(every),
        "frames": sum(day.frames for day in seen.values()),
        "blocked": sum(day.blocked for day in seen.values()),
        "fixed_day_s": round(fixed.seconds, 1),
        "modes": {
            mode: {**scored(day.samples), "coverage": _mean(day.covered)} for mode, day in seen.items()
        },
    }


def _mean(covered: list[bool]) -> float | None:
    return round(fmean(covered), 5) if covered else None
