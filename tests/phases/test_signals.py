"""Predictions as properties, over simulated report streams of the virtual controller's model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GAINING, GROUPS, PHASES, PLANS, STAGES, conflicts, losing
from rsu_agent.phases.signals import DOUBTS, Signals, flash_s
from rsu_agent.world.signal import (
    Colour,
    Control,
    Lamp,
    Phase,
    Plan,
    Programme,
    SignalReport,
    Stage,
    StageReport,
    StageSlot,
    StageState,
    Step,
)


def programme() -> Programme:
    """What a driver would read from the virtual controller."""
    phases = tuple(
        Phase(
            number,
            groups,
            tuple(Step(Colour(c), float(s)) for c, s in losing(number)),
            tuple(Step(Colour(c), float(s)) for c, s in GAINING),
            4.0,
            40.0,
        )
        for number, groups in PHASES.items()
    )
    stages = tuple(Stage(number, members) for number, members in STAGES.items())
    plans = tuple(
        Plan(plan.number, float(plan.cycle_s), tuple(StageSlot(s, float(t)) for s, t in plan.chain))
        for plan in PLANS.values()
    )
    pairs = {(min(a, b), max(a, b)) for a in PHASES for b in conflicts(a)}
    return Programme("virtual", GROUPS, phases, stages, plans, tuple(sorted(pairs)))


@dataclass
class Stream:
    """Reports as a driver gives them: polls every 100 ms, a trap soon after each change."""

    seed: int = 1
    drift_ppm: float = 0.0
    traps: bool = True
    start_s: float = 1000.0
    model: SignalModel = field(init=False)

    def __post_init__(self) -> None:
        self.model = SignalModel(self.start_s, seed=self.seed, drift_ppm=self.drift_ppm)
        self._dice = random.Random(self.seed)

    def run(
        self, seconds: float
    ) -> Iterator[tuple[float, SignalReport | None, list[tuple[float, int, str]]]]:
        """(now, report or None, lamps that changed) in 10 ms steps."""
        steps = int(seconds * 100)
        for step in range(steps):
            now = self.start_s + step / 100
            shone, learnt = self.model.advance(now)
            report = None
            if learnt and self.traps:
                report = self._report(now, learnt, complete=False)
            elif step % 10 == 0:
                report = self._report(now, list(GROUPS), complete=True)
            yield now, report, shone

    def _report(self, now: float, groups: list[int], *, complete: bool) -> SignalReport:
        at = now + self._dice.uniform(0.001, 0.006)
        lamps = tuple(Lamp(g, Colour(self.model.known[g])) for g in groups)
        if not complete:
            return SignalReport(at, at + 0.003, lamps, unsolicited=True)
        stage, elapsed, remaining = self.model.stage(now)
        whole = StageReport(stage, StageState.RUNNING, float(int(elapsed)), float(int(remaining) + 1))
        return SignalReport(at, at + 0.02, lamps, True, Control.FIXED_TIME, self.model.plan, whole)


@dataclass
class Scored:
    errors: list[float] = field(default_factory=list)
    outside: int = 0
    unknown: int = 0
    moves: list[float] = field(default_factory=list)
    drifts: list[float] = field(default_factory=list)


def score(stream: Stream, seconds: float, settle_s: float = 62.0) -> tuple[Scored, Signals]:
    """Announced ends against the true end of the colour they were announced for."""
    signals = Signals()
    signals.receive(programme())
    open_: dict[int, list] = {group: [] for group in GROUPS}
    ends: dict[tuple[int, str], list[float]] = {}
    scored = Scored()
    for now, report, shone in stream.run(seconds):
        for at, group, _ in shone:
            run = open_[group]
            ends.setdefault((group, "end"), []).append(at)
            said = [entry for entry in run if entry[0] <= at - 0.06]
            open_[group] = []
            if said and said[0][0] > stream.start_s + settle_s:
                _judge(said, at, scored)
        if report is None:
            continue
        signals.receive(report)
        if report.complete:
            for group in signals.outlook(now + 0.03).groups:
                if group.colour is Colour.DARK:
                    open_[group.group].clear()
                else:
                    entry = (now + 0.03, group.likely_end_s, group.min_end_s, group.max_end_s, group.colour)
                    run = open_[group.group]
                    if run and run[-1][4] is not group.colour:
                        run.clear()
                    run.append(entry)
    return scored, signals


def _judge(said: list, at: float, scored: Scored) -> None:
    likely = [entry[1] for entry in said if entry[1] is not None]
    scored.unknown += len(said) - len(likely)
    for entry in said:
        if entry[1] is not None:
            scored.errors.append(abs(entry[1] - at))
            scored.outside += not entry[2] - 0.051 <= at <= entry[3] + 0.001
    scored.moves.append(max(likely) - min(likely) if likely else 0.0)
    for start in range(0, len(likely) - 50, 25):
        window = likely[start : start + 50]
        scored.drifts.append(abs(sum(window[-10:]) / 10 - sum(window[:10]) / 10))


@pytest.mark.parametrize(
    ("seed", "drift_ppm", "traps"), [(1, 0, True), (2, 100, True), (3, -100, True), (4, 0, False)]
)
def test_fixed_time_ends_are_right_steady_and_within_their_bounds(
    seed: int, drift_ppm: float, traps: bool
) -> None:
    scored, signals = score(Stream(seed, drift_ppm, traps), 300)
    errors = sorted(scored.errors)
    assert len(errors) > 10_000
    assert errors[int(0.95 * len(errors))] <= (0.1 if traps else 0.15)
    assert errors[-1] <= 0.25
    assert scored.outside <= len(errors) / 1000
    assert scored.unknown == 0
    assert sorted(scored.moves)[int(0.99 * len(scored.moves))] <= 0.1
    assert max(scored.drifts) <= 0.05
    assert signals.end_error_p95_s is not None


def test_before_calibration_bounds_hold_and_only_narrow() -> None:
    stream = Stream(5)
    signals = Signals()
    signals.receive(programme())
    truth: list[tuple[float, int]] = []
    said: list[tuple[float, int, float, float, Colour]] = []
    colours: dict[int, Colour] = {}
    for now, report, shone in stream.run(55):
        truth += [(at, group) for at, group, _ in shone]
        if report is not None:
            signals.receive(report)
            for group in signals.outlook(now).groups:
                colours[group.group] = group.colour
                if group.min_end_s is not None and group.max_end_s is not None:
                    said.append((now, group.group, group.min_end_s, group.max_end_s, group.colour))
    held = checked = 0
    for now, group, low, high, _ in said:
        end = next((at for at, g in truth if g == group and at > now), None)
        if end is not None:
            checked += 1
            held += low - 0.06 <= end <= high + 0.06
    assert checked > 3000
    assert held / checked > 0.97


def warmed(seconds: float = 130) -> tuple[Signals, Stream, float]:
    stream, signals = Stream(6), Signals()
    signals.receive(programme())
    now = 0.0
    for now, report, _ in stream.run(seconds):  # noqa: B007 (the last instant is wanted)
        if report is not None:
            signals.receive(report)
    return signals, stream, now


def complete(stream: Stream, now: float, **changes: object) -> SignalReport:
    return replace(stream._report(now, list(GROUPS), complete=True), **changes)  # type: ignore[arg-type]


def test_a_green_that_outlasts_its_end_keeps_its_colour_and_loses_its_end() -> None:
    signals, stream, now = warmed()
    green = next(g for g in signals.outlook(now).groups if g.colour is Colour.GREEN and g.likely_end_s)
    assert green.likely_end_s is not None
    late = green.likely_end_s
    frozen = tuple(Lamp(g, Colour(stream.model.known[g])) for g in GROUPS)
    at = now
    while at < late + 0.45:
        at += 0.1
        signals.receive(SignalReport(at, at, frozen, True, Control.FIXED_TIME, 1))
    said = next(g for g in signals.outlook(at).groups if g.group == green.group)
    assert said.colour is Colour.GREEN
    assert said.likely_end_s == pytest.approx(at + 0.1)
    at = late + 0.8
    signals.receive(SignalReport(at, at, frozen, True, Control.FIXED_TIME, 1))
    said = next(g for g in signals.outlook(at).groups if g.group == green.group)
    assert (said.colour, said.likely_end_s, said.max_end_s) == (Colour.GREEN, None, None)
    assert said.min_end_s == at, "interval form: it may end at any time now"


def test_a_green_after_a_missed_prediction_still_has_its_minimum() -> None:
    signals, _, now = warmed()
    green = next(g for g in signals.outlook(now).groups if g.colour is Colour.GREEN and g.likely_end_s)
    shown = signals.history.shown[green.group]
    shown.colour, shown.since_s = Colour.GREEN, now
    assert signals._ends._predictor is not None
    signals._ends._predictor._miss(green.group, now)
    said = next(g for g in signals.outlook(now + 1.0).groups if g.group == green.group)
    assert said.likely_end_s is None
    assert said.min_end_s == pytest.approx(now + 4.0), "the phase's minimum green"


def test_after_another_plan_ends_are_told_only_once_a_stage_has_begun() -> None:
    signals, stream, now = warmed()
    stream.model.set_plan(2, now)
    told, stage = [], None
    for step in range(400):
        at = now + step / 10
        stream.model.advance(at)
        signals.receive(complete(stream, at))
        stage = stage or signals.stage
        ends = [g.likely_end_s for g in signals.outlook(at).groups if g.likely_end_s]
        told.append((signals.stage != stage, bool(ends)))
    before, after = ([ends for begun, ends in told if begun is kind] for kind in (False, True))
    assert before
    assert not any(before)
    assert any(after)


@pytest.mark.parametrize(
    "change",
    [
        {"control": Control.MANUAL},
        {"control": Control.UNKNOWN},
        {"control": Control.FLASH},
        {"plan": 9},
        {"preempt": True},
    ],
)
def test_what_breaks_the_plan_keeps_the_colours_and_drops_every_end(change: dict) -> None:
    signals, stream, now = warmed()
    assert any(g.likely_end_s for g in signals.outlook(now).groups)
    signals.receive(complete(stream, now, **change))
    outlook = signals.outlook(now + 0.02)
    assert outlook.doubt is None
    assert not any(g.likely_end_s for g in outlook.groups)
    assert {g.colour for g in outlook.groups} == {Colour(c) for c in stream.model.known.values()}


def test_actuated_control_gives_honest_intervals() -> None:
    signals, stream, now = warmed()
    for step in range(4):
        signals.receive(complete(stream, now + step / 10, control=Control.ACTUATED))
    greens = [g for g in signals.outlook(now + 0.4).groups if g.colour is Colour.GREEN and g.since_s]
    assert greens
    for group in greens:
        assert group.likely_end_s is None
        assert group.min_end_s is not None
        assert group.max_end_s is not None
        assert group.min_end_s <= group.max_end_s


def test_a_green_knows_how_long_it_will_flash_where_all_its_phases_agree() -> None:
    flashing, plain = Step(Colour.GREEN_FLASH, 3.0), Step(Colour.YELLOW, 3.0)
    assert flash_s(Phase(1, (1,), (flashing, plain))) == 3.0
    assert flash_s(Phase(1, (1,), (plain,))) == 0.0
    phases = (Phase(1, (1, 2), (flashing, plain)), Phase(2, (2, 3), (plain,)))
    signals = Signals()
    signals.receive(Programme("p", (1, 2, 3, 4), phases))
    lamps = tuple(Lamp(group, Colour.GREEN) for group in (1, 2, 3, 4))
    signals.receive(SignalReport(10.0, 10.01, lamps, True, Control.FIXED_TIME, 1))
    told = {group.group: group.flash_s for group in signals.outlook(10.1).groups}
    assert told == {1: 3.0, 2: None, 3: 0.0, 4: None}


def test_every_doubt_has_its_cause() -> None:
    fresh = Signals()
    assert fresh.doubt(0.0) == "no_programme"
    fresh.receive(programme())
    assert fresh.doubt(0.0) == "no_report"
    stream = Stream(7)
    fresh.receive(complete(stream, 0.0, control=None))
    assert fresh.doubt(0.1) == "no_mode"
    fresh.receive(complete(stream, 0.1))
    assert fresh.doubt(0.2) is None
    assert fresh.doubt(0.5) == "stale"
    other = replace(programme(), fingerprint="another", groups=(1, 2))
    fresh.receive(other)
    assert fresh.doubt(0.2) == "other_controller"
    assert {"no_programme", "no_report", "no_mode", "stale", "other_controller"} == set(DOUBTS)


def test_dark_lamps_have_no_times_and_the_arrow_that_goes_dark_is_learnt() -> None:
    stream, signals = Stream(8), Signals()
    signals.receive(programme())
    dark = red = 0
    for now, report, _ in stream.run(200):
        if report is None:
            continue
        signals.receive(report)
        if not report.complete or now < stream.start_s + 65:
            continue
        arrow = next(g for g in signals.outlook(now).groups if g.group == 9)
        if arrow.colour is Colour.DARK:
            dark += 1
            assert arrow.likely_end_s is None
        elif arrow.colour is Colour.RED:
            red += arrow.likely_end_s is not None
    assert dark > 300
    assert red > 300


@pytest.mark.parametrize("into_s", [0, 6, 15, 24, 33, 51])
def test_by_the_stage_counters_alone_ends_are_right_after_some_seconds_and_stay_so(into_s: int) -> None:
    """Counters in whole seconds and stamps some milliseconds apart: found a second wrong at each turn."""
    stream, signals, checked = Stream(3), Signals(), 0
    signals.receive(programme())
    for now, report, _ in stream.run(into_s + 25):
        since_s = now - stream.start_s - into_s
        if report is None or since_s < 0:
            continue
        signals.receive(report)
        if since_s < 3.0 or not report.complete:
            continue
        for group in signals.outlook(now).groups:
            known_s = stream.model.next_change(group.group, now + 0.1)
            if group.likely_end_s is None or known_s is None or group.group == 9:
                continue
            if group.likely_end_s - now > 0.2 and known_s - now < 12.0:
                assert group.likely_end_s == pytest.approx(known_s, abs=0.2)
                checked += 1
    assert checked > 300
    assert signals._ends._predictor is not None
    assert signals._ends._predictor.counters["bounds_contradict"] == 0
