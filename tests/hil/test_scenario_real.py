"""Scenarios with real processes: a death that is really one, and what the scorer needs afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.scenario.read import Scenario, read_scenario
from hil.scenario.run import run_scenario, shipped

pytestmark = pytest.mark.real


def test_a_killed_core_is_told_by_the_last_word_and_comes_back(short_path: Path) -> None:
    (path,) = [path for path in shipped() if path.stem == "core-killed"]
    result = run_scenario(read_scenario(path), "real", short_path / "kept")
    assert result["error"] is None
    assert result["passed"], result["expect"]
    assert list((short_path / "kept" / "run" / "truth").glob("vehicle.jsonl"))


def test_a_folder_that_is_in_use_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "of-somebody").touch()
    scenario = Scenario("x", "x", True, {"seconds": 5}, (), ({"figure": "air.not_understood", "most": 0},))
    result = run_scenario(scenario, "real", tmp_path)
    assert not result["passed"]
    assert "is not empty" in result["error"]
