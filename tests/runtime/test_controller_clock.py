"""The controller's clock is compared with ours and named; it is never followed."""

from __future__ import annotations

import pytest

from rsu_agent.runtime.controller_clock import ControllerClock
from rsu_agent.world.signal import SignalReport

UTC_LESS_S = 1_790_000_000.0


def report(at_s: float, **told: int) -> SignalReport:
    return SignalReport(at_s, at_s + 0.01, (), False, **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("off_s", "named"), [(0.0, None), (18.0, "GPS time"), (28_800.0, "local time"), (-10.0, None)]
)
def test_an_offset_is_measured_and_named_by_its_size(off_s: float, named: str | None) -> None:
    clock = ControllerClock()
    for step in range(20):
        told_s = int(1000.0 + step / 2 + UTC_LESS_S + off_s)
        clock.saw(report(1000.0 + step / 2, controller_utc_ms=told_s * 1000), UTC_LESS_S)
    assert clock.offset_s == pytest.approx(off_s, abs=0.6)
    assert clock.named == named


@pytest.mark.parametrize("off_s", [-30.0, 0.0, 45.0])
def test_a_time_of_day_is_one_of_beijing_and_midnight_is_no_jump(off_s: float) -> None:
    clock = ControllerClock()
    midnight_s = 86_400.0 * 20_000 - 28_800.0 - UTC_LESS_S  # monotonic, of a midnight in Beijing
    for step in range(-10, 10):
        day_ms = round((step + off_s) % 86_400 * 1000)
        clock.saw(report(midnight_s + step, controller_day_ms=day_ms), UTC_LESS_S)
    assert clock.offset_s == pytest.approx(off_s, abs=0.01)


def test_without_a_clock_of_our_own_nothing_is_compared_and_one_odd_reading_moves_nothing() -> None:
    clock = ControllerClock()
    clock.saw(report(1000.0, controller_utc_ms=1), None)
    assert (clock.offset_s, clock.named) == (None, None)
    for step in range(14):
        clock.saw(
            report(1000.0 + step, controller_utc_ms=round((1000 + step + UTC_LESS_S) * 1000)), UTC_LESS_S
        )
    clock.saw(report(1020.0, controller_utc_ms=0), UTC_LESS_S)
    assert clock.offset_s == pytest.approx(0.0)
