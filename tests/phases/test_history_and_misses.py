"""What is seen of the lamps, and what follows when a prediction fails (field-rules 3.3)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.phases.history import PERIODS_KEPT, History, Shown
from rsu_agent.phases.predict import MISSED_FLOOR_S, FixedTimePredictor, of_plan
from rsu_agent.world.signal import Colour, Lamp, Phase, Plan, Programme, SignalReport, Stage, StageSlot, Step

CYCLE_S = 60.0
PROGRAMME = Programme(
    "p",
    (1, 2),
    (Phase(1, (1,), (Step(Colour.YELLOW, 3.0),)), Phase(2, (2,), (Step(Colour.YELLOW, 3.0),))),
    (Stage(1, (1,)), Stage(2, (2,))),
    (Plan(1, CYCLE_S, (StageSlot(1, 30.0), StageSlot(2, 30.0))),),
)


def report(at: float, *colours: Colour, complete: bool = True) -> SignalReport:
    return SignalReport(at, at + 0.01, tuple(Lamp(g, c) for g, c in enumerate(colours, 1)), complete)


COLOURS = st.sampled_from(list(Colour))


@settings(max_examples=100)
@given(st.lists(st.tuples(COLOURS, COLOURS), min_size=1, max_size=40))
def test_edges_are_exactly_the_changes_stamped_at_the_first_byte_of_the_report(
    seen: list[tuple[Colour, Colour]],
) -> None:
    history, edges = History(), []
    for step, colours in enumerate(seen):
        edges += [
            (e.group, e.before, e.after, e.at_s) for e in history.receive(report(float(step), *colours))
        ]
    expected = [
        (group + 1, seen[step - 1][group], seen[step][group], float(step))
        for step in range(1, len(seen))
        for group in (0, 1)
        if seen[step - 1][group] is not seen[step][group]
    ]
    assert edges == expected
    assert {g: shown.colour for g, shown in history.shown.items()} == {1: seen[-1][0], 2: seen[-1][1]}


def test_a_report_older_than_the_newest_changes_nothing() -> None:
    history = History()
    list(history.receive(report(5.0, Colour.RED)))
    assert list(history.receive(report(4.9, Colour.GREEN))) == []
    assert history.shown[1].colour is Colour.RED
    assert history.complete_s == 5.0


def test_the_report_period_is_the_slowest_but_one_percent_of_the_last_hundred() -> None:
    history, at = History(), 0.0
    for step in range(400):
        at += 2.0 if step < 200 else 0.1  # what was slow long ago is forgotten
        list(history.receive(report(at, Colour.RED)))
    assert history.report_period_s == pytest.approx(0.1)
    for expected in (0.1, 0.25):  # nearest rank: of a hundred, the p99 is the greatest but one
        at += 0.25
        list(history.receive(report(at, Colour.RED)))
        assert history.report_period_s == pytest.approx(expected)
    for _ in range(PERIODS_KEPT):
        at += 0.1
        list(history.receive(report(at, Colour.RED)))
    assert history.report_period_s == pytest.approx(0.1)


def paced(history: History, at: float, period_s: float, count: int, colour: Colour = Colour.RED) -> float:
    for _ in range(count):
        at += period_s
        assert list(history.receive(report(at, colour))) == []
    return at


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("outage_s", [0.5, 5.0])
def test_what_changed_while_nothing_was_heard_is_no_edge_and_has_no_beginning(
    lost: bool, outage_s: float
) -> None:
    history = History()
    at = paced(history, 0.0, 0.1, 30)
    if lost:
        history.line_lost()
        list(history.receive(report(at + 0.05, Colour.GREEN, complete=False)))
    assert list(history.receive(report(at + outage_s, Colour.GREEN))) == []
    assert history.shown[1] == Shown(Colour.GREEN, None, at + outage_s)
    (edge,) = history.receive(report(at + outage_s + 0.1, Colour.YELLOW))
    assert (edge.before, edge.after) == (Colour.GREEN, Colour.YELLOW)


@pytest.mark.parametrize(("outage_s", "known"), [(0.5, True), (5.0, False)])
def test_a_colour_that_is_still_there_keeps_its_beginning_over_a_short_outage_alone(
    outage_s: float, known: bool
) -> None:
    history = History()
    at = paced(history, 0.0, 0.1, 30)
    (edge,) = history.receive(report(at + 0.1, Colour.GREEN))
    list(history.receive(report(edge.at_s + outage_s, Colour.GREEN)))
    assert history.shown[1].since_s == (edge.at_s if known else None)


def test_outages_are_no_pace_so_that_the_next_one_is_told_as_soon() -> None:
    history = History()
    at = paced(history, 0.0, 0.1, 30)
    for _ in range(6):
        at = paced(history, paced(history, at, 4.0, 1), 0.1, 5)
        assert history.stale_after_s == pytest.approx(0.3)


def test_a_source_that_becomes_slower_is_believed_after_some_reports_at_its_new_pace() -> None:
    history = History()
    at = paced(history, paced(history, 0.0, 0.1, 100), 1.0, 9)
    assert history.stale_after_s == pytest.approx(0.3)
    paced(history, at, 1.0, 1)
    assert history.stale_after_s == pytest.approx(1.6)


def test_the_irregular_gaps_of_a_bad_line_are_no_pace_until_they_are_really_many() -> None:
    history = History()
    at = paced(history, 0.0, 0.1, 100)
    for step in range(59):
        at = paced(history, at, (0.4, 0.7, 1.3)[step % 3], 1)
    assert history.stale_after_s == pytest.approx(0.3)
    paced(history, at, 0.5, 1)
    assert history.stale_after_s == pytest.approx(1.5 * 1.3 + 0.1)


def test_traps_that_carry_one_lamp_do_not_count_as_the_pace_of_reports() -> None:
    history = History()
    for step in range(50):
        list(history.receive(report(step / 10, Colour.RED)))
        list(history.receive(report(step / 10 + 0.001, Colour.RED, complete=False)))
    assert history.report_period_s == pytest.approx(0.1)


def cycling(cycles: int) -> tuple[FixedTimePredictor, dict[int, Shown], float]:
    """A predictor that has seen whole cycles at 10 Hz; ends in the middle of group 1's green."""
    history = History()
    predictor = FixedTimePredictor(of_plan(PROGRAMME, PROGRAMME.plans[0]), 0.0)
    now = 0.0
    for step in range(round((cycles * CYCLE_S + 10.0) * 10)):
        now = step / 10
        into = now % CYCLE_S
        first = Colour.GREEN if into < 27 else Colour.YELLOW if into < 30 else Colour.RED
        second = Colour.RED if into < 30 else Colour.GREEN if into < 57 else Colour.YELLOW
        for edge in history.receive(report(now, first, second)):
            predictor.saw_edge(edge)
    return predictor, history.shown, now


