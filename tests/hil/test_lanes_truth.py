"""Figures by lane against the built-in world: exact with its true tracks, within bounds with the fusion's."""

from __future__ import annotations

from typing import Any

import pytest

from hil.bench.lanes import compare, drive

SECONDS = 180.0


@pytest.fixture(scope="module")
def true() -> dict[str, Any]:
    return compare(drive(1, SECONDS))


def near(true: float | None, told: float | None) -> bool:
    """Within a second, or five in a hundred."""
    return (true is None) == (told is None) and (
        true is None or told is None or abs(told - true) <= max(1.0, 0.05 * true)
    )


def test_with_true_tracks_the_flow_of_every_lane_is_exact(true: dict[str, Any]) -> None:
    assert true["users"] > 60
    assert len(true["flow"]) >= 14
    assert true["flow_wrong"] == 0
    assert true["unsure"] == true["delay_unmeasured"] == 0


def test_with_true_tracks_delay_and_stops_are_true(true: dict[str, Any]) -> None:
    assert max(delay for delay, _ in true["delay"].values()) > 15.0  # there was something to measure
    assert [lane for lane, pair in true["delay"].items() if not near(*pair)] == []
    assert true["stopped"][0] == pytest.approx(true["stopped"][1], abs=0.01)


def test_with_true_tracks_queues_are_within_one_vehicle(true: dict[str, Any]) -> None:
    assert true["queue_error_max"] <= 1


def test_with_true_tracks_nobody_runs_a_red_light_and_every_movement_is_told(true: dict[str, Any]) -> None:
    assert "red" not in true["rights"]
    assert "unknown" not in true["rights"]
    assert "None" not in true["turns"]
    assert true["walked"][0] == true["walked"][1] > 0
