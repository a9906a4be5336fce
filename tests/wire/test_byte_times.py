"""A frame is stamped at its first byte, whatever the chunks it came in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.wire.byte_times import ByteTimes

BYTE_S = 10 / 9600


def test_a_chunk_of_a_whole_frame_is_moved_back_by_its_bits() -> None:
    times = ByteTimes(BYTE_S)
    times.add(96, 50.0)
    assert times.left_s(0) == pytest.approx(50.0 - 0.1)
    assert times.left_s(95) == pytest.approx(50.0 - BYTE_S)


def test_no_byte_left_before_the_chunk_ahead_of_it_was_taken() -> None:
    times = ByteTimes(BYTE_S)
    times.add(1, 50.0)
    times.add(960, 50.1)
    assert times.left_s(1) == pytest.approx(50.0 - BYTE_S)


@given(st.lists(st.integers(1, 64), min_size=1, max_size=40))
def test_on_a_steadily_sending_line_every_split_gives_the_same_instants(chunks: list[int]) -> None:
    times, sent = ByteTimes(BYTE_S), 0
    for count in chunks:
        sent += count
        times.add(count, 10.0 + sent * BYTE_S)
    for position in range(sent):
        assert times.left_s(position) == pytest.approx(10.0 + position * BYTE_S, abs=BYTE_S * 1.01)


def test_forgotten_positions_cost_no_memory_and_later_ones_stay_right() -> None:
    times = ByteTimes(BYTE_S)
    for number in range(100):
        times.add(10, float(number))
        times.forget(times.position - 10)
    assert times.left_s(995) == pytest.approx(99.0 - 5 * BYTE_S)
    assert len(times._chunks) <= 2
