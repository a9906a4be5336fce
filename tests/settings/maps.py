"""Small maps written for tests: an OpenStreetMap extract and a SUMO network."""

from __future__ import annotations

import math
from pathlib import Path

LAT, LON = 22.69, 114.34
NORTH_M, EAST_M = 110_755.0, 102_770.0  # a degree there, good to a metre over a crossing
Tags = dict[str, str]


class Osm:
    """An extract: nodes by metres from LAT, LON; ways by nodes."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._ways: list[str] = []
        self._nodes = 0

    def node(self, x: float, y: float, tags: Tags | None = None) -> int:
        self._nodes += 1
        place = f'lat="{LAT + y / NORTH_M:.8f}" lon="{LON + x / EAST_M:.8f}"'
        self._lines.append(f'<node id="{self._nodes}" version="1" {place}>{_tags(tags or {})}</node>')
        return self._nodes

    def road_out(
        self, bearing_deg: float, x: float = 0.0, y: float = 0.0, *, walk: bool = False
    ) -> list[int]:
        """Nodes of a straight road that leads out of a place."""
        ahead = math.radians(bearing_deg)
        crossing = {"highway": "crossing"} if walk else None
        return [
            self.node(x + d * math.sin(ahead), y + d * math.cos(ahead), crossing if d == 25 else None)
            for d in (25, 60, 120, 220)
        ]

    def way(self, nodes: list[int], tags: Tags) -> None:
        refs = "".join(f'<nd ref="{ref}"/>' for ref in nodes)
        self._ways.append(f'<way id="{len(self._ways) + 1}" version="1">{refs}{_tags(tags)}</way>')

    def write(self, path: Path) -> Path:
        body = "\n".join([*self._lines, *self._ways])
        path.write_text(f'<?xml version="1.0"?>\n<osm version="0.6" generator="hand">\n{body}\n</osm>\n')
        return path


def _tags(tags: Tags) -> str:
    return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())


def four_arms(path: Path) -> Path:
    """Six lanes and bicycle lanes from north to south, four lanes from the west, two to the east."""
    osm = Osm()
    centre = osm.node(0, 0, {"highway": "traffic_signals"})
    north, south = osm.road_out(0, walk=True), osm.road_out(180)
    turns = "left|through|through;right"
    osm.way(
        [*north[::-1], centre, *south],
        {
            "highway": "primary",
            "lanes": "6",
            "lanes:forward": "3",
            "lanes:backward": "3",
            "maxspeed": "60",
            "turn:lanes:forward": turns,
            "turn:lanes:backward": turns,
            "cycleway": "lane",
        },
    )
    west = osm.road_out(270, walk=True)
    osm.way([*west[::-1], centre], {"highway": "secondary", "lanes": "4", "maxspeed": "25 mph"})
    osm.way([centre, *osm.road_out(100, walk=True)], {"highway": "secondary", "lanes": "2"})
    osm.way([centre, *osm.road_out(45)], {"highway": "footway"})
    return osm.write(path)


def divided(path: Path) -> Path:
    """A divided road from west to east, of two lanes each way, and a plain one from north to south."""
    osm = Osm()
    south_side, north_side = osm.node(0, -8), osm.node(0, 8)
    divided_road = {"highway": "trunk", "oneway": "yes", "lanes": "2"}
    osm.way([*osm.road_out(270, y=-8)[::-1], south_side, *osm.road_out(90, y=-8)], divided_road)
    osm.way([*osm.road_out(90, y=8)[::-1], north_side, *osm.road_out(270, y=8)], divided_road)
    plain = {"highway": "tertiary", "lanes": "2"}
    osm.way([*osm.road_out(0, y=8)[::-1], north_side, south_side, *osm.road_out(180, y=-8)], plain)
    return osm.write(path)


def sumo(path: Path, projection: str = "!", offset: tuple[float, float] = (0.0, 0.0)) -> Path:
    """A junction J of three roads, two lanes in and one out each, with lights and one crossing."""
    edges, connections = [], []
    arms = {"n": (0, 1), "e": (1, 0), "s": (0, -1)}
    for name, (dx, dy) in arms.items():
        right = dy, -dx  # seen outward
        for edge, ends, count, side in ((f"{name}_in", (200, 12), 2, -1), (f"{name}_out", (12, 200), 1, 1)):
            lanes = []
            for index in range(count):
                off = side * (3.2 * (count - 1 - index) + 1.6)  # index 0 is the kerb's
                shape = " ".join(
                    f"{500 + d * dx + off * right[0]:.2f},{300 + d * dy + off * right[1]:.2f}" for d in ends
                )
                lanes.append(
                    f'<lane id="{edge}_{index}" index="{index}" speed="13.89" length="188" width="3.2" '
                    f'shape="{shape}"/>'
                )
            here, there = ("J", name) if edge.endswith("out") else (name, "J")
            edges.append(f'<edge id="{edge}" from="{here}" to="{there}" priority="1">{"".join(lanes)}</edge>')
    ways = [
        ("n", "s", 0, "s"),
        ("n", "e", 1, "l"),
        ("s", "n", 0, "s"),
        ("s", "n", 1, "s"),
        ("s", "e", 0, "r"),
    ]
    ways += [("e", "n", 0, "r"), ("e", "s", 1, "l"), ("n", "n", 1, "t")]
    for number, (one, other, lane, direction) in enumerate(ways):
        connections.append(
            f'<connection from="{one}_in" to="{other}_out" fromLane="{lane}" toLane="0" tl="J" '
            f'linkIndex="{number}" dir="{direction}" state="o"/>'
        )
    walk = (
        '<edge id=":J_c0" function="crossing" crossingEdges="e_in e_out"><lane id=":J_c0_0" index="0" '
        'allow="pedestrian" speed="1.0" length="10" width="4" shape="510,306 510,294"/></edge>'
    )
    ends = "".join(
        f'<junction id="{name}" type="dead_end" x="{500 + 200 * dx}" y="{300 + 200 * dy}" incLanes="" '
        'intLanes="" shape="0,0"/>'
        for name, (dx, dy) in arms.items()
    )
    junction = (
        '<junction id="J" type="traffic_light" x="500" y="300" '
        'incLanes="n_in_0 n_in_1 e_in_0 e_in_1 s_in_0 s_in_1" intLanes="" '
        'shape="490,310 510,310 510,290 490,290"/>'
    )
    head = (
        f'<net version="1.20"><location netOffset="{offset[0]:.2f},{offset[1]:.2f}" '
        f'convBoundary="0,0,1000,600" origBoundary="0,0,1,1" projParameter="{projection}"/>'
    )
    path.write_text("\n".join([head, *edges, walk, junction, ends, *connections, "</net>"]))
    return path
