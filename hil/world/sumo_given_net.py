"""What lies around one junction of any SUMO net (.net.xml, .net.xml.gz), in the net's coordinates."""

from __future__ import annotations

import difflib
import gzip
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, cast
from xml.etree import ElementTree

from hil.world.sumo_scenario import UnfitScenario
from rsu_agent.world.crossing import Points

WIDTH_M, SPEED_MPS = 3.2, 13.89  # SUMO's own, where a lane states none
INNER = ("internal", "walkingarea", "dead_end", "unregulated_internal")
FEET = {"pedestrian", "wheelchair"}
CYCLES = {"bicycle", "scooter"}
RAILS = {
    "tram", "rail_urban", "rail", "rail_electric", "rail_fast", "cable_car", "subway", "ship", "container",
    "aircraft", "drone",
}  # fmt: skip
SHOWN, BIGGEST = 3, 5
GZIP = b"\x1f\x8b"
Element = ElementTree.Element


class Use(StrEnum):
    """Who may use a lane of a net: wheels with a motor (and others), cycles, feet alone, or none of these."""

    MOTOR = "motor"
    CYCLE = "cycle"
    FOOT = "foot"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Junction:
    """A junction. entries: its incoming lanes for wheels; all in net coordinates (m)."""

    id: str
    type: str
    middle: tuple[float, float]
    shape: Points
    entries: int

    @property
    def signalised(self) -> bool:
        """Whether it has a traffic light."""
        return self.type.startswith("traffic_light")


@dataclass(frozen=True, slots=True)
class Strip:
    """A lane of the net. function "" : of a road; begins, ends: the junctions that the road joins."""

    id: str
    edge: str
    function: str
    begins: str
    ends: str
    use: Use
    width_m: float
    speed_mps: float
    points: Points


@dataclass(frozen=True, slots=True)
class Link:
    """A connection of two lanes; via: the inner lane that it begins with, if any."""

    lane: str
    to: str
    via: str
    turn: str


@dataclass(slots=True)
class Around:
    """What lies around a junction: lanes by their id, links by the lane that they leave."""

    junction: Junction
    strips: dict[str, Strip] = field(default_factory=dict)
    links: dict[str, list[Link]] = field(default_factory=dict)


def junctions(net: Path) -> dict[str, Junction]:
    """All junctions of a net, inner ones and dead ends apart. Raises UnfitScenario: no net."""
    not_for_wheels: set[str] = set()
    found = {}
    for element in _elements(net, ("edge", "junction")):
        if element.tag == "edge":
            lanes = ((lane.get("id", ""), use(lane)) for lane in element.iter("lane"))
            not_for_wheels |= {name for name, who in lanes if who in (Use.FOOT, Use.NOBODY)}
        elif element.get("type") not in INNER:
            junction = _junction(element, not_for_wheels)
            found[junction.id] = junction
    if not found:
        raise UnfitScenario(f"{net} has no junction: is it a SUMO net (.net.xml)?")
    return found


def chosen(net: Path, name: str) -> Junction:
    """The junction of a name; without one the signalised junction with the most lanes leading to it."""
    among = junctions(net)
    if name:
        if name in among:
            return among[name]
        near = difflib.get_close_matches(name, among, SHOWN, 0.0)
        raise UnfitScenario(f"no junction {name} among {len(among)}; the nearest names: {', '.join(near)}")
    ranked = sorted(among.values(), key=lambda each: (-each.entries, each.id))
    lit = [each for each in ranked if each.signalised]
    if not lit:
        named = ", ".join(f"{each.id} ({each.entries} lanes lead to it)" for each in ranked[:BIGGEST])
        raise UnfitScenario(f"{net} has no junction with a traffic light: name one with --junction: {named}")
    return lit[0]


def around(net: Path, junction: Junction, within_m: float) -> Around:
    """Lanes that come so near to the middle of a junction, and the links that leave them."""
    found = Around(junction)
    for element in _elements(net, ("edge", "connection")):
        if element.tag == "edge":
            for lane in element.iter("lane"):
                strip = _strip(element, lane)
                if len(strip.points) > 1 and away_m(strip.points, junction.middle) < within_m:
                    found.strips[strip.id] = strip
        else:
            link = _link(element)
            if link.lane in found.strips:
                found.links.setdefault(link.lane, []).append(link)
    return found


