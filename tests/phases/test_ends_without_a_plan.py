"""Ends where no plan tells them: displays and bounds of the controller, habits of traffic, a rhythm found."""

from __future__ import annotations

import random

import pytest

from rsu_agent.phases.ends import Ends, Regime
from rsu_agent.phases.habits import FEWEST_RUNS, Habits
from rsu_agent.phases.history import Edge, Shown
from rsu_agent.phases.plan import expand, expand_steps
from rsu_agent.phases.rhythm import Rhythm
from rsu_agent.phases.signals import Signals
from rsu_agent.phases.told import TimesTold
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupSteps,
    GroupTimes,
    Lag,
    Lamp,
    Phase,
    Plan,
    Programme,
    SignalReport,
    Stage,
    StageSlot,
    Step,
)

GREEN, FLASH, YELLOW, RED = Colour.GREEN, Colour.GREEN_FLASH, Colour.YELLOW, Colour.RED
CYCLE = ((GREEN, 20.0), (FLASH, 3.0), (YELLOW, 3.0), (RED, 34.0))
GROUPS = {1: 0.0, 2: 30.0}  # where in the cycle each begins its green


def colour_at(group: int, now_s: float) -> tuple[Colour, float]:
    """(colour, seconds until it ends) of a made-up fixed cycle."""
    into = (now_s - GROUPS[group]) % 60.0
    for colour, lasts in CYCLE:
        if into < lasts:
            return colour, lasts - into
        into -= lasts
    raise AssertionError


def displayed(group: int, now_s: float) -> int:
    """Whole seconds as a display counts them: green and its flash as one, 1 in the last second."""
    colour, left = colour_at(group, now_s)
    return int(left + (3.0 if colour is GREEN else 0.0)) + 1


def report(now_s: float, *, times: bool = True, control: Control = Control.UNKNOWN) -> SignalReport:
    return SignalReport(
        now_s,
        now_s,
        tuple(Lamp(group, colour_at(group, now_s)[0]) for group in GROUPS),
        complete=True,
        control=control,
        times=tuple(GroupTimes(g, likely_s=float(displayed(g, now_s)), display=True) for g in GROUPS)
        if times
        else (),
    )


def run(signals: Signals, until_s: float, start_s: float = 0.0, **more: object) -> None:
    for tick in range(round(start_s * 10), round(until_s * 10)):
        signals.receive(report(tick / 10, **more))  # type: ignore[arg-type]


def errors(signals: Signals, from_s: float, until_s: float, **more: object) -> list[float]:
    """How far every announced likely end is off; nothing is announced that is not."""
    found = []
    for tick in range(round(from_s * 10), round(until_s * 10)):
        now_s = tick / 10
        signals.receive(report(now_s, **more))  # type: ignore[arg-type]
        for group in signals.outlook(now_s).groups:
            if group.likely_end_s is not None:
                left = colour_at(group.group, now_s)[1]
                found.append(abs(group.likely_end_s - now_s - left))
                assert group.min_end_s is not None
                assert group.min_end_s <= group.likely_end_s
                assert group.max_end_s is None or group.max_end_s >= group.likely_end_s
    return found


def programmed() -> Signals:
    signals = Signals()
    signals.receive(Programme("x", tuple(GROUPS)))
    return signals


# The controller's own word


def test_a_display_is_believed_once_it_has_come_true_and_then_to_half_a_second() -> None:
    signals = programmed()
    assert not errors(signals, 0.0, 20.0)
    run(signals, 250.0, 20.0)
    found = errors(signals, 250.0, 270.0)
    assert len(found) > 350
    assert max(found) <= 0.6


def test_of_a_steady_green_the_display_counts_the_flash_too_and_we_do_not() -> None:
    signals = programmed()
    run(signals, 185.0)
    group = next(g for g in signals.outlook(185.0).groups if g.group == 1)
    assert group.colour is GREEN
    assert group.likely_end_s == pytest.approx(200.0, abs=0.6)


def told(own: TimesTold, counts: list[tuple[float, float]]) -> None:
    for at_s, count in counts:
        own.receive([GroupTimes(1, likely_s=count, display=True)], at_s)


def test_a_display_that_stands_still_or_jumps_is_no_count() -> None:
    for counts in ([(t / 10, 9.0) for t in range(60)], [(0.0, 30.0), (1.0, 29.0), (2.0, 8.0)]):
        own = TimesTold()
        for n in range(3):
            told(own, [(100.0 * n + t, 10.0 - t) for t in range(10)])
            own.saw_edge(Edge(1, RED, YELLOW, 100.0 * n + 9.9))
        shown = Shown(RED, 400.0, 400.0)
        told(own, [(400.0, 20.0)])
        assert own.outlook(1, shown, 400.1) is not None
        told(own, [(400.0 + at_s, count) for at_s, count in counts])
        assert own.outlook(1, shown, 400.0 + counts[-1][0]) is None


