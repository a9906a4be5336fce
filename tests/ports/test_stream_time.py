"""A live stream's time stamps: pictures out of order, buffers that grow, and how many pictures are taken."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.ports.stream_time import BEHIND_S, MOST_BACK, PATIENCE_S, StreamTime, Thinning
from rsu_agent.ports.trouble import DeviceLost


def test_a_picture_as_old_as_one_before_or_older_is_not_taken() -> None:
    stream = StreamTime()
    assert [
        stream.took(ms, at) for ms, at in ((40, 0.0), (80, 0.04), (80, 0.08), (60, 0.12), (120, 0.16))
    ] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_a_stream_that_counts_anew_is_opened_anew() -> None:
    stream = StreamTime()
    assert stream.took(3_600_000, 0.0)
    for n in range(MOST_BACK):
        assert not stream.took(40 * n + 40, 0.04 * n)
    with pytest.raises(DeviceLost, match="garbled"):
        stream.took(40 * MOST_BACK + 40, 0.04 * MOST_BACK)


@pytest.mark.parametrize("untold", [0.0, -1.0, float("nan"), float("inf")])
def test_a_stream_without_stamps_is_not_judged(untold: float) -> None:
    stream = StreamTime()
    assert all(stream.took(untold, n * 10.0) for n in range(100))


@given(st.integers(0, 2**32), st.floats(-200e-6, 200e-6))
def test_a_day_of_jitter_and_of_a_camera_clock_that_is_a_little_off_loses_nothing(
    seed: int, off: float
) -> None:
    dice, stream, at_s = random.Random(seed), StreamTime(), 0.0
    for n in range(800):
        at_s = max(at_s, n * 108.0 + dice.uniform(0.0, 0.8))
        assert stream.took(1000 + n * 108_000.0 * (1 + off), at_s)


def test_a_buffer_that_grows_by_a_twentieth_is_told_once_it_holds_more_than_a_second() -> None:
    stream, at_s = StreamTime(), 0.0
    with pytest.raises(DeviceLost, match="late"):  # noqa: PT012  when, is asked below
        for n in range(2000):
            at_s = n * 0.04
            stream.took(40 + n * 40 * 0.95, at_s)
    assert at_s == pytest.approx(BEHIND_S / 0.05 + PATIENCE_S, abs=0.5)


def test_a_hiccup_of_five_seconds_that_is_caught_up_is_none() -> None:
    stream = StreamTime()
    for n in range(100):
        assert stream.took(40 + n * 40, n * 0.04)
    for n in range(100, 225):  # five seconds of pictures, all within a second
        assert stream.took(40 + n * 40, 9.0 + (n - 100) * 0.008)
    for n in range(225, 400):
        assert stream.took(40 + n * 40, 10.0 + (n - 225) * 0.04)


@given(st.integers(1, 60), st.integers(5, 60), st.integers(0, 2**32))
def test_as_many_pictures_are_taken_as_are_wanted_or_all_there_are(most: int, has: int, seed: int) -> None:
    dice, thinning, seconds = random.Random(seed), Thinning(most), 20
    times = [(n + dice.uniform(-0.3, 0.3)) / has for n in range(has * seconds)]
    taken = [at_s for at_s in times if thinning.takes(at_s)]
    assert len(taken) == pytest.approx(min(most, has) * seconds, rel=0.1, abs=2)
