"""The radar's own clock found under the line's jitter."""

from __future__ import annotations

import random

import pytest

from drivers.ti_mmwave.clock_fit import MOST_POINTS, STEPS, ClockFit


@pytest.mark.parametrize("period_s", [0.05, 0.09785, 0.1])
def test_jitter_of_the_line_is_taken_out_once_some_frames_came(period_s: float) -> None:
    chance, fit = random.Random(7), ClockFit()
    errors = [
        abs(
            fit.measured_s(number, 50 + number * period_s + chance.expovariate(1 / 0.01))
            - 50
            - number * period_s
        )
        for number in range(1, 400)
    ]
    assert max(errors[200:]) < 0.003
    assert fit.period_s == pytest.approx(period_s, rel=1e-3)


def test_no_frame_was_measured_after_it_arrived() -> None:
    chance, fit = random.Random(3), ClockFit()
    for number in range(300):
        arrived_s = number * 0.1 + chance.uniform(0, 0.02)
        assert fit.measured_s(number, arrived_s) <= arrived_s


def test_lost_frames_do_not_disturb_the_line() -> None:
    fit = ClockFit()
    for number in [*range(100), *range(108, 200)]:
        measured_s = fit.measured_s(number, number * 0.1)
    assert measured_s == pytest.approx(19.9)


def test_a_counter_that_begins_anew_or_pauses_is_followed() -> None:
    fit = ClockFit()
    for number in range(100):
        fit.measured_s(number, number * 0.1)
    assert fit.measured_s(0, 20.0) == 20.0
    for number in range(1, 50):
        fit.measured_s(number, 20 + number * 0.1)
    paused = [fit.measured_s(number, 60 + number * 0.1) for number in range(50, 50 + STEPS + 1)]
    assert paused[-1] == pytest.approx(60 + (49 + STEPS + 1) * 0.1)


def test_without_a_believable_period_the_arrival_stands() -> None:
    fit = ClockFit()
    for number in range(30):
        assert fit.measured_s(number, number * 0.001) == pytest.approx(number * 0.001)
    assert fit.period_s is None


def test_frames_faster_than_any_radars_take_no_more_memory_and_time() -> None:
    fit = ClockFit()
    for number in range(3 * MOST_POINTS):
        fit.measured_s(number, number * 0.001)
    assert len(fit._points) == MOST_POINTS
