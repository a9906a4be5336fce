"""A crossing in the drafting: lanes, ways and walks in metres, and the GeoJSON document that they become."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.world.crossing import LaneRole, LaneUse, Points, Turn
from rsu_agent.world.place import GeoPoint, LocalFrame, heading_deg, line_heading_deg, turn_deg

COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
STRAIGHT_DEG, BACK_DEG = 45.0, 150.0
ARM_POINT_M = 100.0
PATH_POINTS = 8
HEIGHT_M = 5.5  # of a signal head that nobody has measured
SHRINK_M = 3.0  # of the conflict area from the hull of the stop lines
WALK_HALF_M = 2.0  # half of a crosswalk's width
FIRST_NEIGHBOUR = 1  # numbers of neighbouring nodes: placeholders


COUNTED = (  # what no map tells
    "lamp groups are counted, not known: put in the controller's own numbers",
    "node, region and the neighbouring nodes are placeholders for tests",
)


class CannotDraft(ValueError):
    """A map from which no crossing can be drafted; says why."""


@dataclass(slots=True)
class DraftLane:
    """A lane; points in the direction of travel. `order`: from the middle of the road outward, from 0."""

    arm: str
    role: LaneRole
    use: LaneUse
    width_m: float
    speed_kmh: float
    points: Points
    order: int = 0
    number: int = 0

    @property
    def end(self) -> tuple[float, float]:
        """Where it touches the crossing: an entry's stop line, an exit's beginning."""
        return self.points[-1] if self.role is LaneRole.ENTRY else self.points[0]


@dataclass(slots=True)
class DraftWay:
    """A way from an entry lane to an exit lane; signal: what its lamp group is shared by, None: no signal."""

    from_lane: DraftLane
    to_lane: DraftLane
    turn: Turn
    signal: tuple[str, ...] | None


@dataclass(slots=True)
class DraftWalk:
    """A crosswalk over an arm, from kerb to kerb; signalled or not is for the person to say."""

    arm: str
    axis: Points


@dataclass(slots=True)
class Draft:
    """Everything drafted. arms: name -> bearing outward. notes: what the person must look at."""

    name: str
    origin: GeoPoint
    source: str
    accuracy_m: float
    arms: dict[str, float] = field(default_factory=dict)
    lanes: list[DraftLane] = field(default_factory=list)
    ways: list[DraftWay] = field(default_factory=list)
    walks: list[DraftWalk] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def arm_of(draft: Draft, outward: Points, near_m: float, same_deg: float) -> str:
    """The arm that a road belongs to: one whose bearing, so far out, is about the same, else a new one."""
    far = next((p for p in outward if math.hypot(*p) >= near_m), outward[-1])
    bearing = heading_deg(*far)
    for arm, known in draft.arms.items():
        if abs(turn_deg(known, bearing)) <= same_deg:
            return arm
    arm = _arm_name(bearing, draft.arms)
    draft.arms[arm] = bearing
    return arm


def _arm_name(bearing_deg: float, taken: Iterable[str]) -> str:
    """A point of the compass, numbered where two arms would have the same."""
    name = COMPASS[round(bearing_deg % 360.0 / 45.0) % 8]
    if name not in taken:
        return name
    return next(f"{name}{n}" for n in range(2, 99) if f"{name}{n}" not in taken)


def turn_of(entry: Points, exit_: Points) -> Turn:
    """What one does who leaves by `exit_` after having come by `entry`."""
    turned = turn_deg(line_heading_deg(entry[-2:]), line_heading_deg(exit_[:2]))
    if abs(turned) <= STRAIGHT_DEG:
        return Turn.THROUGH
    if abs(turned) >= BACK_DEG:
        return Turn.U_TURN
    return Turn.RIGHT if turned > 0 else Turn.LEFT


def document(draft: Draft) -> dict[str, Any]:
    """The crossing file. Raises CannotDraft when there is nothing to put in it."""
    if not draft.lanes or not draft.ways:
        raise CannotDraft("no lane leads in and out again: is this a crossing?")
    for number, lane in enumerate(sorted(draft.lanes, key=_place_in_file), 1):
        lane.number = number
    groups = _groups(draft)
    frame = _Writer(LocalFrame(draft.origin))
    features = [
        frame.arm(arm, bearing, n) for n, (arm, bearing) in enumerate(draft.arms.items(), FIRST_NEIGHBOUR)
    ]
    features += [frame.lane(lane) for lane in sorted(draft.lanes, key=lambda lane: lane.number)]
    features += [frame.way(way, groups) for way in draft.ways]
    features += [frame.walk(n, walk, groups) for n, walk in enumerate(draft.walks, 1)]
    features += frame.heads(draft, groups)
    features.append(frame.polygon({"kind": "conflict_area"}, _conflict_area(draft)))
    whole = {
        "node": 0,
        "region": 0,
        "name": draft.name,
        "reference": {"lat": draft.origin.lat_deg, "lon": draft.origin.lon_deg},
        "datum": "itrf@2020.0",
        "height": "ellipsoid",
        "survey_source": draft.source,
        "accuracy_m": draft.accuracy_m,
    }
    return {"type": "FeatureCollection", "crossing": whole, "features": features}


def _place_in_file(lane: DraftLane) -> tuple[str, bool, str, int]:
    return lane.arm, lane.role is LaneRole.EXIT, lane.use, lane.order


def _groups(draft: Draft) -> dict[tuple[str, ...], int]:
    """A number for each signal, counted: the controller's own numbers are for the person to put in."""
    signals = {way.signal for way in draft.ways if way.signal is not None}
    signals |= {("walk", walk.arm, str(n)) for n, walk in enumerate(draft.walks, 1)}
    return {signal: number for number, signal in enumerate(sorted(signals), 1)}


