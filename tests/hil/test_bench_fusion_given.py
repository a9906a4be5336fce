"""The fusion benchmark on a SUMO scenario that is not ours: three arms, geographic, packed, taxis, a tram."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from hil.bench.command import bench
from hil.bench.fusion import quick
from hil.bench.fusion import truth as truth_module
from hil.bench.fusion.config import read
from hil.bench.fusion.given import Given
from hil.bench.fusion.truth import Truth, truth
from hil.processes import RigFailure
from hil.world import sumo_net
from hil.world.sumo import KINDS
from rsu_agent.cli.exits import Exit
from rsu_agent.perception.roadway import Roadway

HAS_SUMO = importlib.util.find_spec("libsumo") is not None and importlib.util.find_spec("sumo") is not None
pytestmark = [
    pytest.mark.extra,
    pytest.mark.skipif(not HAS_SUMO, reason=f"SUMO is not installed: {sumo_net.INSTALL}"),
]
CONFIG = read()
SHORT = replace(CONFIG, steps=150, world=replace(CONFIG.world, warm_s=60.0))
NODES = """<nodes><node id="mid" x="13.4000" y="52.5200" type="traffic_light"/>
<node id="w" x="13.3975" y="52.5200"/><node id="e" x="13.4025" y="52.5201"/>
<node id="s" x="13.4001" y="52.5185"/>
</nodes>"""
EDGES = "".join(
    f'<edge id="{name}" from="{begin}" to="{end}" numLanes="2" speed="13.9" sidewalkWidth="2.0"/>'
    for arm in "wes"
    for name, begin, end in ((f"{arm}_in", arm, "mid"), (f"{arm}_out", "mid", arm))
)
TYPES = """<vType id="taxi@der" vClass="taxi" length="4.9"/><vType id="mofa" vClass="moped"/>
<vType id="car" vClass="passenger"/><vType id="reisebus" vClass="coach" length="13.2" height="3.7"/>
<vType id="bim" vClass="tram" length="27"/><vType id="mensch" vClass="pedestrian" length="0.4" width="0.5"/>
<vType id="rad" vClass="bicycle"/>"""
FLOWS = [("taxi@der", 0.1), ("mofa", 0.1), ("car", 0.2), ("reisebus", 0.02), ("rad", 0.1)]
TURNS = [("w_in", "e_out"), ("w_in", "s_out"), ("s_in", "e_out"), ("s_in", "w_out"), ("e_in", "w_out")]
OTHERS = """<flow id="bim" type="bim" begin="100" end="400" period="20" from="e_in" to="w_out"/>
<person id="at_home" type="mensch" depart="101"><stop lane="w_in_0" endPos="120" duration="900"/></person>
<vehicle id="hired" type="taxi@der" depart="triggered"><route edges="w_in e_out"/></vehicle>
<person id="guest" type="mensch" depart="155"><ride from="w_in" to="e_out" lines="hired"/></person>"""
SPARSE = """<routes><flow id="one" begin="100" end="400" period="40" from="w_in" to="e_out"/></routes>"""
END_S = 400.0


def demand() -> str:
    rows = [
        f'<flow id="{kind}-{n}" type="{kind}" begin="100" end="{END_S}" probability="{rate / 2}"'
        f' from="{begin}" to="{end}" departLane="best"/>'
        for kind, rate in FLOWS
        for n, (begin, end) in enumerate(TURNS)
    ]
    rows += [
        f'<personFlow id="walk-{n}" type="mensch" begin="100" end="{END_S}" period="12">'
        f'<walk from="{begin}" to="{end}"/></personFlow>'
        for n, (begin, end) in enumerate(TURNS)
    ]
    return f"<routes>{TYPES}{''.join(rows)}{OTHERS}</routes>"


def written(folder: Path, routes: str, time: str = f'<begin value="100"/><end value="{END_S}"/>') -> Path:
    file = folder / "town.sumocfg"
    (folder / "town.rou.xml").write_text(routes)
    file.write_text(
        '<configuration><input><net-file value="town.net.xml.gz"/><route-files value="town.rou.xml"/></input>'
        f'<time>{time}<step-length value="1"/></time>'
        '<output><tripinfo-output value="trips.xml"/><output-prefix value="pre_"/></output>'
        '<gui_only><gui-settings-file value="gone.xml"/></gui_only></configuration>'
    )
    return file


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    (folder / "nod.xml").write_text(NODES)
    (folder / "edg.xml").write_text(f"<edges>{EDGES}</edges>")
    command = [str(sumo_net.sumo_home() / "bin" / "netconvert"), "-n", "nod.xml", "-e", "edg.xml"]
    command += ["--proj.utm", "--crossings.guess", "--walkingareas", "-o", "town.net.xml.gz", "--no-warnings"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="module", autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("truth", "measurements"):
            patch.setattr(f"hil.bench.fusion.{module}.KEPT", folder)
        yield folder


@pytest.fixture(scope="module")
def world(town: Path, kept: Path) -> Truth:
    return truth(SHORT, 1, Given(written(town, demand())))


def test_the_junction_with_lights_is_taken_and_the_tram_left_out_and_said(world: Truth, town: Path) -> None:
    assert world.told is not None
    assert (world.told.junction, world.told.steps) == ("mid", 150)
    assert world.told.left_out.keys() == {"tram"}
    assert {arm.arm for arm in world.crossing.arms} == {"w", "e", "s"}
    assert not list(town.glob("*trips.xml"))  # what the scenario would write is not written
    assert len(world.crossing.crosswalks) == 3
    assert world.fitted(SHORT).poles.places_m == world.told.poles_m
    assert world.mean_objects(SHORT) > 5


def test_kinds_are_by_class_and_sizes_sumos(world: Truth) -> None:
    found: dict[str, set[tuple[float, ...]]] = {}
    for step in world.steps:
        for kind, size in zip(step.kind.tolist(), step.size.tolist(), strict=True):
            found.setdefault(KINDS[kind], set()).add(tuple(size))
    assert found["car"] == {(4.9, 1.8, 1.5), (5.0, 1.8, 1.5)}
    assert found["bus"] == {(13.2, 2.6, 3.7)}
    assert found["motorcycle"] == {(2.1, 0.78, 1.7)}
    assert found["bicycle"] == {(1.6, 0.65, 1.7)}
    assert found["pedestrian"] == {(0.4, 0.5, 1.719)}


def test_middles_are_half_a_length_behind_the_bumpers_that_sumo_itself_reports(
    world: Truth, town: Path, tmp_path: Path
) -> None:
    """SUMO's own report of the same run, read another way: who is where at the first scored steps."""
    command = [str(sumo_net.sumo_home() / "bin" / "sumo"), "-c", str(town / "town.sumocfg"), "--seed", "1"]
    command += [
        "--step-length",
        "0.1",
        "--lanechange.duration",
        "3",
        "--gui-settings-file",
        "",
        "--end",
        "162",
    ]
    command += ["--tripinfo-output", "/dev/null", "--fcd-output", str(tmp_path / "fcd.xml"), "--no-warnings"]
    subprocess.run([*command, "--output-prefix", ""], check=True, capture_output=True, timeout=120)
    root = ElementTree.parse(tmp_path / "fcd.xml").getroot()
    middle = net_middle(town)
    lengths = {"taxi@der": 4.9, "mofa": 2.1, "car": 5.0, "reisebus": 13.2, "rad": 1.6}
    step = world.steps[0]
    best = min(
        np.sort(nearest(reported(each, lengths, middle), step.xy))[-1]
        for each in root.iter("timestep")
        if 159.0 < float(each.get("time", "0")) < 161.5
    )
    assert len(step.xy) > 10
    assert best < 0.02  # the report has two decimals


