"""How far a lane has come: exactly what was added, whatever the order; said in as many ranges as fit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.district.numbers import Numbers

RUN = st.tuples(st.integers(1, 60), st.integers(0, 6)).map(lambda run: (run[0], run[0] + run[1]))


@given(st.lists(RUN, max_size=40))
def test_it_holds_exactly_what_was_added_in_any_order(runs: list[tuple[int, int]]) -> None:
    numbers, held = Numbers(), set[int]()
    for first, last in runs:
        numbers.add(first, last)
        held |= set(range(first, last + 1))
        assert {n for n in range(1, 80) if n in numbers} == held
        assert numbers.high == max(held)
        assert numbers.missing == numbers.high - len(held)
        assert numbers.contiguous + 1 not in held
        assert set(range(1, numbers.contiguous + 1)) <= held
        said = {n for low, high in numbers.ranges(99) for n in range(low, high + 1)}
        assert said == {n for n in held if n > numbers.contiguous}


@given(st.lists(RUN, min_size=1, max_size=40), st.integers(1, 4))
def test_of_more_ranges_than_fit_the_lowest_are_said(runs: list[tuple[int, int]], most: int) -> None:
    numbers = Numbers()
    for run in runs:
        numbers.add(*run)
    assert numbers.ranges(most) == numbers.ranges(99)[:most]


def test_gaps_are_written_as_postgresql_reads_them() -> None:
    numbers = Numbers()
    numbers.add(3, 4)
    numbers.add(9, 9)
    assert numbers.multirange() == "{[1,3),[5,9)}"
    assert Numbers(9, [(1, 2), (5, 8)]).ranges(8) == [(3, 4), (9, 9)]
