"""Figures by lane against the built-in world: exact with its true tracks, within bounds with the fusion's."""

from __future__ import annotations

from typing import Any

import pytest

from hil.bench.lanes import compare, drive, far_off

SECONDS = 180.0


@pytest.fixture(scope="module")
def true() -> dict[str, Any]:
    return compare(drive(1, SECONDS))


def test_with_true_tracks_the_flow_of_every_lane_is_exact(true: dict[str, Any]) -> None:
    assert true["users"] > 60
    assert len(true["flow"]) >= 14
    assert true["flow_wrong"] == 0
    assert true["unsure"] == true["delay_unmeasured"] == 0


def test_with_true_tracks_delay_and_stops_are_true(true: dict[str, Any]) -> None:
    assert max(delay for delay, _ in true["delay"].values()) > 15.0  # there was something to measure
    assert true["lanes_delay_over"] == 0
    assert true["stopped"][0] == pytest.approx(true["stopped"][1], abs=0.01)


def test_with_true_tracks_queues_are_within_one_vehicle(true: dict[str, Any]) -> None:
    assert true["queue_error_max"] <= 1


def test_with_true_tracks_nobody_runs_a_red_light_and_every_movement_is_told(true: dict[str, Any]) -> None:
    assert "red" not in true["rights"]
    assert "unknown" not in true["rights"]
    assert "None" not in true["turns"]
    assert true["walked"][0] == true["walked"][1] > 0


def test_what_counts_as_far_off() -> None:
    assert far_off(10.0, 11.1)
    assert not far_off(10.0, 10.9)
    assert not far_off(40.0, 41.9)
    assert far_off(40.0, 42.1)
    assert far_off(None, 3.0)
    assert not far_off(None, None)


@pytest.fixture(scope="module")
def fused() -> dict[str, Any]:
    return compare(drive(1, 120.0, fused=True))


def test_with_the_fusions_tracks_nearly_everybody_is_counted_in_its_lane(fused: dict[str, Any]) -> None:
    assert fused["users"] >= 60
    assert abs(fused["counted"] - fused["users"]) <= 0.03 * fused["users"]
    assert fused["flow_wrong"] <= 0.05 * fused["users"]
    assert fused["line_time_p95_s"] <= 0.15


def test_with_the_fusions_tracks_delay_stops_and_queues_are_near_the_truth(fused: dict[str, Any]) -> None:
    assert abs(fused["delay_bias_s"]) <= 0.5
    assert fused["delay_p90_s"] <= 2.0
    assert fused["delay_unmeasured"] <= 0.1 * fused["counted"]
    assert fused["stopped"][1] == pytest.approx(fused["stopped"][0], abs=0.05)
    assert fused["queue_error_max"] <= 2


def test_with_the_fusions_tracks_nobody_is_said_to_run_a_red_light(fused: dict[str, Any]) -> None:
    assert not {"red", "clearing"} & fused["rights"].keys()
    assert fused["turns"].get("None", 0) <= 1
