"""The benchmarks say what they measured, where and when, and which bound of speed was missed."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import hil.bench.command as command
import hil.bench.demo
import hil.bench.perception
import hil.bench.tracker
from hil.bench.command import CARRIED, OUT, TABLE, bench, over
from hil.bench.signals import signals
from hil.bench.taken import percentile
from hil.processes import RigFailure

APP = typer.Typer()
APP.command()(bench)
SHORT = ("codec", "spat", "detector", "outbox")
GOOD = {"report_to_radio_p99_ms": 19.9, "lamp_to_radio_p99_ms": 60.0, "changes": 2000}


@pytest.mark.parametrize("name", SHORT)
def test_one_benchmark_is_one_object_on_the_last_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["hil.bench.outbox"], "BACKLOG", 2000)
    result = CliRunner().invoke(APP, ["--only", name, "--seed", "7"])
    figures = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == bool(figures["missed"]), result.output
    assert set(CARRIED) < figures.keys()
    assert figures["seed"] == 7
    assert figures["machine"]["loop_ns"] > 0
    assert figures["ratio"] > 0


def test_the_tracker_is_measured_by_day_and_at_the_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hil.bench.tracker, "SECONDS", 3.0)
    monkeypatch.setattr(hil.bench.tracker, "WARM_S", 5.0)
    monkeypatch.setattr(hil.bench.tracker, "ratios", lambda _seed: {"growth_exponent": 1.0})
    figures = hil.bench.tracker.tracker(3)
    assert figures["users_peak"] > 0
    assert 0 < figures["cycle_ms_day"] <= figures["cycle_p99_ms_day"]
    assert figures["ratio"] > 0


def test_the_senses_process_is_measured_with_four_cameras_and_two_radars(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hil.bench.perception, "SECONDS", 3.0)
    monkeypatch.setattr(hil.bench.perception, "SETTLE_S", 1.0)
    figures = hil.bench.perception.perception(3)
    assert figures["pictures"] > 20
    assert 0 < figures["capture_to_track_p50_ms"] <= figures["capture_to_track_p95_ms"]
    assert figures["scenes_a_second"] > 3
    assert figures["users"] > 3
    assert figures["percent_of_core"] > 0
    assert figures["rss_mb"] > 50


def test_a_radar_of_the_benchmark_tells_forward_and_left_of_itself() -> None:
    pose = {"x_east_m": 10.0, "y_north_m": 0.0, "yaw_deg": 90.0}
    row = {"id": 3, "x": 30.0, "y": 4.0, "vx": 1.0, "vy": -2.0}
    behind = {**row, "x": -30.0}
    (told,) = hil.bench.perception._targets(pose, [row, behind])
    assert told == pytest.approx({"id": 3, "x": 20.0, "y": 4.0, "vx": 1.0, "vy": -2.0})


def test_signals_counts_real_changes_of_a_real_crossing() -> None:
    figures = signals(5, changes=30)
    assert figures["changes"] >= 30
    assert figures["wrong_colour_ms"] == 0
    assert figures["report_to_radio_p50_ms"] > 0


def stand_ins(monkeypatch: pytest.MonkeyPatch, **benchmarks: Any) -> None:
    monkeypatch.setattr(command, "TABLE", {name: (lambda _seed, f=f: f) for name, f in benchmarks.items()})


def test_all_of_them_are_written_by_name(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stand_ins(monkeypatch, operator={"ratio": 3.0}, signals=GOOD)
    result = CliRunner().invoke(APP, [])
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / OUT).read_text()).keys() == {"operator", "signals"}
    assert "report_to_radio_p99_ms" in result.stdout


@pytest.mark.parametrize("wrong", [20.1, None])
def test_a_missed_bound_ends_badly_is_named_and_still_written(
    wrong: float | None, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    stand_ins(monkeypatch, signals={**GOOD, "report_to_radio_p99_ms": wrong})
    result = CliRunner().invoke(APP, ["--json"])
    assert result.exit_code == 1
    assert f"signals: report_to_radio_p99_ms {wrong} > 20" in result.stderr
    assert json.loads(result.stdout)["signals"]["missed"] == [f"report_to_radio_p99_ms {wrong} > 20"]
    assert (tmp_path / OUT).exists()


def test_a_bound_that_is_just_met_is_met_and_too_few_samples_are_a_miss() -> None:
    assert over("signals", {**GOOD, "lamp_to_radio_p99_ms": 200.0}) == []
    assert over("signals", {**GOOD, "changes": 1999}) == ["changes 1999 < 2000"]


def test_what_the_demo_missed_the_benchmark_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    scored = {
        "spat": {"gap_max_ms": 400.0},
        "machine": {"loop_ns": 1},
        "missed": ["spat.gap_max_ms 400 > 300"],
    }
    monkeypatch.setattr(hil.bench.demo, "demo_figures", lambda *_: scored)
    assert hil.bench.demo.demo(1) == {"spat.gap_max_ms": 400.0, "missed": ["spat.gap_max_ms 400 > 300"]}


def test_a_crossing_that_does_not_come_up_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_seed: int) -> dict[str, Any]:
        raise RigFailure("camera ended with status 1")

    monkeypatch.setattr(command, "TABLE", {"signals": fails})
    result = CliRunner().invoke(APP, ["--only", "signals"])
    assert result.exit_code == 1
    assert "camera ended with status 1" in result.stderr


def test_what_cannot_run_here_is_missed_and_the_others_are_measured(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_seed: int) -> dict[str, Any]:
        raise RigFailure("SUMO is not installed: pip install it")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "TABLE", {"fusion": fails, "outbox": lambda _seed: {"ratio": 3.0}})
    result = CliRunner().invoke(APP, [])
    assert result.exit_code == 1
    assert "missed: fusion: not measured: SUMO is not installed: pip install it" in result.stderr
    written = json.loads(OUT.read_text())
    assert written["outbox"]["ratio"] == 3.0
    assert set(CARRIED) < written["fusion"].keys()


def test_a_name_that_is_none_is_a_usage_error_that_lists_them() -> None:
    result = CliRunner().invoke(APP, ["--only", "nothing"])
    assert result.exit_code == 2
    assert all(name in result.stderr for name in TABLE)


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 2.0, 3.0, 3.0]
