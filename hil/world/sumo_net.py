"""The SUMO crossing: four arms with footways, cycle lanes and crossings, netconvert builds it of our nodes.

netconvert shifts coordinates: all that leaves this file is metres east and north of the junction's middle.
"""

from __future__ import annotations

import importlib.util
import math
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from rsu_agent.world.crossing import (
    Arm,
    Connection,
    Crossing,
    Crosswalk,
    Lane,
    LaneRole,
    LaneUse,
    Points,
    Turn,
)
from rsu_agent.world.place import GeoPoint

ARMS = {"n": (0.0, 1.0), "e": (1.0, 0.0), "s": (0.0, -1.0), "w": (-1.0, 0.0)}
ARM_M = 160.0
SPEED_MPS = 13.89
MOTOR_LANES = 2
CYCLE_M, FOOTWAY_M, MOTOR_M, CROSSING_M = 2.0, 2.5, 3.2, 4.0
BUILD_S = 60.0
TURNS = {
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "s": Turn.THROUGH,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.U_TURN,
}
INSTALL = ".venv/bin/pip install 'eclipse-sumo>=1.28' 'libsumo>=1.28' (the extra sumo, about 260 MB)"
Element = ElementTree.Element


class NoSumo(Exception):
    """SUMO is not installed, or it failed; says what to do."""


@dataclass(frozen=True, slots=True)
class Net:
    """A built net: its file and how far netconvert has shifted the crossing's middle (m)."""

    path: Path
    shift: tuple[float, float]


def sumo_home() -> Path:
    """Where SUMO's wheel lies; `SUMO_HOME` is set to it. Raises NoSumo."""
    found = importlib.util.find_spec("sumo")
    if found is None or found.origin is None or importlib.util.find_spec("libsumo") is None:
        raise NoSumo(f"SUMO is not installed: {INSTALL}")
    home = Path(found.origin).parent
    os.environ["SUMO_HOME"] = str(home)
    return home


