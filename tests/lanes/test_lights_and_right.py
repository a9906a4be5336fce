"""What shone when, what it said to whom, and where nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.lanes.ground import Ground
from rsu_agent.lanes.lights import LONGEST_GAP_S, SPANS_KEPT, LightLog, Shone
from rsu_agent.lanes.right import SURE_RED_S, Right, right_of, said
from rsu_agent.world.crossing import Crossing, Turn
from rsu_agent.world.signal import Colour
from tests.lanes.made import lane, virtual


@pytest.fixture(scope="module")
def crossing() -> Crossing:
    return virtual()


def told(*changes: tuple[float, Colour], until_s: float, group: int = 1, period_s: float = 0.1) -> LightLog:
    """A group that is reported ten times a second and shows each colour from its instant on."""
    log = LightLog()
    for tick in range(round(changes[0][0] / period_s), round(until_s / period_s)):
        at_s = tick * period_s
        log.saw(group, [colour for since_s, colour in changes if since_s <= at_s + 1e-9][-1], at_s)
    return log


def test_a_colour_is_told_with_how_long_it_had_shone() -> None:
    log = told((0.0, Colour.RED), (10.0, Colour.GREEN), (30.0, Colour.YELLOW), until_s=40.0)
    assert log.at(1, 5.0).colour is Colour.RED
    assert log.at(1, 25.0).colour is Colour.GREEN
    assert log.at(1, 25.0).for_s == pytest.approx(15.0)
    assert log.at(1, 30.5).colour is Colour.YELLOW


def test_before_the_first_report_after_the_last_and_in_a_silence_nobody_knows() -> None:
    log = told((1.0, Colour.RED), until_s=10.0)
    for at_s in (20.0, 20.1):
        log.saw(1, Colour.RED, at_s)
    assert log.at(1, 0.5).colour is Colour.UNKNOWN
    assert log.at(1, 10.0 + LONGEST_GAP_S - 0.2).colour is Colour.RED
    assert log.at(1, 15.0).colour is Colour.UNKNOWN
    assert log.at(1, 20.1) == Shone(Colour.RED, pytest.approx(0.1))  # what it was in the silence is not known
    assert log.at(1, 23.0).colour is Colour.UNKNOWN
    assert log.at(2, 5.0).colour is Colour.UNKNOWN


def test_only_a_change_that_was_seen_is_one() -> None:
    log = LightLog()
    assert not log.saw(1, Colour.RED, 0.0)
    assert not log.saw(1, Colour.RED, 0.1)
    assert log.saw(1, Colour.GREEN, 0.2)
    assert not log.saw(1, Colour.RED, 0.1)  # older than what is known
    assert log.at(1, 0.2).colour is Colour.GREEN


def test_the_log_has_a_bound() -> None:
    log = LightLog()
    for tick in range(10 * SPANS_KEPT):
        log.saw(1, Colour.RED if tick % 2 else Colour.GREEN, float(tick))
    assert log.at(1, 10.0 * SPANS_KEPT - SPANS_KEPT - 2.0).colour is Colour.UNKNOWN
    assert log.at(1, 10.0 * SPANS_KEPT - SPANS_KEPT / 2).colour is not Colour.UNKNOWN


@given(st.lists(st.tuples(st.floats(0.05, 8.0), st.sampled_from(list(Colour))), min_size=1, max_size=30))
def test_the_log_answers_as_a_plain_list_does(steps: list[tuple[float, Colour]]) -> None:
    log, seen, at_s = LightLog(), [], 0.0
    for seconds, colour in steps:
        at_s += seconds
        seen.append((at_s, colour))
        log.saw(1, colour, at_s)
    for asked in (at_s / 3, at_s / 2, at_s, at_s + LONGEST_GAP_S + 1.0):
        before = [pair for pair in seen if pair[0] <= asked]
        known = before and asked - before[-1][0] <= LONGEST_GAP_S
        assert log.at(1, asked).colour is (before[-1][1] if known else Colour.UNKNOWN)


@pytest.mark.parametrize(
    ("colour", "for_s", "soon", "right"),
    [
        (Colour.GREEN, 5.0, Colour.GREEN, Right.GO),
        (Colour.GREEN_FLASH, 1.0, Colour.YELLOW, Right.GO),
        (Colour.YELLOW, 1.0, Colour.YELLOW, Right.YELLOW),
        (Colour.RED, SURE_RED_S - 0.05, Colour.RED, Right.YELLOW),
        (Colour.RED, SURE_RED_S, Colour.RED, Right.RED),
        (Colour.RED, 30.0, Colour.GREEN, Right.GO),
        (Colour.RED_YELLOW, 1.0, Colour.RED_YELLOW, Right.RED),
        (Colour.YELLOW_FLASH, 9.0, Colour.YELLOW_FLASH, Right.FREE),
        (Colour.RED_FLASH, 9.0, Colour.RED_FLASH, Right.FREE),
        (Colour.DARK, 9.0, Colour.DARK, Right.UNKNOWN),
        (Colour.UNKNOWN, 0.0, Colour.RED, Right.UNKNOWN),
    ],
)
def test_what_a_colour_says(colour: Colour, for_s: float, soon: Colour, right: Right) -> None:
    assert said(Shone(colour, for_s), Shone(soon, 0.0)) is right


@pytest.mark.parametrize(
    ("line", "conflict", "right"),
    [
        (Colour.RED, Colour.RED, Right.RED),
        (Colour.GREEN, Colour.RED, Right.CLEARING),
        (Colour.YELLOW, Colour.RED, Right.CLEARING),
        (Colour.RED, Colour.GREEN, Right.GO),
        (Colour.UNKNOWN, Colour.RED, Right.UNKNOWN),
        (Colour.RED, Colour.UNKNOWN, Right.UNKNOWN),
    ],
)
def test_red_running_needs_red_at_the_line_and_in_the_conflict_area(
    crossing: Crossing, line: Colour, conflict: Colour, right: Right
) -> None:
    ground = Ground(crossing)
    log = told((0.0, line), (10.0, conflict), until_s=20.0)
    entry = ground.entries[2]
    assert right_of(ground, entry, entry.ways, (5.0, 15.0), log) is right


def test_one_of_two_ways_is_only_known_where_both_lights_say_the_same(crossing: Crossing) -> None:
    ground = Ground(crossing)
    entry = ground.entries[31]
    assert {way.turn for way in entry.ways} == {Turn.LEFT, Turn.U_TURN}
    log = told((0.0, Colour.GREEN), until_s=10.0, group=8)
    assert right_of(ground, entry, entry.ways, (5.0, 5.0), log) is Right.UNKNOWN
    for tick in range(100):
        log.saw(21, Colour.GREEN, tick / 10)
    assert right_of(ground, entry, entry.ways, (5.0, 5.0), log) is Right.GO


def test_the_round_light_of_an_arm_is_that_of_its_straight_way(crossing: Crossing) -> None:
    ground = Ground(crossing)
    assert [ground.round_group(arm) for arm in ("N", "E", "S", "W")] == [1, 2, 3, 4]
    assert ground.round_group("nowhere") is None


def test_turns_without_a_connection_are_told_by_the_arms(crossing: Crossing) -> None:
    ground = Ground(crossing)
    north = lane(crossing, 1)
    turns = {leave: ground.turned(north, lane(crossing, leave)) for leave in (5, 15, 25, 35)}
    assert turns == {5: Turn.U_TURN, 15: Turn.LEFT, 25: Turn.THROUGH, 35: Turn.RIGHT}
