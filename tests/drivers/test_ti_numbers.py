"""TI mmWave frame numbers: gaps, restarts, sub-frames, spoilt numbers, and those of a cooked terminal."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from drivers.ti_mmwave.numbering import MOST_MISSED, NUMBERS, Numbered, Numbering


def take(*numbers: int) -> tuple[list[Numbered], Counter[str]]:
    counters: Counter[str] = Counter()
    numbering = Numbering(counters)
    return [numbering.take(number) for number in numbers], counters


def test_a_stream_may_start_at_any_number() -> None:
    (first,), counters = take(3_000_000_000)
    assert (first.missed, first.anew, counters["missed"]) == (0, False, 0)


def test_numbers_left_out_are_frames_missed() -> None:
    numbered, counters = take(41, 42, 45, 46)
    assert [found.missed for found in numbered] == [0, 0, 2, 0]
    assert counters["missed"] == 2


def test_the_number_wraps() -> None:
    numbered, counters = take(NUMBERS - 1, 0, 1)
    assert [found.missed for found in numbered] == [0, 0, 0]
    assert not counters["resets"]


def test_sub_frames_have_one_number_and_nothing_is_missed() -> None:
    numbered, counters = take(7, 7, 8, 8)
    assert [found.missed for found in numbered] == [0, 0, 0, 0]
    assert not +counters


def test_numbers_that_begin_again_are_a_restart_once_a_second_one_follows() -> None:
    numbered, counters = take(900, 901, 1, 2, 5)
    assert [found.anew for found in numbered] == [False, False, False, True, False]
    assert [found.missed for found in numbered] == [0, 0, 0, 0, 2]
    assert (counters["resets"], counters["odd_numbers"]) == (1, 1)


def test_one_spoilt_number_is_no_restart_and_no_gap() -> None:
    numbered, counters = take(40, 41, 42 ^ 1 << 30, 43, 44)
    assert [found.number for found in numbered] == [40, 41, 42, 43, 44]
    assert (counters["missed"], counters["resets"], counters["odd_numbers"]) == (0, 0, 1)


def test_a_leap_ahead_by_more_than_a_minute_is_a_restart() -> None:
    _, counters = take(40, 41, 42 + MOST_MISSED, 43 + MOST_MISSED)
    assert (counters["missed"], counters["resets"]) == (0, 1)


def test_a_cooked_terminal_makes_ten_of_thirteen_and_nothing_is_missed() -> None:
    """As in a real capture: ... 12, 10, 14 ... and 268, 266, 270 (0x10D -> 0x10A)."""
    numbered, counters = take(11, 12, 10, 14, 15)
    assert [found.number for found in numbered] == [11, 12, 13, 14, 15]
    numbered, more = take(268, 266, 270)
    assert [found.number for found in numbered] == [268, 269, 270]
    for counted in (counters, more):
        assert counted["cooked_numbers"] == 1
        assert not counted["missed"] + counted["resets"] + counted["odd_numbers"]


@given(st.lists(st.integers(0, NUMBERS - 1), max_size=40))
def test_any_numbers_give_counts_in_bounds(numbers: list[int]) -> None:
    numbered, _ = take(*numbers)
    assert all(0 <= found.missed < MOST_MISSED and 0 <= found.number < NUMBERS for found in numbered)
