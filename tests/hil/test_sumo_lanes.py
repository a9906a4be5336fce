"""SUMO on the virtual crossing: its lanes are the file's, its vehicles obey the lamps and tell the truth."""

from __future__ import annotations

import importlib.util
import json
import math
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from hil import commands
from hil.bus import Bus
from hil.processes import Processes, RigFailure
from hil.rig import Rig, RigOptions
from hil.score.bounds import missed
from hil.truth import read_truth
from hil.world import sumo_net
from hil.world.crossing_read import RigCrossing, RigWay, read_rig_crossing
from hil.world.sumo_lanes import LaneNet, build_lanes, edge
from hil.world.sumo_traffic import flows, signal
from hil.world.user import SIZES
from rsu_agent.cli.exits import Exit
from rsu_agent.ports.assets import asset

HAS_SUMO = importlib.util.find_spec("libsumo") is not None and importlib.util.find_spec("sumo") is not None
pytestmark = pytest.mark.extra
NEEDS_SUMO = pytest.mark.skipif(not HAS_SUMO, reason=f"SUMO is not installed: {sumo_net.INSTALL}")
STEP_S, SECONDS = 0.1, 120.0
# One process a simulation, as libsumo wants it: rows (second, id, class, x, y, heading, speed, entry, group)
RUN = """
import json, sys
from pathlib import Path
from hil.devices.signal_model import SignalModel
from hil.world.crossing_read import read_rig_crossing
from hil.world.sumo_traffic import SumoTraffic
folder, crossing_file, seed, step_s, seconds, all_red = json.loads(sys.argv[1])
crossing = read_rig_crossing(Path(crossing_file))
traffic, lights = SumoTraffic(crossing, seed, "day", step_s, Path(folder)), SignalModel(0.0, seed=1)
groups, rows = {(w.from_lane, w.to_lane): w.group for w in crossing.ways}, []
for step in range(round(seconds / step_s)):
    now_s = step * step_s
    lights.advance(now_s)
    lamps = dict.fromkeys(lights.lamps, "red") if all_red else lights.lamps
    traffic.step(step_s, lamps, now_s)
    for u in traffic.users:
        group = groups[u.route.entry, u.route.exit]
        rows.append([step, u.id, u.cls, u.x, u.y, u.heading, u.speed, u.route.entry, group, lamps.get(group)])
traffic.close()
Path(folder, "rows.json").write_text(json.dumps(rows))
"""
Row = tuple[int, int, str, float, float, float, float, int, int | None, str | None]


@pytest.fixture(scope="module")
def crossing() -> RigCrossing:
    return read_rig_crossing(asset("config/crossings/virtual.geojson"))


@pytest.fixture(scope="module")
def net(crossing: RigCrossing, tmp_path_factory: pytest.TempPathFactory) -> LaneNet:
    return build_lanes(tmp_path_factory.mktemp("lanes"), crossing)


def driven(folder: Path, seed: int, all_red: bool = False, seconds: float = SECONDS) -> list[Row]:
    order = [str(folder), str(asset("config/crossings/virtual.geojson")), seed, STEP_S, seconds, all_red]
    command = [sys.executable, "-c", RUN, json.dumps(order)]
    subprocess.run(command, check=True, timeout=200, capture_output=True)
    return [tuple(row) for row in json.loads((folder / "rows.json").read_text())]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    return driven(tmp_path_factory.mktemp("driven"), 3)


@NEEDS_SUMO
def test_every_lane_of_the_net_lies_where_the_crossing_file_has_it(
    net: LaneNet, crossing: RigCrossing
) -> None:
    root = ElementTree.parse(net.path).getroot()
    for lane in crossing.lanes.values():
        found = root.find(f".//lane[@id='{edge(lane.lane)}_0']")
        assert found is not None
        points = np.array([[float(v) for v in at.split(",")] for at in found.get("shape", "").split()])
        assert np.hypot(*(points[0] - lane.points[0])) < 0.1
        assert np.hypot(*(points[-1] - lane.points[-1])) < 0.1, "its stop line is not cut back"
        assert float(found.get("width", "0")) == pytest.approx(lane.width_m)


@NEEDS_SUMO
def test_every_way_has_one_link_and_they_are_in_the_order_of_the_light(
    net: LaneNet, crossing: RigCrossing
) -> None:
    assert sorted((way.from_lane, way.to_lane) for way in net.links) == sorted(
        (way.from_lane, way.to_lane) for way in crossing.ways
    )


def way(turn: str, group: int | None) -> RigWay:
    return RigWay(1, 2, turn, group, np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("turn", "group", "colour", "letter"),
    [("through", 1, "green", "G"), ("left", 1, "green", "g"), ("through", 1, "green_flash", "G"),
     ("through", 1, "yellow", "y"), ("through", 1, "red", "r"), ("through", 1, "red_yellow", "r"),
     ("right", 1, "dark", "g"), ("right", None, "red", "g"), ("through", 2, "green", "r")],
)  # fmt: skip
def test_a_lamp_is_a_letter_of_sumos_and_an_unknown_one_is_red(
    turn: str, group: int | None, colour: str, letter: str
) -> None:
    assert signal(way(turn, group), {1: colour}) == letter


