"""A crossing file as a SUMO net in the same metres: a lane is an edge, a way through the box a connection.

Plain nodes, edges and connections are written from the lanes and ways as they are drawn; netconvert is told
not to move anything. No footways: SUMO's walkers are not used here.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np

from hil.world.crossing_read import Line, RigCrossing, RigWay
from hil.world.sumo_net import BUILD_S, NoSumo, sumo_home

MOTOR_MPS, BICYCLE_MPS = 13.9, 6.9
JUNCTION, EDGE = "c", "lane"


@dataclass(frozen=True, slots=True)
class LaneNet:
    """A built net. links: for every link of the traffic light, in order, its way through the box."""

    path: Path
    links: tuple[RigWay, ...]


def edge(lane: int) -> str:
    """What a lane is called in the net."""
    return f"{EDGE}{lane}"


def build_lanes(folder: Path, crossing: RigCrossing) -> LaneNet:
    """Writes the crossing into a folder and has netconvert join it. Raises NoSumo."""
    home = sumo_home()
    folder.mkdir(parents=True, exist_ok=True)
    files = {part: folder / f"lanes.{part}.xml" for part in ("nod", "edg", "con", "net")}
    files["nod"].write_text(_nodes(crossing))
    files["edg"].write_text(_edges(crossing))
    files["con"].write_text(_connections(crossing))
    command = [str(home / "bin" / "netconvert"), "-n", str(files["nod"]), "-e", str(files["edg"])]
    command += ["-x", str(files["con"]), "-o", str(files["net"]), "--no-warnings"]
    command += ["--offset.disable-normalization", "--no-turnarounds"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_S, check=False)
    if done.returncode:
        raise NoSumo(f"netconvert ended with status {done.returncode}: {done.stderr.strip()[-400:]}")
    return LaneNet(files["net"], _links(files["net"], crossing))


def _nodes(crossing: RigCrossing) -> str:
    ends = [lane.points[-1 if lane.role == "entry" else 0] for lane in crossing.lanes.values()]
    hull = np.asarray(cv2.convexHull(np.array(ends, np.float32)).reshape(-1, 2), np.float64)
    rows = [f'<node id="{JUNCTION}" x="0" y="0" type="traffic_light" shape="{_shape(hull)}"/>']
    for lane in crossing.lanes.values():
        x, y = lane.points[0] if lane.role == "entry" else lane.points[-1]
        rows.append(f'<node id="far{lane.lane}" x="{x:.3f}" y="{y:.3f}" type="dead_end"/>')
    return "<nodes>\n" + "\n".join(rows) + "\n</nodes>\n"


def _edges(crossing: RigCrossing) -> str:
    rows = []
    for lane in crossing.lanes.values():
        far, near = f"far{lane.lane}", JUNCTION
        begin, end = (far, near) if lane.role == "entry" else (near, far)
        bicycle = lane.use == "bicycle"
        allowed, speed = ("bicycle", BICYCLE_MPS) if bicycle else ("passenger truck bus", MOTOR_MPS)
        rows.append(
            f'<edge id="{edge(lane.lane)}" from="{begin}" to="{end}" numLanes="1" speed="{speed}"'
            f' width="{lane.width_m}" allow="{allowed}" spreadType="center" shape="{_shape(lane.points)}"/>'
        )
    return "<edges>\n" + "\n".join(rows) + "\n</edges>\n"


def _connections(crossing: RigCrossing) -> str:
    rows = [
        f'<connection from="{edge(way.from_lane)}" to="{edge(way.to_lane)}" fromLane="0" toLane="0"'
        f' shape="{_shape(way.points)}"/>'
        for way in crossing.ways
    ]
    return "<connections>\n" + "\n".join(rows) + "\n</connections>\n"


def _links(net: Path, crossing: RigCrossing) -> tuple[RigWay, ...]:
    ways = {(edge(way.from_lane), edge(way.to_lane)): way for way in crossing.ways}
    found: dict[int, RigWay] = {}
    for link in ElementTree.parse(net).getroot().iter("connection"):
        if link.get("tl") == JUNCTION:
            found[int(link.get("linkIndex", "-1"))] = ways[link.get("from", ""), link.get("to", "")]
    if sorted(found) != list(range(len(ways))):
        raise NoSumo(f"netconvert joined {len(found)} of {len(ways)} ways: this SUMO reads the net otherwise")
    return tuple(found[index] for index in range(len(found)))


def _shape(points: Line) -> str:
    return " ".join(f"{x:.3f},{y:.3f}" for x, y in points)
