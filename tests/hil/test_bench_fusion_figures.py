"""The judging of the fusion benchmark: referees on traffic drawn by hand, first reports, lost sensors."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_bench_fusion import CROSSING, FLOW, SHORT, straight
from typer.testing import CliRunner

import hil.bench.fusion.command as command
from hil.bench.command import MOST, over
from hil.bench.fusion import others
from hil.bench.fusion.figures import figures, referees_python
from hil.bench.fusion.lost import until_told
from hil.bench.fusion.measurements import CAMERA, measure
from hil.bench.fusion.ours import Tracked
from hil.bench.fusion.quick import _line
from hil.bench.fusion.result import Result
from hil.bench.fusion.truth import PEDESTRIAN, Truth
from hil.bench.fusion.vulnerable import first_reports
from hil.processes import RigFailure


def told(rows: list[tuple[int, int, float, float, float, float]]) -> Result:
    """step, id, x, y, vx, vy."""
    table = np.array(rows, float).reshape(-1, 6)
    return Result(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:4], table[:, 4:])


def perfect(world: Truth) -> list[tuple[int, int, float, float, float, float]]:
    return [
        (n, int(one) + 100, *xy, *v)
        for n, step in enumerate(world.steps)
        for one, xy, v in zip(step.id.tolist(), step.xy.tolist(), step.v.tolist(), strict=True)
    ]


def written(world: Truth, folder: Path) -> Truth:
    """The same with its file of rows."""
    count = [len(step.id) for step in world.steps]
    xy, v = (np.concatenate([getattr(step, name) for step in world.steps]) for name in ("xy", "v"))
    np.savez(
        folder / "truth.npz",
        step=np.repeat(np.arange(len(count)), count),
        id=np.concatenate([step.id for step in world.steps]),
        x=xy[:, 0],
        y=xy[:, 1],
        vx=v[:, 0],
        vy=v[:, 1],
    )
    return replace(world, path=folder / "truth.npz")


def has_referees() -> bool:
    try:
        referees_python()
    except RigFailure:
        return False
    return True


@pytest.mark.skipif(not has_referees(), reason="motmetrics and trackeval: python -m hil.bench.peers.install")
def test_the_referees_judge_traffic_drawn_by_hand(tmp_path: Path) -> None:
    world = written(straight(SHORT, *FLOW), tmp_path)  # 20 scored steps, 3 users
    right = perfect(world)
    results = {
        "right": told(right),
        "aside": told([(n, one, x + 0.6, y - 0.8, vx + 2.0, vy) for n, one, x, y, vx, vy in right]),
        "missed": told([row for row in right if row[1] != 101]),
        "false": told(sorted([*right, *((n, 7, 30.0, 30.0, 0.0, 0.0) for n in range(SHORT.steps))])),
        "switched": told([(n, one + 50 * (n >= 30), *row) for n, one, *row in right]),
        "outside": told(sorted([*right, *((n, 7, 90.0, 0.0, 0.0, 0.0) for n in range(SHORT.steps))])),
        "nothing": told([]),
    }
    found = figures(SHORT, world, results)
    for name in ("right", "outside"):
        assert found[name] == pytest.approx(
            {"mota": 1, "idf1": 1, "hota": 1, "gospa": 0, "position_rmse_m": 0, "speed_rmse_mps": 0}
            | {"id_switches": 0, "precision": 1, "recall": 1},
            abs=1e-6,
        )
    assert found["aside"]["position_rmse_m"] == pytest.approx(1.0)
    assert found["aside"]["speed_rmse_mps"] == pytest.approx(2.0)
    assert found["aside"]["gospa"] == pytest.approx(3**0.5)
    assert 0.4 < (found["aside"]["hota"] or 0) < 0.6  # similarity 1 - 1/2: half of the alphas
    assert found["missed"]["recall"] == pytest.approx(2 / 3)
    assert found["missed"]["mota"] == pytest.approx(2 / 3)
    assert found["false"]["precision"] == pytest.approx(3 / 4)
    assert found["false"]["mota"] == pytest.approx(2 / 3)
    assert found["switched"]["id_switches"] == 3
    assert found["switched"]["idf1"] == pytest.approx(0.5)
    assert found["switched"]["mota"] == pytest.approx(1 - 3 / 60)
    assert found["nothing"]["recall"] == 0
    assert found["nothing"]["position_rmse_m"] is None


def test_referees_that_fail_are_told_with_their_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hil.bench.fusion.figures.referees_python", lambda: "/bin/false")
    with pytest.raises(RigFailure, match="referees failed"):
        figures(SHORT, written(straight(SHORT, *FLOW), tmp_path), {"nothing": told([])})


WALK = ((1, PEDESTRIAN, -15.0, 0.0, 1.0, 0.0),)  # over the line at x = -12 at step 30
LONG = replace(SHORT, steps=60)


def soon(first: int, last: int, aside: float = 0.0) -> list[bool]:
    """Whether a walker counts as reported who was reported from one step to another."""
    world = straight(LONG, *WALK)
    seen = measure(LONG, world, 1, night=False)
    rows = [(n, 5, x, y + aside, vx, vy) for n, _, x, y, vx, vy in perfect(world) if first <= n <= last]
    return first_reports(LONG, world, seen, told(rows))


def test_a_vulnerable_user_is_to_be_reported_within_a_second_of_coming_into_the_area() -> None:
    assert soon(0, 59) == [True]
    assert soon(40, 59) == [True]
    assert soon(42, 59) == [False]
    assert soon(0, 29) == [False]
    assert soon(0, 59, aside=2.6) == [False]


def test_who_was_in_the_area_before_or_comes_too_late_is_left_out() -> None:
    for start_m in (-5.0, -17.6):
        world = straight(LONG, (1, PEDESTRIAN, start_m, 0.0, 1.0, 0.0))
        assert first_reports(LONG, world, measure(LONG, world, 1, night=False), told([])) == []


def test_cars_are_not_vulnerable_and_nobody_counts_whom_no_pole_sees() -> None:
    world = straight(LONG, (1, 0, -15.0, 0.0, 1.0, 0.0))
    assert first_reports(LONG, world, measure(LONG, world, 1, night=False), told([])) == []
    world = straight(LONG, *WALK)
    seen = measure(LONG, world, 1, night=False)
    assert first_reports(LONG, world, replace(seen, clear=seen.clear * 0), told([])) == []


def test_a_lost_kind_is_told_when_no_user_names_it_any_more() -> None:
    result = told([(n, one, 0.0, 0.0, 0.0, 0.0) for n in range(SHORT.steps) for one in (1, 2)])
    sources = [
        ("camera 1", "radar 2") if n < 27 else ("radar 2",) for n in range(SHORT.steps) for _ in (1, 2)
    ]
    said = Tracked(result, np.ones(len(sources)), tuple(sources), np.ones(SHORT.steps))
    assert until_told(SHORT, said, "camera", 20) == 0.7
    assert until_told(SHORT, said, "radar", 20) is None


def figure(gospa: float, mota: float = 0.9) -> dict[str, float | None]:
    return {"mota": mota, "gospa": gospa}


def test_means_say_nothing_where_one_is_missing() -> None:
    assert command.mean([{"a": 1.0, "b": None}, {"a": 2.0, "b": 3.0}]) == {"a": 1.5, "b": None}
    assert command.mean([]) == {}


def test_a_peer_that_is_as_good_is_a_bound_missed() -> None:
    peers = {"better": figure(7.0), "same": figure(8.0), "worse": figure(8.1)}
    assert [words.split()[-1] for words in command.beaten_by(figure(8.0), peers)] == ["better", "same"]
    assert command.beaten_by(None, {}) == []


def test_peers_are_absent_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(others.importlib, "import_module", missing)
    assert others.names() == ()


def test_the_whole_benchmark_is_one_object_with_every_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = replace(SHORT, day_runs=2)
    gospa = {
        "camera": 12.0,
        "radar": 11.0,
        "fused": 8.0,
        "latency_ignored": 9.0,
        "other": 10.0,
        "learnt": 7.0,
    }
    monkeypatch.setattr("hil.bench.fusion.measurements.KEPT", tmp_path)
    monkeypatch.setattr(command, "truth", lambda config, _seed, _given: straight(config, *FLOW))
    monkeypatch.setattr(command, "referees_python", lambda: "python")
    judged = []

    def judge(
        _config: object, _world: object, results: dict[str, Result]
    ) -> dict[str, dict[str, float | None]]:
        judged.append(set(results))
        return {name: figure(gospa[name], 0.9 - 0.1 * len(judged)) for name in results}

    monkeypatch.setattr(command, "figures", judge)
    monkeypatch.setattr(
        "hil.bench.fusion.lost.figures", lambda *_: {"camera": figure(1.0), "radar": figure(1.0)}
    )
    monkeypatch.setattr(others, "names", lambda: ("other",))
    monkeypatch.setattr(others, "track", lambda _name, _feed: told([]))
    found = command.fusion(1, config)
    assert found["fused"]["gospa"] == 8.0
    assert found["fused"]["mota"] == pytest.approx(0.75)
    assert found["worst"]["seed"] == 2
    assert found["night"]["fused"]["mota"] == pytest.approx(0.6)
    assert found["gospa_over_best_single"] == pytest.approx(0.727, abs=1e-3)
    assert found["other"]["gospa"] == 10.0
    assert found["missed"] == []
    assert found["mean_objects"] == pytest.approx(3.0)
    assert {"camera_s", "radar_s"} <= found["lost"].keys()
    assert judged[0] == {"camera", "radar", "fused", "latency_ignored"}
    assert found["learnt"]["gospa"] == 7.0
    assert found["learnt"]["step_ms"] > 0
    assert found["fused_beside_learnt"]["gospa"] == 8.0
    assert json.loads(json.dumps(found)) == found


def test_bounds_are_missed_where_a_figure_is_missing_or_bad() -> None:
    good = {
        "fused": {"mota": 0.95, "idf1": 0.9, "gospa": 8.0, "position_rmse_m": 0.25},
        "gospa_over_best_single": 0.5,
        "vulnerable_first_1s": 0.99,
        "lost": {"camera_s": 1.1, "radar_s": 1.2},
    }
    assert over("fusion", good) == []
    assert len(over("fusion", {**good, "lost": {"camera_s": None, "radar_s": 2.1}})) == 2
    assert MOST["fusion"]["fused.gospa"] == 9.0


def test_without_sumo_or_referees_the_verb_ends_with_words_and_not_with_nought(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import typer

    from hil.bench.command import TABLE, bench

    def refuse(_seed: int) -> dict[str, object]:
        raise RigFailure("SUMO is not installed: pip install this")

    monkeypatch.setitem(TABLE, "fusion", refuse)
    app = typer.Typer()
    app.command()(bench)
    ended = CliRunner().invoke(app, ["--only", "fusion"])
    assert ended.exit_code == 1
    assert "pip install this" in ended.output


def test_a_line_shows_what_is_missing_as_nan() -> None:
    names = (
        "idf1",
        "hota",
        "gospa",
        "position_rmse_m",
        "speed_rmse_mps",
        "id_switches",
        "precision",
        "recall",
    )
    assert "nan" in _line(dict.fromkeys(names, 1.0) | {"mota": None})


def test_only_cameras_are_marked_as_cameras() -> None:
    seen = measure(SHORT, straight(SHORT, *FLOW), 1, night=True)
    assert set(seen.sensor[seen.kind == CAMERA].tolist()) <= {0, 1, 2, 3}
    assert CROSSING.conflict_area
