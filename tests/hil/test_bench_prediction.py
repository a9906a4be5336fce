"""Hours of prediction on simulated time: the rules of field-rules 3 hold, and no score can be cheated."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from hil.bench import prediction as bench
from hil.bench.day import Day, Step
from hil.bench.prediction import FEWEST, UNKNOWN_S, Sample, calibration, run_day, scored
from rsu_agent.world.signal import Colour, SignalReport


@cache
def hours(mode: str, count: float) -> Any:
    """One day's part, across midnight and the year's end (it begins at 23:00 UTC on 31 December)."""
    return run_day(mode, count, 3)


def test_over_midnight_and_the_years_end_fixed_time_is_told_and_kept() -> None:
    seen = hours("fixed", 1.3)
    assert seen.blocked == 0
    assert sum(seen.covered) >= 0.999 * len(seen.covered) > 5000
    assert max(seen.creeps_s) <= 0.05
    assert sorted(seen.moves_s)[int(0.99 * len(seen.moves_s))] <= 0.1
    told = [sample for sample in seen.samples if sample.told[1] is not None]
    assert len(told) > 0.99 * len(seen.samples)
    assert all(abs(sample.told[1] - sample.true_s) <= 0.5 for sample in told)


def test_where_traffic_decides_bounds_are_honest_and_better_than_the_hour_of_the_day() -> None:
    seen = hours("actuated", 1.5)
    assert seen.blocked == 0
    assert sum(seen.covered) >= 0.985 * len(seen.covered) > 3000
    assert scored(seen.samples)["pinball_ratio"] < 0.6


def test_a_clock_that_the_controller_sets_moves_nothing() -> None:
    day = Day(0.0, 400.0, 3)
    day.steps = [Step(200.0, "jump_clock", 3600.0)]
    told = [report for _, report in day if report is not None and report.controller_utc_ms is not None]
    jumps = [b.controller_utc_ms - a.controller_utc_ms for a, b in pairwise(told)]
    assert max(jumps) > 3_600_000  # it does jump
    assert max(hours("fixed", 1.3).moves_s) <= 0.3  # within these hours it was set twice


def sample(told: tuple[float | None, float | None, float | None], true_s: float, **more: Any) -> Sample:
    fields = {"confidence": None, "age_s": 0.0, **more}
    return Sample(1, Colour.GREEN, 3, told=told, true_s=true_s, **fields)


def test_the_widest_interval_and_none_at_all_score_badly() -> None:
    trues = [10.0 + (n % 5) / 10 for n in range(50)]
    known = [sample((9.0, 10.0, 11.0), true_s) for true_s in trues]
    for cheat in ((0.0, None, UNKNOWN_S), (None, None, None)):
        cheats = [sample(cheat, true_s) for true_s in trues]
        assert scored(cheats)["pinball_ratio"] > 10 * scored(known)["pinball_ratio"]
        assert scored(cheats)["width_ratio"] > 5.0


def test_a_bin_counts_only_with_enough_changes_and_tells_what_came_true() -> None:
    good = [sample((9.0, 10.0, 11.0), 10.5, confidence=0.9) for _ in range(FEWEST)]
    bad = [sample((9.0, 10.0, 11.0), 14.0, confidence=0.9) for _ in range(FEWEST)]
    few = [sample((9.0, 10.0, 11.0), 14.0, confidence=0.3) for _ in range(FEWEST - 1)]
    (row,) = calibration([*good, *bad, *few])
    assert row == {"changes": 2 * FEWEST, "said": 0.9, "true": 0.5}


def test_the_object_has_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DAYS", {"fixed": 0.25, "actuated": 0.25})
    found = bench.prediction(1)
    assert found.keys() >= {
        "coverage",
        "width_ratio",
        "creep_max_s",
        "moves_p99_s",
        "calibration",
        "pinball_ratio",
    }
    assert found["frames"] > 2000


def test_reports_and_looks_come_in_order_and_every_change_is_looked_at() -> None:
    day = Day(0.0, 130.0, 1)
    seen = list(day)
    times = [at for at, _ in seen]
    assert times == sorted(times)
    told = [report for _, report in seen if isinstance(report, SignalReport) and not report.complete]
    assert len(told) > 20
    assert sum(report is None for _, report in seen) > 40