def test_bounds_that_do_not_hold_are_not_told_on() -> None:
    own, shown = TimesTold(), Shown(RED, 0.0, 0.0)
    for n in range(12):
        own.receive([GroupTimes(1, least_s=5.0, most_s=8.0)], 100.0 * n)
        own.saw_edge(Edge(1, RED, GREEN, 100.0 * n + (6.0 if n < 6 else 20.0)))
        own.receive([GroupTimes(1, least_s=5.0, most_s=8.0)], 100.0 * n + 50.0)
        said = own.outlook(1, shown, 100.0 * n + 50.0)
        if n == 0:
            assert said is None, "once is no record"
        elif n < 6:
            assert said is not None
            assert (said.min_end_s, said.max_end_s) == pytest.approx((100.0 * n + 54.7, 100.0 * n + 58.3))
    assert said is None


def test_what_was_told_too_long_ago_is_not_told_on() -> None:
    own, shown = TimesTold(), Shown(RED, 0.0, 0.0)
    for n in range(3):
        own.receive([GroupTimes(1, least_s=5.0, most_s=8.0)], 100.0 * n)
        own.saw_edge(Edge(1, RED, GREEN, 100.0 * n + 6.0))
    own.receive([GroupTimes(1, least_s=50.0, most_s=80.0)], 400.0)
    assert own.outlook(1, shown, 401.0) is not None
    assert own.outlook(1, shown, 403.0) is None


# Habits


def accustomed(lasts: list[float]) -> tuple[Habits, float]:
    habits, now_s = Habits(), 0.0
    for seconds in lasts:
        habits.saw_edge(Edge(1, RED, GREEN, now_s))
        habits.saw_edge(Edge(1, GREEN, RED, now_s + seconds))
        now_s += seconds + 20.0
    return habits, now_s


def test_bounds_of_habit_hold_nearly_always_and_narrow_as_the_green_lasts() -> None:
    dice = random.Random(5)
    habits, now_s = accustomed([dice.uniform(8, 40) for _ in range(200)])
    inside = widths = 0
    for _ in range(500):
        lasts = dice.uniform(8, 40)
        for elapsed in (0.0, 10.0, 20.0):
            said = habits.outlook(1, Shown(GREEN, now_s, now_s), now_s + elapsed)
            if elapsed < lasts and said is not None and said.max_end_s is not None:
                assert said.min_end_s is not None
                inside += said.min_end_s <= now_s + lasts <= said.max_end_s
                widths += 1
    assert inside >= 0.99 * widths
    early, late = (habits.outlook(1, Shown(GREEN, now_s, now_s), now_s + at) for at in (0.0, 30.0))
    assert early is not None
    assert late is not None
    assert late.max_end_s - late.min_end_s < early.max_end_s - early.min_end_s - 10  # type: ignore[operator]
    assert early.likely_end_s is None, "ends are spread: none is likely within a second"


def test_where_runs_crowd_a_likely_end_is_told_with_the_share_that_crowds() -> None:
    habits, now_s = accustomed([25.0 + (n % 3) / 10 for n in range(60)] + [40.0] * 20)
    said = habits.outlook(1, Shown(GREEN, now_s, now_s), now_s + 1.0)
    assert said is not None
    assert said.likely_end_s == pytest.approx(now_s + 25.1, abs=0.2)
    assert said.confidence == pytest.approx(60 / 86, abs=0.01)


def test_few_runs_say_nothing_and_a_run_whose_beginning_was_not_seen_is_none() -> None:
    habits, now_s = accustomed([20.0] * (FEWEST_RUNS - 1))
    assert habits.outlook(1, Shown(GREEN, now_s, now_s), now_s) is None
    habits.saw_edge(Edge(1, RED, GREEN, now_s))
    habits.interrupted()
    habits.saw_edge(Edge(1, GREEN, RED, now_s + 20.0))
    assert habits.outlook(1, Shown(GREEN, now_s, now_s), now_s) is None


# Rhythm


def test_a_cycle_that_all_groups_keep_is_found_and_its_ends_come_true() -> None:
    signals = programmed()
    run(signals, 330.0, times=False)
    found = errors(signals, 330.0, 390.0, times=False)
    assert len(found) > 1000
    assert max(found) <= 0.25


