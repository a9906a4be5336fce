"""SUMO's world for the fusion benchmark: middles, not bumpers; the same seed, the same traffic."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from hil.bench.fusion import truth as truth_module
from hil.bench.fusion.config import read
from hil.processes import RigFailure
from hil.world import sumo, sumo_net
from hil.world.crossing_read import inside
from hil.world.sumo import COLUMNS, KINDS, Order, middle, with_velocities
from hil.world.sumo_demand import write
from rsu_agent.perception.roadway import Roadway
from rsu_agent.world.crossing import LaneRole, Turn

HAS_SUMO = importlib.util.find_spec("libsumo") is not None and importlib.util.find_spec("sumo") is not None
pytestmark = pytest.mark.extra
NEEDS_SUMO = pytest.mark.skipif(not HAS_SUMO, reason=f"SUMO is not installed: {sumo_net.INSTALL}")
RATES = {"car": 1500.0, "bicycle": 500.0, "pedestrian": 900.0}
ORDER = Order(3, 30, 0.1, 60.0, 110.0, RATES)


def test_a_front_bumper_lies_half_a_length_before_the_middle() -> None:
    assert middle((10.0, 20.0), 0.0, 4.5) == pytest.approx((10.0, 17.75))  # headed north
    assert middle((10.0, 20.0), 90.0, 11.0) == pytest.approx((4.5, 20.0))  # headed east
    assert middle((0.0, 0.0), 225.0, 2.0) == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)))


def rows(*places: tuple[int, float, float]) -> np.ndarray:
    """One car: step, x, SUMO's speed."""
    return np.array([(step, 1, 0, x, 0.0, 90.0, speed, 4.5, 1.8, 1.5) for step, x, speed in places])


def test_velocities_are_those_of_the_middle_between_its_neighbours_in_time() -> None:
    order = replace(ORDER, steps=3)
    told = with_velocities(rows((-1, 0.0, 10), (0, 1.0, 10), (1, 2.2, 11), (2, 3.2, 10), (3, 4.4, 11)), order)
    assert told["step"].tolist() == [0, 1, 2]
    assert told["vx"] == pytest.approx([11.0, 11.0, 11.0])
    assert told.keys() == {*COLUMNS, "vx", "vy"}


def test_a_jump_is_not_taken_for_speed() -> None:
    told = with_velocities(rows((0, 0.0, 1.3), (1, 3.0, 1.3), (2, 3.13, 1.3)), replace(ORDER, steps=3))
    assert told["vx"] == pytest.approx([1.3, 1.3, 1.3])


def test_demand_is_the_seeds_own_and_in_order_of_time(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, seed, RATES, 300.0)
    first, again, other = ((tmp_path / name).read_text() for name in "abc")
    assert first == again != other
    departs = [
        float(row.split('depart="')[1].split('"')[0]) for row in first.splitlines() if ' depart="' in row
    ]
    assert departs == sorted(departs)
    assert len(departs) == pytest.approx(sum(RATES.values()) * 300 / 3600, rel=0.2)
    assert max(departs) < 300.0
    assert first.count("<person ") == pytest.approx(900 * 300 / 3600, rel=0.35)


def test_without_sumo_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(sumo_net.NoSumo, match=r"pip install 'eclipse-sumo>=1\.28' 'libsumo>=1\.28'"):
        sumo_net.build(tmp_path)


def test_a_failed_simulation_is_told_with_its_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(truth_module, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RigFailure, match="no truth from SUMO"):
        truth_module.truth(read(), 1)
    assert not list((tmp_path / "kept").glob("*.npz"))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> sumo_net.Net:
    if not HAS_SUMO:
        pytest.skip(f"SUMO is not installed: {sumo_net.INSTALL}")
    return sumo_net.build(tmp_path_factory.mktemp("net"))


