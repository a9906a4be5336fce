"""From single pictures to a colour: steady, flashing, dark or unknown, whatever the rate of the pictures."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.perception.lamp_boxes import Shine
from rsu_agent.perception.lamp_history import DARK_AFTER_S, LAPSES_S, NEW_LOOK_S, HeadHistory
from rsu_agent.world.signal import Colour
from rsu_agent.world.witness import HeadSeen

Sight = tuple[Shine, bool]
LIT: Sight = (Shine.GREEN, True)
OFF: Sight = (Shine.UNLIT, True)
BLIND: Sight = (Shine.UNLIT, False)
HIDDEN: Sight = (Shine.NOTHING_READ, False)


def told(
    sights: list[Sight], hz: float = 10.0, history: HeadHistory | None = None, from_s: float = 100.0
) -> list[HeadSeen]:
    history = history or HeadHistory(4)
    seen = []
    for number, (shine, housed) in enumerate(sights):
        history.took(shine, housed, from_s + number / hz)
        seen.append(history.seen(from_s + number / hz))
    return seen


def flashing(hz: float, picture_hz: float, phase: float, seconds: float, off: Sight = OFF) -> list[Sight]:
    """A green lamp that flashes at hz; phase 0: it begins to be lit."""
    times = (number / picture_hz for number in range(math.ceil(seconds * picture_hz)))
    return [LIT if (at_s * hz + phase) % 1.0 < 0.5 else off for at_s in times]


def red(pictures: int) -> list[Sight]:
    return [(Shine.RED, True)] * pictures


def test_the_second_picture_makes_a_colour_and_its_beginning_is_the_first() -> None:
    seen = told([*red(4), LIT, LIT])
    assert [head.colour for head in seen] == [Colour.UNKNOWN, *[Colour.RED] * 4, Colour.GREEN]
    assert seen[1].since_s is None, "it was there when the camera began to look"
    assert seen[-1].since_s == 100.4
    assert [head.seen_s for head in seen[3:]] == [100.3, 100.3, 100.5]


def test_where_the_housing_is_not_seen_one_picture_more_is_wanted() -> None:
    seen = told([*red(4), *[(Shine.GREEN, False)] * 3])
    assert [head.colour for head in seen[4:]] == [Colour.RED, Colour.RED, Colour.GREEN]


def test_one_picture_of_another_colour_changes_nothing() -> None:
    seen = told([*red(4), LIT, *red(4)])
    assert {head.colour for head in seen[1:]} == {Colour.RED}


@given(hz=st.floats(0.4, 2.2), phase=st.floats(0.0, 0.999), before=st.booleans())
def test_any_flash_is_told_at_its_first_whole_half_and_never_as_dark(
    hz: float, phase: float, before: bool
) -> None:
    seen = told([*(red(20) if before else []), *flashing(hz, 10.0, phase, 4 / hz + 0.5)])
    colours = [head.colour for head in seen]
    assert set(colours) <= {Colour.RED, Colour.GREEN, Colour.GREEN_FLASH, Colour.UNKNOWN}
    assert colours[-1] is Colour.GREEN_FLASH
    first = colours.index(Colour.GREEN_FLASH) - (20 if before else 0)
    assert first / 10.0 <= 2.0 / hz + 0.3
    assert set(colours[first + 20 * before :]) <= {Colour.GREEN_FLASH, Colour.UNKNOWN}


@given(hz=st.floats(0.4, 1.2), phase=st.floats(0.0, 0.999))
def test_a_flash_is_told_at_five_pictures_a_second_too(hz: float, phase: float) -> None:
    seen = told(flashing(hz, 5.0, phase, 4 / hz + 1.0), 5.0)
    assert seen[-1].colour is Colour.GREEN_FLASH
    assert Colour.DARK not in {head.colour for head in seen}


@pytest.mark.parametrize("hz", [2.5, 3.0])
def test_a_fast_flash_is_told_when_two_dark_pictures_fall_together(hz: float) -> None:
    seen = told(flashing(hz, 10.0, 0.0, 3.0))
    assert Colour.GREEN_FLASH in {head.colour for head in seen[:20]}


@given(st.floats(0.5, 1.5))
def test_a_flash_by_night_whose_dark_half_shows_nothing_is_told_by_its_rhythm(hz: float) -> None:
    seen = told([LIT] * 30 + flashing(hz, 10.0, 0.5, 5 / hz, off=BLIND))
    assert Colour.GREEN_FLASH in {head.colour for head in seen}
    assert {head.colour for head in seen} <= {Colour.GREEN, Colour.GREEN_FLASH, Colour.UNKNOWN}


@given(st.lists(st.integers(3, 30), min_size=1, max_size=8))
def test_a_steady_lamp_that_is_missing_in_single_pictures_is_neither_flash_nor_dark(runs: list[int]) -> None:
    sights = [sight for n, run in enumerate(runs) for sight in [OFF] * (n > 0) + [LIT] * (run + 12)]
    assert {head.colour for head in told(sights)[2:]} == {Colour.GREEN}


@given(st.lists(st.sampled_from([BLIND, HIDDEN]), min_size=1, max_size=60))
def test_what_hides_a_lamp_makes_neither_flash_nor_dark(hidden: list[Sight]) -> None:
    seen = told([LIT] * 30 + hidden + [LIT] * 30)
    assert {head.colour for head in seen[2:]} <= {Colour.GREEN, Colour.UNKNOWN}


def test_a_lamp_that_goes_out_is_unknown_until_it_is_longer_dark_than_any_flash() -> None:
    seen = told([LIT] * 10 + [OFF] * 20)
    colours = [head.colour for head in seen]
    dark = colours.index(Colour.DARK)
    assert DARK_AFTER_S <= (dark - 10) / 10.0 <= 1.4
    assert set(colours[9:dark]) == {Colour.GREEN, Colour.UNKNOWN}
    assert colours[9 + math.ceil(LAPSES_S * 10)] is Colour.UNKNOWN
    assert seen[dark].since_s == 101.0
    assert seen[-1].seen_s == pytest.approx(102.9)


def test_from_the_beginning_dark_takes_as_long_and_has_no_beginning() -> None:
    seen = told([OFF] * 16)
    assert [head.colour for head in seen[:13]] == [Colour.UNKNOWN] * 13
    assert (seen[-1].colour, seen[-1].since_s) == (Colour.DARK, None)
    assert told([BLIND] * 40)[-1].colour is Colour.UNKNOWN


def test_a_flash_that_stays_lit_is_steady_again_and_one_that_stays_dark_is_dark() -> None:
    flash = [LIT] * 20 + flashing(1.0, 10.0, 0.5, 3.0)
    lit = told([*flash, *[LIT] * 20])
    assert lit[len(flash)].colour is Colour.GREEN_FLASH
    assert (lit[-1].colour, lit[-1].since_s) == (Colour.GREEN, pytest.approx(104.5))
    assert told([*flash, *[OFF] * 20])[-1].colour is Colour.DARK


def test_a_flash_that_becomes_another_colour_is_that_at_once() -> None:
    seen = told([LIT] * 20 + flashing(1.0, 10.0, 0.5, 3.0) + [(Shine.YELLOW, True)] * 3)
    assert [head.colour for head in seen[-2:]] == [Colour.YELLOW] * 2


def test_after_a_long_gap_nobody_knows_since_when() -> None:
    history = HeadHistory(4)
    told([*red(4), *[LIT] * 5], history=history)
    (soon,) = told([LIT], history=history, from_s=101.9)
    assert soon.since_s == 100.4
    late = told([LIT] * 3, history=history, from_s=102.0 + NEW_LOOK_S)
    assert [(head.colour, head.since_s) for head in late] == [
        (Colour.UNKNOWN, None), (Colour.GREEN, None), (Colour.GREEN, None),
    ]  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(Shine), st.booleans()), max_size=80),
    st.sampled_from([5.0, 10.0, 25.0]),
)
def test_whatever_it_sees_an_opinion_is_fresh_and_rests_on_a_picture(sights: list[Sight], hz: float) -> None:
    for number, head in enumerate(told(sights, hz)):
        now_s = 100.0 + number / hz
        assert 100.0 <= head.seen_s <= now_s
        if head.colour is Colour.UNKNOWN:
            assert head.since_s is None
        else:
            assert now_s - head.seen_s <= 1.0 + 1e-6
            assert head.since_s is None or head.since_s <= head.seen_s


def test_a_colour_is_only_told_while_pictures_come() -> None:
    history = HeadHistory(4)
    told(red(5), history=history)
    ask: Callable[[float], Colour] = lambda at_s: history.seen(at_s).colour  # noqa: E731
    assert ask(100.4 + LAPSES_S) is Colour.RED
    assert ask(100.5 + LAPSES_S) is Colour.UNKNOWN