def test_cycles_that_differ_are_no_rhythm() -> None:
    dice, rhythm, now_s = random.Random(1), Rhythm(), 0.0
    for _ in range(30):
        for group in (1, 2, 3):
            rhythm.saw_edge(Edge(group, RED, GREEN, now_s + group))
        now_s += dice.uniform(50, 70)
        assert rhythm.length_s(now_s) is None


def test_a_group_that_is_green_twice_a_cycle_does_not_halve_it() -> None:
    rhythm = Rhythm()
    for n in range(5):
        for at in (0.0, 25.0):
            rhythm.saw_edge(Edge(1, RED, GREEN, 80.0 * n + at))
        rhythm.saw_edge(Edge(2, RED, GREEN, 80.0 * n + 40.0))
    assert rhythm.length_s(400.0) == pytest.approx(80.0)


def test_a_source_with_plans_in_an_unknown_mode_has_no_rhythm_to_rely_on() -> None:
    signals = Signals()
    plan = Plan(1, 60.0, (StageSlot(1, 60.0),))
    signals.receive(Programme("x", tuple(GROUPS), plans=(plan,)))
    run(signals, 400.0, times=False)
    said = signals.outlook(400.0).groups
    assert {group.group for group in said if group.confidence and group.confidence > 0.9} == set()


# Published steps, late starts and early ends


def test_published_steps_give_ends_before_a_cycle_has_been_watched() -> None:
    steps = tuple(
        GroupSteps(group, tuple(Step(colour, seconds) for colour, seconds in order))
        for group, order in {
            1: CYCLE,
            2: ((RED, 30.0), (GREEN, 20.0), (FLASH, 3.0), (YELLOW, 3.0), (RED, 4.0)),
        }.items()
    )
    signals = programmed()
    signals.receive(SignalReport(0.0, 0.0, control=Control.FIXED_TIME, this_cycle=steps))
    run(signals, 25.0, times=False, control=Control.FIXED_TIME)
    found = errors(signals, 25.0, 55.0, times=False, control=Control.FIXED_TIME)
    assert len(found) > 500
    assert max(found) <= 0.6


def test_steps_whose_sums_differ_are_no_cycle() -> None:
    steps = (GroupSteps(1, (Step(GREEN, 20.0),)), GroupSteps(2, (Step(RED, 21.0),)))
    assert expand_steps(steps)[0] == 0.0


def test_a_phase_that_starts_late_and_ends_early_does_so_in_the_plan() -> None:
    phases = (Phase(1, (1,), (Step(YELLOW, 3.0),)), Phase(2, (2,), (Step(YELLOW, 3.0),)))
    stages = (Stage(1, (1,), (Lag(1, 4.0),), (Lag(1, 6.0),)), Stage(2, (2,)))
    plan = Plan(1, 60.0, (StageSlot(1, 30.0), StageSlot(2, 30.0)))
    turns = expand(Programme("x", (1, 2), phases, stages, (plan,)), plan)
    assert [(turn.offset_s, turn.colour) for turn in turns[1]] == [(4.0, GREEN), (21.0, YELLOW), (24.0, RED)]


# Regimes


def test_habits_of_one_plan_are_not_those_of_another() -> None:
    ends = Ends()
    ends.programme(Programme("x", (1,)))
    ends.enter(Regime(Control.ACTUATED, 1), None)
    shown = Shown(GREEN, 0.0, 0.0)
    for n in range(30):
        ends.saw(SignalReport(n * 50.0, n * 50.0), [Edge(1, RED, GREEN, n * 50.0)])
        ends.saw(SignalReport(n * 50 + 20.0, n * 50 + 20.0), [Edge(1, GREEN, RED, n * 50.0 + 20.0)])
    now_s = 1500.0
    shown = Shown(GREEN, now_s, now_s)
    assert ends.outlook(1, shown, None, now_s, 0.1, goes_dark=False).likely_end_s == pytest.approx(1520.0)
    ends.enter(Regime(Control.ACTUATED, 2), "plan_change")
    assert ends.outlook(1, shown, None, now_s, 0.1, goes_dark=False).likely_end_s is None
    ends.enter(Regime(Control.ACTUATED, 1, preempt=True), "preempt")
    assert ends.outlook(1, shown, None, now_s, 0.1, goes_dark=False).likely_end_s is None


def test_by_hand_only_the_colour_is_told_and_that_it_may_end_now() -> None:
    signals = programmed()
    run(signals, 200.0)
    signals.receive(SignalReport(200.0, 200.0, control=Control.MANUAL))
    for group in signals.outlook(200.1).groups:
        assert (group.min_end_s, group.likely_end_s, group.max_end_s) == (200.1, None, None)
