"""A stalled host voids its windows, and only figures of time leave them out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.score.latency import score_latency
from hil.score.spat import score_spat
from hil.score.timeline import LampTruth, Said, Spat
from hil.score.windows import STALL_MS, Windows, host_figures, windows_of

T0 = 1000.0


def stall(end: float, late_ms: float) -> dict[str, float]:
    return {"t": T0 + end, "late_ms": late_ms}


@pytest.mark.parametrize(
    ("stalls", "void"),
    [
        ([], set()),
        ([stall(5, STALL_MS)], set()),
        ([stall(5, 50.1)], {0}),
        ([stall(10.02, 60)], {0, 1}),
        ([stall(25, 12_000)], {1, 2}),
        ([stall(-0.1, 500)], set()),
        ([stall(0.1, 500)], {0}),
        ([stall(30.01, 60)], {2}),
        ([stall(31, 60)], set()),
    ],
)
def test_a_window_that_a_long_stall_touches_is_void(stalls: list, void: set) -> None:
    assert windows_of(stalls, T0, T0 + 30).void == void


@given(st.lists(st.integers(0, 60 * 64).map(lambda n: n / 64), max_size=300), st.sets(st.integers(0, 5)))
def test_windows_count_each_instant_once_unless_void(times: list, void: set) -> None:
    windows = Windows(T0, T0 + 60, frozenset(void))
    counts = windows.counts([T0 + t for t in times])
    assert len(counts) == 6 - len(void)
    assert sum(counts) == sum(t < 60 and t // 10 not in void for t in times)


def test_a_last_short_window_is_not_counted_but_is_good() -> None:
    windows = Windows(T0, T0 + 25)
    assert windows.whole == 2
    assert windows.good(T0 + 24)
    assert windows.good_s == 25
    assert Windows(T0, T0 + 25, frozenset({2})).good_s == 20


def test_the_hosts_figures_name_the_longest_stall_of_the_scored_seconds() -> None:
    stalls = [stall(-5, 900), stall(3, 20), stall(14, 75), stall(99, 800)]
    windows = windows_of(stalls, T0, T0 + 30)
    assert host_figures(stalls, windows, 1) == {"stall_max_ms": 75, "windows_void": 1, "extended": 1}
    assert host_figures([], Windows(T0, T0 + 30), 0)["stall_max_ms"] is None


def air(hole: tuple[float, float], light: str = "red") -> list[Spat]:
    times = [T0 + n / 10 for n in range(300) if not hole[0] < n / 10 < hole[1]]
    return [Spat(t, {1: Said(light, 3.0)}) for t in times]


def test_a_gap_in_a_void_window_is_no_gap_but_a_wrong_colour_there_stays_wrong() -> None:
    truth = {1: LampTruth([T0 - 50, T0 - 20, T0 + 50], ["red", "green", "red"])}
    said = air((12.0, 13.0))
    judged = score_spat(said, truth, T0, T0 + 30)
    spared = score_spat(said, truth, T0, T0 + 30, Windows(T0, T0 + 30, frozenset({1})))
    assert judged["gap_max_ms"] == pytest.approx(1000, abs=1)
    assert judged["per_10s_min"] < 95
    assert spared["gap_max_ms"] == pytest.approx(100, abs=1)
    assert spared["per_10s_min"] == 100
    assert spared["wrong_colour_ms"] == judged["wrong_colour_ms"] > 20_000


def test_changes_in_a_void_window_are_no_samples_of_latency() -> None:
    truth = {1: LampTruth([T0 - 50, T0 + 3, T0 + 14], ["red", "green", "red"])}
    said = [
        Spat(T0 + n / 10 + 0.02, {1: Said({"green": "protected-green"}.get(c, c), None)})
        for n in range(300)
        if (c := truth[1].at(T0 + n / 10)) is not None
    ]
    windows = Windows(T0, T0 + 30, frozenset({1}))
    wire = [{"t": T0 + 3.01, "colours": {"1": "green"}}, {"t": T0 + 14.01, "colours": {"1": "red"}}]
    assert score_latency(said, truth, wire, T0, T0 + 30)["changes"] == 2
    assert score_latency(said, truth, wire, T0, T0 + 30, windows)["changes"] == 1