def curve(entry: Points, exit_: Points) -> Points:
    """A drive path: from the end of one lane to the beginning of another, leaving and arriving in line."""
    a, d = entry[-1], exit_[0]
    reach = math.dist(a, d) / 2.5
    b, c = _ahead(entry[-2:], a, reach), _ahead(exit_[1::-1], d, reach)
    points = []
    for n in range(PATH_POINTS + 1):
        t = n / PATH_POINTS
        weights = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
        points.append(
            (
                sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
                sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
            )
        )
    return tuple(points)


def _ahead(line: Points, point: tuple[float, float], reach: float) -> tuple[float, float]:
    (x0, y0), (x1, y1) = line[0], line[-1]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    return point[0] + (x1 - x0) / length * reach, point[1] + (y1 - y0) / length * reach


def _conflict_area(draft: Draft) -> Points:
    ends = [lane.end for lane in draft.lanes]
    x0, y0 = sum(x for x, _ in ends) / len(ends), sum(y for _, y in ends) / len(ends)
    shrunk = []
    for x, y in _hull(ends):
        away = math.hypot(x - x0, y - y0) or 1.0
        keep = max(0.3, (away - SHRINK_M) / away)
        shrunk.append((x0 + (x - x0) * keep, y0 + (y - y0) * keep))
    if len(set(shrunk)) < 3:
        raise CannotDraft("the lanes' ends enclose no ground: is this a crossing?")
    return tuple(shrunk)


def _hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The convex hull, counter-clockwise."""

    def chain(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for p in ordered:
            while len(kept) > 1 and _left_of(kept[-2], kept[-1], p) <= 0:
                kept.pop()
            kept.append(p)
        return kept[:-1]

    ordered = sorted(set(points))
    return chain(ordered) + chain(ordered[::-1])


def _left_of(a: tuple[float, float], b: tuple[float, float], p: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


@dataclass(frozen=True, slots=True)
class _Writer:
    """Features in degrees."""

    frame: LocalFrame

    def lonlat(self, point: tuple[float, float]) -> list[float]:
        place = self.frame.to_geo(*point)
        return [round(place.lon_deg, 8), round(place.lat_deg, 8)]

    def feature(self, properties: dict[str, Any], kind: str, coordinates: Any) -> dict[str, Any]:
        geometry = {"type": kind, "coordinates": coordinates}
        return {"type": "Feature", "properties": properties, "geometry": geometry}

    def line(self, properties: dict[str, Any], points: Points) -> dict[str, Any]:
        return self.feature(properties, "LineString", [self.lonlat(point) for point in points])

    def polygon(self, properties: dict[str, Any], points: Points) -> dict[str, Any]:
        return self.feature(properties, "Polygon", [[self.lonlat(point) for point in (*points, points[0])]])

    def arm(self, arm: str, bearing: float, neighbour: int) -> dict[str, Any]:
        ahead = math.radians(bearing)
        at = ARM_POINT_M * math.sin(ahead), ARM_POINT_M * math.cos(ahead)
        properties = {"kind": "arm", "arm": arm, "bearing_deg": round(bearing, 1), "upstream_node": neighbour}
        return self.feature(properties, "Point", self.lonlat(at))

    def lane(self, lane: DraftLane) -> dict[str, Any]:
        properties = {
            "kind": "lane",
            "lane": lane.number,
            "arm": lane.arm,
            "role": lane.role,
            "use": lane.use,
            "width_m": round(lane.width_m, 2),
            "speed_limit_kmh": round(lane.speed_kmh, 1),
        }
        return self.line(properties, lane.points)

    def way(self, way: DraftWay, groups: dict[tuple[str, ...], int]) -> dict[str, Any]:
        properties = {
            "kind": "connection",
            "from_lane": way.from_lane.number,
            "to_lane": way.to_lane.number,
            "turn": way.turn,
            "group": None if way.signal is None else groups[way.signal],
            "uncontrolled": way.signal is None,
        }
        return self.line(properties, curve(way.from_lane.points, way.to_lane.points))

    def walk(self, number: int, walk: DraftWalk, groups: dict[tuple[str, ...], int]) -> dict[str, Any]:
        (x0, y0), (x1, y1) = walk.axis[0], walk.axis[-1]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        dx, dy = -(y1 - y0) / length * WALK_HALF_M, (x1 - x0) / length * WALK_HALF_M
        outline = ((x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy))
        properties = {
            "kind": "crosswalk",
            "crosswalk": number,
            "arm": walk.arm,
            "group": groups["walk", walk.arm, str(number)],
            "axis": [self.lonlat(walk.axis[0]), self.lonlat(walk.axis[-1])],
        }
        return self.polygon(properties, outline)

    def heads(self, draft: Draft, groups: dict[tuple[str, ...], int]) -> list[dict[str, Any]]:
        """One round head a signal of vehicles, at the stop line: where it stands is not known."""
        heads = {}
        for way in draft.ways:
            if way.signal is None or groups[way.signal] in heads:
                continue
            facing = (line_heading_deg(way.from_lane.points[-2:]) + 180.0) % 360.0
            properties = {
                "kind": "signal_head",
                "group": groups[way.signal],
                "height_m": HEIGHT_M,
                "facing_deg": round(facing, 1),
                "shape": "bicycle" if way.from_lane.use is LaneUse.BICYCLE else "round",
            }
            point = self.lonlat(way.from_lane.points[-1])
            heads[groups[way.signal]] = self.feature(properties, "Point", point)
        return [heads[group] for group in sorted(heads)]
