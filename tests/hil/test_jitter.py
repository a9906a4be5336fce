"""Emission jitter: ticks against frames, extras in between, and what is missing."""

from __future__ import annotations

import random

import pytest

from hil.score.jitter import jitter_ms, tick_errors

T0 = 5000.0


def grid(count: int, phase: float = 0.037) -> list[float]:
    return [T0 + phase + n / 10 for n in range(count)]


def test_an_even_grid_has_no_jitter_whatever_its_phase() -> None:
    for phase in (0.0, 0.037, 0.0999):
        errors = tick_errors(grid(1001, phase), T0, T0 + 100)
        assert len(errors) in (1000, 1001)
        assert jitter_ms(errors) == pytest.approx(0.0, abs=0.01)


def test_extra_frames_between_ticks_do_not_count_and_do_not_move_the_grid() -> None:
    dice = random.Random(1)
    extras = [t + 0.05 for t in grid(1000) if dice.random() < 0.08]
    assert jitter_ms(tick_errors(grid(1000) + extras, T0, T0 + 99.9)) == pytest.approx(0.0, abs=0.3)


def test_late_frames_show_by_how_much_and_how_many() -> None:
    late = [t + (0.012 if n in (100, 200) else 0.0) for n, t in enumerate(grid(1001))]
    errors = tick_errors(late, T0, T0 + 100)
    assert jitter_ms(errors) == pytest.approx(12.0, abs=0.1)
    assert jitter_ms(errors, 0.99) == pytest.approx(0.0, abs=0.1)


def test_a_missing_frame_is_half_a_period_and_silence_is_nothing() -> None:
    missing = [t for n, t in enumerate(grid(1001)) if n not in (300, 400)]
    assert jitter_ms(tick_errors(missing, T0, T0 + 100)) == 50.0
    assert tick_errors([], T0, T0 + 100) == []
    assert jitter_ms([]) is None
