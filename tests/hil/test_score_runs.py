"""Bounds: what is missed, exempt, best or worst of several runs, and how it reads."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.score.bounds import BOUNDS, Bound, exempted, figure, missed, put
from hil.score.report import rate
from hil.score.runs import badness, judged, pick, readable

ISSUE = {
    "spat.per_10s_min": (95, None),
    "spat.per_10s_max": (None, 110),
    "spat.gap_p99_ms": (None, 120),
    "spat.gap_max_ms": (None, 300),
    "map.per_10s": (9, 11),
    "rsm.per_10s": (98, 102),
    "spat.valid_share": (0.99, None),
    "spat.times_share": (0.95, None),
    "spat.first_valid_s": (None, 5),
    "spat.wrong_colour_ms": (None, 0),
    "spat.dangerous_ms": (None, 0),
    "spat.end_error_p95_s": (None, 0.2),
    "latency.report_to_radio_p95_ms": (None, 20),
    "latency.lamp_to_radio_p95_ms": (None, 200),
    "latency.camera_to_rsm_p95_ms": (None, 250),
    "tracks.recall": (0.85, None),
    "tracks.precision": (0.90, None),
    "tracks.position_rmse_m": (None, 1.0),
    "tracks.truth_samples": (2000, None),
    "hazards.expected": (4, 4),
    "hazards.detected": (4, 4),
    "hazards.false": (None, 0),
    "uplink.duplicates": (None, 0),
    "uplink.missing": (None, 0),
    "uplink.phase_changes_missing": (None, 0),
    "process.parent_rss_mb": (None, 40),
    "process.core_rss_mb": (None, 120),
    "process.senses_rss_mb": (None, 500),
}


def good() -> dict:
    figures: dict = {}
    for path, (least, most) in ISSUE.items():
        put(figures, path, most if least is None else least)
    return figures


def test_the_bounds_are_those_of_the_issue() -> None:
    assert {bound.path: (bound.least, bound.most) for bound in BOUNDS} == ISSUE
    assert missed(good(), 60) == []


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.path)
def test_each_bound_is_missed_on_its_wrong_side_and_when_null(bound: Bound) -> None:
    wrong = [bound.most + 1] if bound.most is not None else []
    wrong += [bound.least - 1] if bound.least is not None else []
    for value in [*wrong, None]:
        figures = good()
        put(figures, bound.path, value)
        assert [line.split()[0] for line in missed(figures, 60)] == [bound.path]


def test_ids_of_vehicles_are_judged_where_some_send() -> None:
    assert missed({**good(), "heard": {"id_share": 0.9, "wrong_ids": 0, "ghost_entries": 0}}, 60) == []
    told = missed({**good(), "heard": {"id_share": 0.5, "wrong_ids": 1, "ghost_entries": None}}, 60)
    assert [line.split()[0] for line in told] == ["heard.id_share", "heard.wrong_ids", "heard.ghost_entries"]


def test_a_short_run_is_not_judged_by_what_needs_a_longer_one() -> None:
    figures = good()
    put(figures, "tracks.truth_samples", 300)
    exempted(figures, 10)
    assert figure(figures, "tracks.truth_samples") is None
    assert figure(figures, "spat.per_10s_min") == 95
    assert figure(figures, "latency.lamp_to_radio_p95_ms") == 200, "what was measured is told"
    assert missed(figures, 10) == []
    assert "tracks.truth_samples could not be measured" in missed(figures, 60)


def test_by_night_and_at_the_peak_the_road_is_printed_but_not_judged() -> None:
    figures = good()
    put(figures, "tracks.recall", 0.1)
    put(figures, "spat.wrong_colour_ms", 5)
    assert len(missed(figures, 60)) == 2
    put(figures, "world.kind", "night")
    assert missed(figures, 60) == ["spat.wrong_colour_ms 5 > 0"]


def test_of_several_runs_the_best_time_and_the_worst_truth_count() -> None:
    first, second, third = good(), good(), good()
    put(first, "spat.gap_max_ms", 400)
    put(second, "spat.gap_max_ms", 140)
    put(third, "spat.gap_max_ms", None)
    put(second, "spat.wrong_colour_ms", 3.0)
    put(third, "tracks.recall", 0.7)
    kept = copy.deepcopy(first)
    figures = judged([first, second, third], 60)
    assert figures["spat"]["gap_max_ms"] == 140
    assert figures["missed"] == ["spat.wrong_colour_ms 3.0 > 0", "tracks.recall 0.7 < 0.85"]
    assert len(figures["runs"]) == 3
    assert first == kept, "the runs themselves stay as they were"


def test_a_truth_that_one_run_could_not_measure_is_not_measured() -> None:
    first, second = good(), good()
    put(second, "hazards.detected", None)
    assert judged([first, second], 60)["missed"] == ["hazards.detected could not be measured"]


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1), st.sampled_from(BOUNDS))
def test_what_is_picked_is_one_of_the_values_and_none_is_better_or_worse(values: list, bound: Bound) -> None:
    picked = pick(bound, values)
    assert picked in values
    all_badness = [badness(bound, value) for value in values]
    assert badness(bound, picked) == (min if bound.kind == "time" else max)(all_badness)


def test_a_rate_is_the_window_farthest_from_the_usual() -> None:
    assert rate("map", [10, 10, 8, 11]) == {"per_10s": 8, "per_10s_min": 8, "per_10s_max": 11}
    assert rate("rsm", [100, 103])["per_10s"] == 103
    assert rate("rsm", [])["per_10s"] is None


def test_the_table_for_people_names_figure_bound_and_what_is_missed() -> None:
    figures = judged([good() | {"seed": 1}], 60)
    put(figures, "tracks.recall", 0.5)
    put(figures, "tracks.recall_without_camera", None)
    figures["missed"] = missed(figures, 60)
    lines = readable(figures)
    recall = next(line for line in lines if line.startswith("tracks.recall "))
    assert recall.split() == ["tracks.recall", "0.5", ">=", "0.85", "MISSED"]
    assert any(line.split()[:2] == ["tracks.recall_without_camera", "-"] for line in lines)
    assert sum("MISSED" in line for line in lines) == 1
    assert next(line for line in lines if line.startswith("map.per_10s")).split()[1:] == [
        "9",
        "9",
        "to",
        "11",
        "ok",
    ]