def reported(step: ElementTree.Element, lengths: dict[str, float], middle: tuple[float, float]) -> np.ndarray:
    rows = []
    for user in step:
        x, y, angle = (float(user.get(name, "0")) for name in ("x", "y", "angle"))
        back = lengths.get(user.get("type", ""), 0.0) / 2
        rows.append((x - np.sin(np.radians(angle)) * back, y - np.cos(np.radians(angle)) * back))
    return np.array(rows) - middle


def nearest(places: np.ndarray, users: np.ndarray) -> np.ndarray:
    return np.hypot(*(users[:, None] - places[None]).transpose(2, 0, 1)).min(axis=1)


def net_middle(town: Path) -> tuple[float, float]:
    from hil.world.sumo_given_net import chosen

    return chosen(town / "town.net.xml.gz", "mid").middle


def test_who_rides_or_sits_at_home_is_no_walker(world: Truth, town: Path) -> None:
    alone = truth(SHORT, 1, Given(without(town, "guest")))
    walkers = [int((step.kind == KINDS.index("pedestrian")).sum()) for step in world.steps]
    assert max(walkers) > 3
    assert walkers == [int((step.kind == KINDS.index("pedestrian")).sum()) for step in alone.steps]


def without(town: Path, name: str) -> Path:
    kept = (row for row in OTHERS.splitlines() if 'id="guest"' not in row and 'id="at_home"' not in row)
    rows = demand().replace(OTHERS, "".join(kept))
    folder = town / name
    folder.mkdir()
    (folder / "town.net.xml.gz").write_bytes((town / "town.net.xml.gz").read_bytes())
    return written(folder, rows)


def test_road_users_are_near_the_road_and_vehicles_are_on_it(world: Truth) -> None:
    road = Roadway(world.crossing)
    near, on = [], []
    for step in world.steps[::5]:
        for (x, y), kind in zip(step.xy.tolist(), step.kind.tolist(), strict=True):
            if np.hypot(x, y) < 60:
                near.append(road.near(x, y))
                on += [road.on_road(x, y)] if KINDS[kind] != "pedestrian" else []
    assert len(near) > 300
    assert np.mean(near) >= 0.99
    assert np.mean(on) >= 0.99