def test_demand_is_as_dense_as_asked_for(crossing: RigCrossing) -> None:
    def rate(density: str) -> float:
        found = ElementTree.fromstring(flows(crossing, density)).iter("flow")
        return sum(float(flow.get("probability", "0")) for flow in found)

    assert rate("day") == pytest.approx(0.48 + 0.20, abs=1e-3)
    assert rate("night") == pytest.approx(0.16 + 0.06, abs=1e-3)


@NEEDS_SUMO
def test_they_drive_in_the_middle_of_their_lanes_at_the_speed_told(
    rows: list[Row], crossing: RigCrossing
) -> None:
    last: dict[int, Row] = {}
    entered = 0
    for row in rows:
        step, number, cls, x, y, heading, speed, entry, _, _ = row
        assert cls in SIZES
        before = last.get(number)
        if before is not None and before[0] == step - 1:
            gone = math.hypot(x - before[3], y - before[4])
            assert gone == pytest.approx(STEP_S * (speed + before[6]) / 2, abs=0.35)
        a, b = crossing.lanes[entry].points[[0, -1]]
        along = (b - a) / np.hypot(*(b - a))
        place = np.array([x, y]) - a
        if before is None:
            aside = abs(float(place[0] * along[1] - place[1] * along[0]))
            assert aside < 0.2, "they set out in the middle of their lane"
            assert (math.sin(math.radians(heading)), math.cos(math.radians(heading))) == pytest.approx(
                tuple(along), abs=0.02
            )
            entered += 1
        last[number] = row
    assert entered > 0.3 * 0.68 * SECONDS
    assert len({row[2] for row in rows}) >= 5


@NEEDS_SUMO
def test_fronts_pass_stop_lines_on_green_and_not_on_red(rows: list[Row], crossing: RigCrossing) -> None:
    passed, on_red = 0, 0
    beyond: dict[int, bool] = {}
    for _, number, cls, x, y, _, _, entry, group, colour in rows:
        a, b = crossing.lanes[entry].points[[0, -1]]
        along = (b - a) / np.hypot(*(b - a))
        over = float((np.array([x, y]) - b) @ along) + SIZES[cls][0] / 2 > 0.3
        if over and beyond.get(number) is False and group is not None:
            passed += 1
            on_red += colour == "red"
        beyond[number] = over
    assert passed > 20
    assert on_red == 0


@NEEDS_SUMO
def test_at_red_all_stay_before_their_lines(tmp_path: Path, crossing: RigCrossing) -> None:
    for _, _, cls, x, y, _, _, entry, group, _ in driven(tmp_path, 5, all_red=True, seconds=60.0):
        if group is not None:
            a, b = crossing.lanes[entry].points[[0, -1]]
            front = float((np.array([x, y]) - b) @ (b - a) / np.hypot(*(b - a))) + SIZES[cls][0] / 2
            assert front < 0.1


@NEEDS_SUMO
def test_a_seed_is_a_traffic(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        found.append(driven(tmp_path / name, seed, seconds=20.0))
    assert found[0] == found[1] != found[2]


@pytest.fixture
def world(short_path: Path) -> Iterator[Path]:
    processes = Processes(short_path / "logs")
    site = str(asset("config/virtual.yaml"))
    arguments = ["--run-dir", str(short_path), "--site", site, "--seed", "2"]
    ready = short_path / "ready" / "world.json"
    processes.module("world", "hil.world.sumo_world", *arguments, ready=ready)
    processes.wait_ready("world")
    yield short_path
    processes.stop()


@NEEDS_SUMO
@pytest.mark.real
def test_the_process_tells_users_on_the_bus_as_the_built_in_world_does(world: Path) -> None:
    heard, deadline = Bus(world).subscribe("users"), time.monotonic() + 30.0
    while (message := heard.get()) is None:
        assert select.select([heard], [], [], deadline - time.monotonic())[0], "nothing on the bus"
    heard.close()
    users = message[1]["users"]
    assert len(users) > 3, "the crossing is not empty after the warm-up"
    user = users[0]
    assert {"id", "cls", "x", "y", "vx", "vy", "heading", "l", "w", "h", "shade", "brake"} == set(user)
    assert (user["l"], user["w"], user["h"]) == SIZES[user["cls"]]
    assert next(iter(read_truth(world, "users")))["users"], "the truth log has them too"


def test_without_sumo_the_demo_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(RigFailure, match=r"pip install 'eclipse-sumo>=1\.28' 'libsumo>=1\.28'"):
        Rig(tmp_path / "run", RigOptions(world="sumo"))


def test_the_verb_knows_both_worlds() -> None:
    app = typer.Typer()
    app.command()(commands.demo)
    ended = CliRunner().invoke(app, ["--world", "matrix", "--for", "1", "--json"])
    assert ended.exit_code == int(Exit.USAGE)
    assert "--world matrix: one of built-in, sumo" in json.loads(ended.stdout)["error"]
    ended = CliRunner().invoke(app, ["--world", "sumo", "--ablations", "--for", "1", "--json"])
    assert "built-in world only" in json.loads(ended.stdout)["error"]


@pytest.mark.parametrize(("kind", "judged"), [("day", True), ("sumo", False)])
def test_the_road_of_sumos_world_is_not_judged(kind: str, judged: bool) -> None:
    words = missed({"world": {"kind": kind}, "tracks": {"recall": 0.1}, "hazards": {"false": 3}}, 60)
    assert ("tracks.recall 0.1 < 0.85" in words) is judged
    assert ("hazards.false 3 > 0" in words) is judged
    assert any(word.startswith("spat.") for word in words), "signals are judged in any world"
