"""The verb `rsu demo`: what it prints where, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import hil.demo
from hil import commands
from hil.processes import RigFailure
from hil.rig import RigOptions
from hil.score.bounds import BOUNDS, missed, put
from hil.score.runs import judged
from hil.truth import TruthLog
from rsu_agent.cli.exits import Exit

app = typer.Typer()
app.command()(commands.demo)
app.add_typer(commands.hil, name="hil")

ASKED: list[tuple[Any, ...]] = []


def figures(**changed: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for bound in BOUNDS:
        put(result, bound.path, bound.most if bound.least is None else bound.least)
    result |= {"seed": 1, "commit": "abc", "cpu": "x", "seconds": 60.0}
    for path, value in changed.items():
        put(result, path.replace("__", "."), value)
    return result


@pytest.fixture
def one_run(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Runs that are ready-made: the verb around them is what these tests look at."""
    results: list[dict[str, Any]] = []
    ASKED.clear()

    def bounded(seconds: float, options: RigOptions, keep: Path | None = None) -> dict[str, Any]:
        ASKED.append((seconds, options, keep))
        return results[(len(ASKED) - 1) % len(results)]

    monkeypatch.setattr(hil.demo, "bounded", bounded)
    return results


def test_a_run_that_meets_every_bound_ends_well_with_one_object_alone_on_stdout(one_run: list) -> None:
    one_run.append(figures())
    ended = CliRunner().invoke(app, ["demo", "--for", "60", "--json"])
    assert ended.exit_code == 0
    assert len(ended.stdout.splitlines()) == 1
    told = json.loads(ended.stdout)
    assert told["missed"] == []
    assert told["map"]["per_10s"] == 9
    assert {"seed", "commit", "cpu", "seconds"} <= set(told)


@pytest.mark.parametrize("value", [0.5, None])
def test_a_missed_bound_or_a_null_ends_badly_and_is_named(one_run: list, value: float | None) -> None:
    one_run.append(figures(tracks__recall=value))
    ended = CliRunner().invoke(app, ["demo", "--for", "60", "--json"])
    assert ended.exit_code == int(Exit.FAILED) != 0
    assert json.loads(ended.stdout)["missed"] == missed(one_run[0], 60)
    assert "missed: tracks.recall" in ended.stderr


def test_without_json_people_get_a_table(one_run: list) -> None:
    one_run.append(figures())
    ended = CliRunner().invoke(app, ["demo", "--for", "60"])
    assert ended.exit_code == 0
    assert any(line.split()[:2] == ["spat.gap_p99_ms", "120"] for line in ended.stdout.splitlines())
    assert "MISSED" not in ended.stdout


def test_the_options_reach_the_rig(one_run: list, tmp_path: Path) -> None:
    one_run.append(figures())
    keep = tmp_path / "runs"
    line = f"demo --for 20 --runs 2 --camera-delay-ms 300 --night --density peak --keep {keep} --json"
    line += " --camera-quality 30"
    ended = CliRunner().invoke(app, line.split())
    assert ended.exit_code == 0
    assert [(seconds, at) for seconds, _, at in ASKED] == [(20.0, keep / "run-1"), (20.0, keep / "run-2")]
    options = ASKED[0][1]
    assert (options.camera_delay_ms, options.night, options.density) == (300.0, True, "peak")
    assert options.camera_quality == 30
    assert len(json.loads(ended.stdout)["runs"]) == 2


def test_several_runs_are_judged_by_best_time_and_worst_truth(one_run: list) -> None:
    one_run.extend([figures(spat__gap_max_ms=900), figures(hazards__false=1), figures()])
    ended = CliRunner().invoke(app, ["demo", "--for", "60", "--runs", "3", "--json"])
    told = json.loads(ended.stdout)
    assert told["missed"] == ["hazards.false 1 > 0"]
    assert told["spat"]["gap_max_ms"] == 300
    assert told == json.loads(json.dumps(judged(one_run, 60)))