def build(folder: Path) -> Net:
    """Writes nodes and edges into a folder and has netconvert join them. Raises NoSumo."""
    home = sumo_home()
    folder.mkdir(parents=True, exist_ok=True)
    nodes, edges, net = (folder / f"crossing.{part}.xml" for part in ("nod", "edg", "net"))
    nodes.write_text(_nodes())
    edges.write_text(_edges())
    command = [str(home / "bin" / "netconvert"), "-n", str(nodes), "-e", str(edges), "-o", str(net)]
    command += ["--crossings.guess", "--walkingareas", "--no-turnarounds", "--no-warnings"]
    command += ["--default.crossing-width", str(CROSSING_M), "--tls.cycle.time", "80"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if done.returncode:
        raise NoSumo(f"netconvert ended with status {done.returncode}: {done.stderr.strip()[-400:]}")
    return Net(net, _middle(ElementTree.parse(net).getroot()))


def _nodes() -> str:
    rows = ['<node id="c" x="0" y="0" type="traffic_light"/>']
    rows += [f'<node id="{arm}" x="{x * ARM_M}" y="{y * ARM_M}"/>' for arm, (x, y) in ARMS.items()]
    return "<nodes>\n" + "\n".join(rows) + "\n</nodes>\n"


def _edges() -> str:
    same = (
        f'numLanes="{MOTOR_LANES}" speed="{SPEED_MPS}" width="{MOTOR_M}"'
        f' sidewalkWidth="{FOOTWAY_M}" bikeLaneWidth="{CYCLE_M}"'
    )
    rows = []
    for arm in ARMS:
        rows.append(f'<edge id="{arm}_in" from="{arm}" to="c" {same}/>')
        rows.append(f'<edge id="{arm}_out" from="c" to="{arm}" {same}/>')
    return "<edges>\n" + "\n".join(rows) + "\n</edges>\n"


def _middle(root: Element) -> tuple[float, float]:
    junction = root.find("junction[@id='c']")
    assert junction is not None
    return float(junction.get("x", "0")), float(junction.get("y", "0"))


def crossing_of(net: Net) -> Crossing:
    """The net as the product's geometry: lanes, ways through the junction, crossings, conflict area."""
    root = ElementTree.parse(net.path).getroot()
    shapes = {lane.get("id", ""): _points(lane, net.shift) for lane in root.iter("lane")}
    numbers = {name: n for n, name in enumerate(_outer(root), start=1)}
    lanes = tuple(_lane(root, name, number, numbers, shapes) for name, number in numbers.items())
    walks = [edge for edge in root.iter("edge") if edge.get("function") == "crossing"]
    return Crossing(
        node=1,
        region=0,
        name="simulated crossing",
        origin=GeoPoint(0.0, 0.0),
        datum="none",
        height_system="none",
        survey_source="built by netconvert",
        accuracy_m=0.01,
        arms=tuple(Arm(arm, math.degrees(math.atan2(x, y)) % 360.0, n) for n, (arm, (x, y)) in _counted()),
        lanes=lanes,
        crosswalks=tuple(_walk(edge, n, net.shift) for n, edge in enumerate(walks, start=1)),
        waiting_areas=(),
        heads=(),
        conflict_area=_between_stop_lines(lanes),
    )


def _counted() -> list[tuple[int, tuple[str, tuple[float, float]]]]:
    return list(enumerate(ARMS.items(), start=2))


def _outer(root: Element) -> list[str]:
    """Names of the lanes on the arms that wheels may use."""
    return [
        lane.get("id", "")
        for edge in root.iter("edge")
        if edge.get("function") is None
        for lane in edge.iter("lane")
        if lane.get("allow") != "pedestrian"
    ]


def _lane(root: Element, name: str, number: int, numbers: dict[str, int], shapes: dict[str, Points]) -> Lane:
    arm, way, _ = name.split("_")
    lane = root.find(f".//lane[@id='{name}']")
    assert lane is not None
    cycles = lane.get("allow") == "bicycle"
    return Lane(
        lane=number,
        arm=arm,
        role=LaneRole.ENTRY if way == "in" else LaneRole.EXIT,
        use=LaneUse.BICYCLE if cycles else LaneUse.MOTOR,
        width_m=CYCLE_M if cycles else MOTOR_M,
        speed_limit_mps=float(lane.get("speed", SPEED_MPS)),
        points=shapes[name],
        connections=tuple(_connections(root, name, numbers, shapes)) if way == "in" else (),
    )


def _connections(
    root: Element, name: str, numbers: dict[str, int], shapes: dict[str, Points]
) -> list[Connection]:
    edge, place = name.rsplit("_", 1)
    found = []
    for link in root.iter("connection"):
        to = f"{link.get('to')}_{link.get('toLane')}"
        if link.get("from") == edge and link.get("fromLane") == place and to in numbers:
            turn = TURNS.get(link.get("dir", "s"), Turn.THROUGH)
            found.append(Connection(numbers[to], turn, None, False, _way(root, link, shapes)))
    return found


def _way(root: Element, link: Element, shapes: dict[str, Points]) -> Points:
    """The path of a link; a turn that waits in the junction has two pieces."""
    via = link.get("via", "")
    points: list[tuple[float, float]] = []
    while via:
        points += [point for point in shapes[via] if not points or point != points[-1]]
        edge, place = via.rsplit("_", 1)
        onward = root.find(f".//connection[@from='{edge}'][@fromLane='{place}']")
        via = "" if onward is None else onward.get("via", "")
    return tuple(points)


def _walk(edge: Element, number: int, shift: tuple[float, float]) -> Crosswalk:
    lane = edge.find("lane")
    assert lane is not None
    axis = _points(lane, shift)
    (x0, y0), (x1, y1) = axis[0], axis[-1]
    away = max(1e-6, math.hypot(x1 - x0, y1 - y0))
    sx, sy = -(y1 - y0) / away * CROSSING_M / 2, (x1 - x0) / away * CROSSING_M / 2
    outline = ((x0 + sx, y0 + sy), (x1 + sx, y1 + sy), (x1 - sx, y1 - sy), (x0 - sx, y0 - sy))
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    arm = max(ARMS, key=lambda name: x * ARMS[name][0] + y * ARMS[name][1])
    return Crosswalk(number, arm, 0, outline, (axis[0], axis[-1]))


def _between_stop_lines(lanes: tuple[Lane, ...]) -> Points:
    """The carriageway of all arms from stop line to stop line, a cross with the crosswalks in its ends."""
    stop = min(max(map(abs, lane.points[-1])) for lane in lanes if lane.role is LaneRole.ENTRY)
    kerb = MOTOR_LANES * MOTOR_M + CYCLE_M
    quarter = [(kerb, kerb), (kerb, stop), (-kerb, stop)]
    return tuple(point for turn in range(4) for point in (_turned_left(corner, turn) for corner in quarter))


def _turned_left(point: tuple[float, float], quarters: int) -> tuple[float, float]:
    for _ in range(quarters):
        point = -point[1], point[0]
    return point


def _points(lane: Element, shift: tuple[float, float]) -> Points:
    return _shape(lane.get("shape", ""), shift)


def _shape(text: str, shift: tuple[float, float]) -> Points:
    """SUMO's `x,y x,y`, around the crossing's middle."""
    rows = (part.split(",") for part in text.split())
    return tuple((float(row[0]) - shift[0], float(row[1]) - shift[1]) for row in rows)