def test_the_net_is_read_around_its_middle(net: sumo_net.Net) -> None:
    assert net.shift != (0.0, 0.0)  # netconvert has moved it
    crossing = sumo_net.crossing_of(net)
    assert len(crossing.lanes) == 4 * 2 * (sumo_net.MOTOR_LANES + 1)
    assert len(crossing.crosswalks) == 4
    assert {walk.arm for walk in crossing.crosswalks} == set(sumo_net.ARMS)
    for lane in crossing.lanes:
        near = lane.points[-1] if lane.role is LaneRole.ENTRY else lane.points[0]
        assert math.hypot(*near) < 16.0
    northern = [lane for lane in crossing.lanes if lane.arm == "n" and lane.role is LaneRole.ENTRY]
    assert all(lane.points[-1][0] < 0 for lane in northern)  # southbound keeps to its right: the west
    turns = {way.turn for lane in northern for way in lane.connections}
    assert {Turn.LEFT, Turn.THROUGH, Turn.RIGHT} <= turns


def test_the_conflict_area_is_carriageway_and_crosswalks_without_the_corners(net: sumo_net.Net) -> None:
    crossing = sumo_net.crossing_of(net)
    area = np.array(crossing.conflict_area)
    assert inside(area, 0.0, 0.0)
    for walk in crossing.crosswalks:
        (x0, y0), (x1, y1) = walk.axis
        assert inside(area, (x0 + x1) / 2, (y0 + y1) / 2)
    for x, y in ((9.5, 9.5), (-9.5, 9.5), (0.0, 14.0), (-14.0, 0.0)):
        assert not inside(area, x, y)
    road = Roadway(crossing)
    assert road.on_road(-1.6, 40.0)
    assert road.heading(-1.6, 40.0) == pytest.approx(180.0)
    assert not road.on_road(30.0, 30.0)


def simulated(folder: Path, name: str, order: Order) -> dict[str, np.ndarray]:
    folder.joinpath("order.json").write_text(json.dumps(asdict(order)))
    command = [sys.executable, "-m", "hil.world.sumo", str(folder / "order.json"), str(folder / name)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with np.load(folder / name) as file:
        return {key: file[key] for key in file.files}


@NEEDS_SUMO
def test_a_seed_always_gives_the_same_traffic(tmp_path: Path) -> None:
    first, again = (simulated(tmp_path, name, ORDER) for name in ("a.npz", "b.npz"))
    other = simulated(tmp_path, "c.npz", replace(ORDER, seed=4))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert len(other["x"]) != len(first["x"]) or not np.array_equal(other["x"], first["x"])
    assert {KINDS[int(kind)] for kind in first["kind"]} == {"car", "bicycle", "pedestrian"}
    assert first["step"].min() == 0
    assert first["step"].max() == ORDER.steps - 1


@NEEDS_SUMO
def test_middles_go_as_fast_as_sumo_says_and_stand_behind_the_stop_line(tmp_path: Path) -> None:
    told = simulated(tmp_path, "a.npz", ORDER)
    cars = told["kind"] == KINDS.index("car")
    off = np.hypot(told["vx"], told["vy"]) - told["speed_mps"]
    assert np.percentile(np.abs(off[cars]), 95) < 0.35
    waits = (
        cars & (told["speed_mps"] < 0.05) & (np.abs(told["heading_deg"] - 180.0) < 1.0) & (told["y"] > 12.4)
    )
    assert waits.any()
    assert told["y"][waits].min() > 12.4 + 4.5 / 2  # the bumper at the line, the middle half a length behind


def test_the_truth_is_cut_into_steps_in_order_of_users(tmp_path: Path) -> None:
    columns = dict.fromkeys((*COLUMNS, "vx", "vy"), np.zeros(4))
    columns |= {
        "step": np.array([1, 0, 1, 1]),
        "id": np.array([9, 9, 2, 4]),
        "x": np.array([1.0, 2.0, 3.0, 4.0]),
    }
    np.savez(tmp_path / "t.npz", **columns)
    steps = truth_module._steps(tmp_path / "t.npz", 3)
    assert [step.id.tolist() for step in steps] == [[9], [2, 4, 9], []]
    assert steps[1].xy[:, 0].tolist() == [3.0, 4.0, 1.0]
    assert steps[1].size.shape == (3, 3)
    assert sumo.KINDS[0] == "car"
