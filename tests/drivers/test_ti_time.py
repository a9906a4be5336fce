"""TI mmWave time: the cycle counter over its wraps, else the frame number; pauses, restarts."""

from __future__ import annotations

import random

import pytest

from drivers.ti_mmwave.radar_time import WRAP, RadarTime


def worst_ms(
    hertz: float | None, period_s: float, frames: range, seed: int = 5, step: int = 1, uneven_s: float = 0.0
) -> float:
    """The largest error of the last third of these frames, whose arrival is 10 ms late in the mean."""
    chance, radar, errors, true_s = random.Random(seed), RadarTime(), [], 77.0
    for frame in frames:
        true_s += period_s * step + chance.uniform(0, uneven_s)
        cycles = None if hertz is None else int(true_s * hertz) % WRAP
        told_s = radar.measured_s(frame * step, cycles, true_s + chance.expovariate(1 / 0.01))
        errors.append(abs(told_s - true_s) * 1000)
    return max(errors[len(errors) * 2 // 3 :])


@pytest.mark.parametrize("hertz", [200e6, 600e6])
@pytest.mark.parametrize("period_s", [0.05, 0.055, 0.1])
def test_jitter_is_taken_out_over_many_wraps_of_the_cycle_counter(hertz: float, period_s: float) -> None:
    assert worst_ms(hertz, period_s, range(round(70 / period_s))) < 3.0


def test_without_a_cycle_counter_the_frame_number_serves() -> None:
    assert worst_ms(None, 0.055, range(900)) < 3.0


def test_a_period_that_the_line_stretches_is_followed_by_the_cycles() -> None:
    """guiMonitor asks for more than the line can carry: frames come when they are done."""
    assert worst_ms(200e6, 0.1, range(600), uneven_s=0.04) < 3.0


def test_counters_that_step_by_two_are_followed() -> None:
    assert worst_ms(None, 0.05, range(600), step=2) < 3.0


@pytest.mark.parametrize("pause_s", [5.0, 20.0, 47.0, 100.0])
@pytest.mark.parametrize("hertz", [200e6, 600e6])
def test_a_pause_longer_than_a_wrap_is_measured_by_the_rate(hertz: float, pause_s: float) -> None:
    radar, told_s = RadarTime(), 0.0
    for frame in range(300):
        now_s = 10 + frame * 0.1
        told_s = radar.measured_s(frame, int(now_s * hertz) % WRAP, now_s)
    rate_hz = 1 / (radar._by_cycles.period_s or 0)
    assert rate_hz == pytest.approx(hertz, rel=1e-4)
    now_s += 0.1 + pause_s
    counted = radar._count
    told_s = radar.measured_s(300 + round(pause_s * 10), int(now_s * hertz) % WRAP, now_s)
    assert (radar._count - counted) / hertz == pytest.approx(pause_s + 0.1, abs=0.01)
    assert told_s == pytest.approx(now_s, abs=0.02)


def test_a_radar_that_was_restarted_is_learnt_again() -> None:
    radar, chance, errors = RadarTime(), random.Random(3), []
    for begin_s, first in ((10.0, 500), (60.0, 1)):
        radar.reset()
        for frame in range(300):
            true_s = begin_s + frame * 0.1
            told_s = radar.measured_s(
                first + frame, int(frame * 20e6) % WRAP, true_s + chance.uniform(0, 0.02)
            )
            errors.append(abs(told_s - true_s))
    assert max(errors[200:300] + errors[500:]) < 0.003


def test_a_cycle_counter_that_begins_again_by_itself_is_followed_at_once() -> None:
    radar, chance, errors = RadarTime(), random.Random(3), []
    for frame in range(400):
        true_s = 10 + frame * 0.1
        cycles = int((frame if frame < 250 else frame - 250) * 20e6) % WRAP
        told_s = radar.measured_s(7, cycles, true_s + chance.uniform(0, 0.02))  # the number does not help
        errors.append(abs(told_s - true_s))
    assert max(errors[250:]) < 0.021  # never worse than the line's own jitter
    assert max(errors[290:]) < 0.003


@pytest.mark.parametrize("cycles", [7, 0])
def test_a_counter_that_stands_still_is_not_believed(cycles: int) -> None:
    radar, chance, errors = RadarTime(), random.Random(3), []
    for frame in range(300):
        told_s = radar.measured_s(frame, cycles, frame * 0.1 + chance.uniform(0, 0.02))
        errors.append(abs(told_s - frame * 0.1))
    assert max(errors[100:]) < 0.003
    assert radar.timing.skew_ppm is None


def test_random_cycles_never_put_a_frame_after_its_arrival() -> None:
    radar, chance = RadarTime(), random.Random(9)
    for frame in range(500):
        arrived_s = frame * 0.1
        assert radar.measured_s(frame, chance.randrange(WRAP), arrived_s) <= arrived_s


def test_sub_frames_share_a_number_and_disturb_nothing() -> None:
    radar, chance, errors = RadarTime(), random.Random(4), []
    for frame in range(300):
        for _ in range(2):
            told_s = radar.measured_s(frame, None, frame * 0.1 + chance.uniform(0, 0.01))
            errors.append(abs(told_s - frame * 0.1))
    assert max(errors[100:]) < 0.003


def test_skew_jitter_and_offset_are_told() -> None:
    """One capture shows 97.85 ms of ours for each nominal 100 ms: the radar's clock runs 2.2 % fast."""
    radar, chance = RadarTime(), random.Random(8)
    for frame in range(400):
        radar.measured_s(frame, frame * 20_000_000 % WRAP, frame * 0.09785 + chance.uniform(0, 0.01))
    timing = radar.timing
    assert timing.period_s == pytest.approx(0.09785, rel=1e-3)
    assert timing.skew_ppm == pytest.approx((1 / 0.9785 - 1) * 1e6, rel=0.02)
    assert timing.jitter_ms == pytest.approx(5.0, abs=1.0)
    assert timing.offset_ms is not None
    assert 0.0 <= timing.offset_ms <= 10.5