def test_ablations_are_filled_in_before_the_judgement(one_run: list, monkeypatch: Any) -> None:
    one_run.append(figures(tracks__recall_without_camera=None))
    without = {
        "tracks": {"recall_without_camera": 0.4, "recall_without_radar": 0.8},
        "night": {"recall": 0.6},
    }
    monkeypatch.setattr(hil.demo, "ablated", lambda seconds, options: without)
    ended = CliRunner().invoke(app, ["demo", "--for", "60", "--ablations", "--json"])
    told = json.loads(ended.stdout)
    assert told["tracks"]["recall_without_camera"] == 0.4
    assert told["tracks"]["recall_without_radar"] == 0.8
    assert told["tracks"]["recall"] == 0.85, "the run's own figures stay"
    assert told["night"]["recall"] == 0.6


def test_without_ablations_what_they_give_is_null_and_not_absent(one_run: list) -> None:
    one_run.append(figures())
    told = json.loads(CliRunner().invoke(app, ["demo", "--for", "60", "--json"]).stdout)
    assert told["tracks"]["recall_without_camera"] is None
    assert told["tracks"]["recall_without_radar"] is None
    assert told["night"]["recall"] is None
    assert told["peak"]["precision"] is None


def stalls_at(run_dir: Path, *ends: float) -> None:
    log = TruthLog(run_dir, "probe")
    for end in ends:
        log.write("stall", end, late_ms=80.0)
    log.close()


def test_a_run_without_long_stalls_is_not_extended(tmp_path: Path) -> None:
    window = hil.demo.Window(0.0, 3.0, 100.0, 160.0)
    log = TruthLog(tmp_path, "probe")
    log.write("stall", 130.0, late_ms=49.0)
    log.close()
    stalls_at(tmp_path, 90.0, 170.0)
    assert not hil.demo.extend(tmp_path, window, 60)
    assert (window.t1, window.extended) == (160.0, 0)


def test_each_void_window_is_made_up_for_by_ten_seconds(tmp_path: Path) -> None:
    window = hil.demo.Window(0.0, 3.0, 100.0, 160.0)
    stalls_at(tmp_path, 115.0, 116.0, 142.0)
    assert hil.demo.extend(tmp_path, window, 60)
    assert hil.demo.extend(tmp_path, window, 60)
    assert not hil.demo.extend(tmp_path, window, 60)
    assert (window.t1, window.extended) == (180.0, 2)


def test_a_host_that_always_stalls_is_given_three_more_windows_and_no_fourth(tmp_path: Path) -> None:
    window = hil.demo.Window(0.0, 3.0, 100.0, 110.0)
    stalls_at(tmp_path, *(100.0 + n for n in range(100)))
    assert [hil.demo.extend(tmp_path, window, 10) for _ in range(5)] == [True, True, True, False, False]
    assert window.t1 == 140.0


def test_a_rig_that_does_not_come_up_says_why(one_run: list, monkeypatch: Any) -> None:
    def fails(*_: Any) -> None:
        raise RigFailure("camera is not ready after 60 s")

    monkeypatch.setattr(hil.demo, "bounded", fails)
    ended = CliRunner().invoke(app, ["demo", "--for", "60", "--json"])
    assert ended.exit_code == int(Exit.FAILED)
    assert json.loads(ended.stdout)["error"].startswith("camera is not ready")


def test_a_folder_too_long_for_sockets_is_named_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(RigFailure, match="too long for the sockets in it"):
        hil.demo.bounded(1.0, RigOptions(), tmp_path / ("x" * 75))


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    ended = CliRunner().invoke(app, ["demo", "--for", "1", "--keep", str(tmp_path), "--json"])
    assert ended.exit_code == int(Exit.FAILED)
    assert "not empty" in json.loads(ended.stdout)["error"]
    assert (tmp_path / "mine.txt").read_text() == "keep me"