def use(lane: Element) -> Use:
    """Who may use a lane, by its allow and disallow."""
    allow, disallow = (lane.get(name, "") for name in ("allow", "disallow"))
    if not allow:
        refused = set(disallow.split())
        return Use.NOBODY if "all" in refused else Use.MOTOR
    who = set(allow.split()) - RAILS
    if not who:
        return Use.NOBODY
    if who <= FEET:
        return Use.FOOT
    return Use.CYCLE if who <= FEET | CYCLES else Use.MOTOR


def away_m(points: Points, place: tuple[float, float]) -> float:
    """Distance of a place from a line."""
    nearest = math.inf
    for (x0, y0), (x1, y1) in pairwise(points):
        dx, dy = x1 - x0, y1 - y0
        part = ((place[0] - x0) * dx + (place[1] - y0) * dy) / max(dx * dx + dy * dy, 1e-12)
        part = min(1.0, max(0.0, part))
        nearest = min(nearest, math.hypot(x0 + part * dx - place[0], y0 + part * dy - place[1]))
    return nearest


def shape_of(text: str) -> Points:
    """SUMO's `x,y x,y` or `x,y,z x,y,z`; points that repeat the one before are left out."""
    rows = [tuple(map(float, part.split(",")[:2])) for part in text.split()]
    kept = [row for n, row in enumerate(rows) if not n or math.dist(row, rows[n - 1]) > 1e-3]
    return cast(Points, tuple(kept))


def centroid(shape: Points) -> tuple[float, float] | None:
    """The middle of an outline's area; None where it has none."""
    if not shape:
        return None
    x0, y0 = shape[0]
    double = mx = my = 0.0
    for (x, y), (nx, ny) in zip(shape, (*shape[1:], shape[0]), strict=True):
        cross = (x - x0) * (ny - y0) - (nx - x0) * (y - y0)
        double += cross
        mx += (x + nx - 2 * x0) * cross
        my += (y + ny - 2 * y0) * cross
    return (x0 + mx / (3 * double), y0 + my / (3 * double)) if abs(double) > 2.0 else None


def _junction(element: Element, not_for_wheels: Collection[str]) -> Junction:
    lanes = [name for name in element.get("incLanes", "").split() if not name.startswith(":")]
    shape = shape_of(element.get("shape", ""))
    node = float(element.get("x", "0")), float(element.get("y", "0"))
    return Junction(
        id=element.get("id", ""),
        type=element.get("type", ""),
        middle=centroid(shape) or node,
        shape=shape,
        entries=sum(name not in not_for_wheels for name in lanes),
    )


def _strip(edge: Element, lane: Element) -> Strip:
    return Strip(
        id=lane.get("id", ""),
        edge=edge.get("id", ""),
        function=edge.get("function", "").replace("normal", ""),
        begins=edge.get("from", ""),
        ends=edge.get("to", ""),
        use=use(lane),
        width_m=float(lane.get("width", WIDTH_M)),
        speed_mps=float(lane.get("speed", SPEED_MPS)),
        points=shape_of(lane.get("shape", "")),
    )


def _link(element: Element) -> Link:
    lane = f"{element.get('from')}_{element.get('fromLane')}"
    to = f"{element.get('to')}_{element.get('toLane')}"
    return Link(lane, to, element.get("via", ""), element.get("dir", "s"))


def _elements(net: Path, tags: tuple[str, ...]) -> Iterator[Element]:
    """The net's own children of these tags, one at a time: nets of whole cities are read in little memory."""
    with net.open("rb") as plain:
        packed = plain.read(len(GZIP)) == GZIP
    try:
        with gzip.open(net) if packed else net.open("rb") as file:
            depth, root = 0, None
            for event, element in ElementTree.iterparse(cast(BinaryIO, file), ("start", "end")):
                depth += 1 if event == "start" else -1
                root = element if root is None else root
                if event == "end" and depth == 1:
                    if element.tag in tags:
                        yield element
                    root.clear()
    except (ElementTree.ParseError, EOFError, gzip.BadGzipFile) as fault:
        raise UnfitScenario(f"{net} cannot be read: {fault}; make it anew with netconvert") from None