def test_nobody_hops(world: Truth) -> None:
    before: dict[int, np.ndarray] = {}
    for step in world.steps:
        for user, xy, v in zip(step.id.tolist(), step.xy, step.v, strict=True):
            if user in before:
                assert np.hypot(*(xy - before[user])) < 0.2 * np.hypot(*v) + 0.6
        before = dict(zip(step.id.tolist(), step.xy, strict=True))


def test_a_truth_is_kept_by_what_the_files_say_and_the_seed(world: Truth, town: Path) -> None:
    file = town / "town.sumocfg"
    assert truth(SHORT, 1, Given(file)).path == world.path
    assert Given(file).content() != Given(written(town, demand() + "<!-- changed -->")).content()
    written(town, demand())
    assert truth(SHORT, 2, Given(file)).path != world.path


def test_a_scenario_that_ends_soon_is_warmed_up_less_and_else_scored_short(town: Path) -> None:
    file = written(town, demand(), '<begin value="100"/><end value="130"/>')
    ready = truth(SHORT, 1, Given(file)).told
    assert ready is not None
    assert ready.steps == 150  # 15 s of 30 were warm-up
    file = written(town, demand(), '<begin value="100"/><end value="112"/>')
    short = truth(SHORT, 1, Given(file))
    assert short.told is not None
    assert 110 <= short.told.steps < 122
    assert len(short.steps) == short.told.steps == short.fitted(SHORT).steps
    file = written(town, demand(), '<begin value="100"/><end value="105"/>')
    with pytest.raises(RigFailure, match=r"over at 105 s, after \d+ steps of 0\.1 s: 100 are needed"):
        truth(SHORT, 1, Given(file))


def test_what_cannot_be_measured_says_what_to_do(town: Path) -> None:
    with pytest.raises(RigFailure, match="no junction midd among 4; the nearest names: mid"):
        truth(SHORT, 1, Given(written(town, demand()), "midd"))
    with pytest.raises(RigFailure, match=r"gone\.sumocfg: no such file"):
        truth(SHORT, 1, Given(town / "gone.sumocfg"))
    late = "<routes><flow id='f' begin='399' end='400' number='1' from='w_in' to='e_out'/></routes>"
    with pytest.raises(RigFailure, match="nobody came within 110 m of junction mid: name another"):
        truth(SHORT, 1, Given(written(town, late)))
    with pytest.raises(RigFailure, match=r"SUMO does not run .*; try: sumo -c"):
        truth(SHORT, 1, Given(written(town, "<routes><flow id='f' from='nowhere' to='e_out'/></routes>")))


def test_quick_says_which_junction_and_refuses_a_nearly_empty_one(
    town: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quick, "read", lambda: SHORT)
    monkeypatch.setattr(
        quick, "figures", lambda _config, _world, told: dict.fromkeys(told, dict.fromkeys(quick.SHOWN, 0.5))
    )
    quick.main(["--sumo", str(written(town, demand())), "--junction", "mid"])
    told = capsys.readouterr()
    assert "junction mid, 150 steps" in told.err
    assert len(told.out.splitlines()) == 3
    with pytest.raises(RigFailure, match=r"not measured: \d\.\d users within 70 m on the mean, 5 are needed"):
        quick.main(["--sumo", str(written(town, SPARSE))])


def test_the_verb_names_scenario_and_junction_and_gives_null_for_a_nearly_empty_one(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hil.bench.fusion.command.read", lambda: replace(SHORT, day_runs=1))
    monkeypatch.setattr("hil.bench.fusion.command.referees_python", lambda: "python")
    app = typer.Typer()
    app.command()(bench)
    file = str(written(town, SPARSE))
    ended = CliRunner().invoke(app, ["--only", "fusion", "--sumo", file])
    assert ended.exit_code == int(Exit.FAILED)
    found = json.loads(ended.stdout.splitlines()[-1])
    assert (found["scenario"], found["junction"], found["fused"]) == ("town.sumocfg", "mid", None)
    assert found["mean_objects"] < 5
    assert found["missed"] == [found["note"]]


@pytest.mark.parametrize("words", [["--sumo", "x.sumocfg"], ["--only", "fusion", "--junction", "c"]])
def test_a_scenario_goes_with_the_fusion_benchmark_alone(words: list[str]) -> None:
    app = typer.Typer()
    app.command()(bench)
    ended = CliRunner().invoke(app, words)
    assert ended.exit_code == int(Exit.USAGE)
    assert "rsu bench --only fusion --sumo FILE.sumocfg" in ended.output


def test_an_order_says_all_that_the_simulation_hangs_on(town: Path) -> None:
    order = asdict(Given(town / "town.sumocfg", "mid").order(SHORT, 7))
    assert (order["seed"], order["step_s"], order["warm_s"], order["junction"]) == (7, 0.1, 60.0, "mid")
    assert truth_module.GIVEN_RUN_S > truth_module.RUN_S