@pytest.mark.parametrize("report_period_s", [0.1, 0.5])
def test_a_green_that_outlasts_its_end_goes_from_a_tenth_ahead_to_unknown_and_is_missed_once(
    report_period_s: float,
) -> None:
    predictor, shown, now = cycling(2)
    end_s = predictor.outlook(1, shown[1], now, report_period_s).likely_end_s
    assert end_s == pytest.approx(2 * CYCLE_S + 27.0, abs=0.11)
    patience_s = max(MISSED_FLOOR_S, 2 * report_period_s)
    at = now
    while at < end_s + patience_s + CYCLE_S - 1.0:
        said = predictor.outlook(1, shown[1], at, report_period_s)
        assert said.colour is Colour.GREEN
        if at > end_s + patience_s:
            assert said.likely_end_s is None
        else:
            assert said.likely_end_s == pytest.approx(max(end_s, at + 0.1))
            assert said.min_end_s <= said.likely_end_s <= said.max_end_s
        at += 0.1
    assert predictor.counters["prediction_missed"] == 1
    assert predictor.outlook(2, shown[2], now, report_period_s).likely_end_s is not None


def test_a_miss_lowers_the_confidence_and_good_cycles_raise_it() -> None:
    predictor, shown, now = cycling(4)
    before = predictor.confidence
    assert before > cycling(2)[0].confidence > 0.5
    end_s = predictor.outlook(1, shown[1], now, 0.1).likely_end_s
    predictor.outlook(1, shown[1], end_s + 2.0, 0.1)
    assert predictor.confidence < before


def test_announced_ends_of_a_phase_neither_jump_nor_creep() -> None:
    predictor, shown, now = cycling(3)
    ends = [predictor.outlook(1, shown[1], now + n / 10, 0.1).likely_end_s for n in range(50)]
    assert max(ends) - min(ends) <= 0.1
    assert abs(sum(ends[-10:]) / 10 - sum(ends[:10]) / 10) <= 0.05
