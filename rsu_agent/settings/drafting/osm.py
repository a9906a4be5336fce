"""A crossing drafted from an OpenStreetMap extract (.osm, .osm.pbf), read with pyosmium.

OpenStreetMap has a line a road and a count of lanes: widths, stop lines and turns follow from tags and
custom.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from rsu_agent.settings.drafting.draft import (
    COUNTED,
    CannotDraft,
    Draft,
    DraftLane,
    DraftWalk,
    DraftWay,
    arm_of,
    turn_of,
)
from rsu_agent.settings.drafting.osm_tags import Road, road_of, turns_of
from rsu_agent.world.crossing import LaneRole, LaneUse, Points, Turn
from rsu_agent.world.place import GeoPoint, LocalFrame

LARGEST_BYTES = 256 << 20
FARTHEST_M = 400.0  # of the extract: what is farther from the place named is not read
NEAR_M = 100.0  # the junction is the nearest within this of the place named
CLUSTER_M = 40.0  # nodes of one crossing of divided roads are so near to each other
SAME_ARM_DEG = 35.0
BEARING_M = 45.0
LONGEST_M = 150.0
SETBACK_M = 5.0  # of a stop line from the edge of the road that crosses
LANE_M, BICYCLE_M = 3.25, 2.0
WALK_M = 60.0
ACCURACY_M = 3.0


@dataclass(slots=True)
class Extract:
    """What was read around a place, in metres from it: roads as node numbers, nodes, marked crossings."""

    origin: GeoPoint
    nodes: dict[int, tuple[float, float]] = field(default_factory=dict)
    roads: list[tuple[Road, list[int]]] = field(default_factory=list)
    walks: list[tuple[float, float]] = field(default_factory=list)


@dataclass(slots=True)
class Leg:
    """A road that leaves the crossing; points run outward from it."""

    road: Road
    points: Points
    backwards: bool  # the way's own direction is towards the crossing
    arm: str = ""


def draft_osm(path: Path, at: GeoPoint) -> Draft:
    """The draft of the crossing nearest to a place.

    Raises CannotDraft, ImportError without the extra `maps`, OSError.
    """
    extract = read_extract(path, at)
    cluster = _cluster(extract)
    x0, y0 = (sum(extract.nodes[n][i] for n in cluster) / len(cluster) for i in (0, 1))
    legs = [_moved(leg, x0, y0) for leg in _legs(extract, cluster)]
    origin = LocalFrame(extract.origin).to_geo(x0, y0)
    origin = GeoPoint(round(origin.lat_deg, 8), round(origin.lon_deg, 8))
    draft = Draft("OpenStreetMap crossing", origin, "OpenStreetMap, not surveyed", ACCURACY_M)
    for leg in legs:
        leg.arm = arm_of(draft, leg.points, BEARING_M, SAME_ARM_DEG)
    setback_m = SETBACK_M + max(leg.road.width_m for leg in legs) / 2
    for leg in legs:
        draft.lanes += _lanes(leg, setback_m)
    draft.ways = _ways(draft, legs)
    draft.walks = _walks(draft, legs, [(x - x0, y - y0) for x, y in extract.walks])
    draft.notes += [
        "stop lines, widths and lane positions are guesses from tags: put them on a picture or a survey",
        *COUNTED,
        "the map is (c) OpenStreetMap contributors, ODbL: so is what is drawn from it",
    ]
    return draft


def read_extract(path: Path, at: GeoPoint) -> Extract:
    """Roads and crossings around a place. Raises as `draft_osm`."""
    import osmium

    if path.stat().st_size > LARGEST_BYTES:
        raise CannotDraft(f"larger than {LARGEST_BYTES >> 20} MB: cut the area out first")
    extract, frame = Extract(at), LocalFrame(at)
    try:
        for thing in osmium.FileProcessor(str(path)).with_locations():
            if isinstance(thing, osmium.osm.Node) and thing.tags.get("highway") == "crossing":
                place = _place(frame, thing.location)
                if place is not None:
                    extract.walks.append(place)
            elif isinstance(thing, osmium.osm.Way) and (road := road_of(dict(thing.tags))) is not None:
                _take(extract, frame, road, thing)
    except (RuntimeError, ValueError) as error:
        raise CannotDraft(f"no OpenStreetMap extract: {error}") from None
    return extract


def _take(extract: Extract, frame: LocalFrame, road: Road, way: Any) -> None:
    refs = []
    for node in way.nodes:
        place = _place(frame, node.location)
        if place is not None:
            extract.nodes[node.ref] = place
            refs.append(node.ref)
    if len(refs) > 1:
        extract.roads.append((road, refs))


def _place(frame: LocalFrame, location: Any) -> tuple[float, float] | None:
    """Metres from the place named; None for what is far from it, or nowhere."""
    if not location.valid():
        return None
    place = frame.to_local(GeoPoint(location.lat, location.lon))
    return place if math.hypot(*place) <= FARTHEST_M else None


def _cluster(extract: Extract) -> set[int]:
    """The nodes of the crossing: where three or more ways meet, and such nodes close by."""
    ends: Counter[int] = Counter()
    for _, refs in extract.roads:
        for n, ref in enumerate(refs):
            ends[ref] += 1 if n in (0, len(refs) - 1) else 2
    meeting = [ref for ref, count in ends.items() if count >= 3]
    nearest = min(meeting, key=lambda ref: math.hypot(*extract.nodes[ref]), default=None)
    if nearest is None or math.hypot(*extract.nodes[nearest]) > NEAR_M:
        raise CannotDraft(f"no roads meet within {NEAR_M:.0f} m of the place named")
    middle = extract.nodes[nearest]
    return {ref for ref in meeting if math.dist(extract.nodes[ref], middle) <= CLUSTER_M}


def _legs(extract: Extract, cluster: set[int]) -> list[Leg]:
    """Pieces of roads that begin at the crossing and lead out of it."""
    legs = []
    for road, refs in extract.roads:
        for ordered, backwards in ((refs, False), (refs[::-1], True)):
            for n, ref in enumerate(ordered[:-1]):
                if ref not in cluster:
                    continue
                rest = ordered[n:]
                again = next((m for m, other in enumerate(rest[1:], 1) if other in cluster), None)
                if again is None:  # else it joins two nodes of the crossing
                    points = tuple(extract.nodes[other] for other in rest)
                    legs.append(Leg(road, points, backwards))
    if len(legs) < 3:
        raise CannotDraft(f"{len(legs)} roads lead away from the place named: three or more make a crossing")
    return legs


def _moved(leg: Leg, x0: float, y0: float) -> Leg:
    leg.points = tuple((x - x0, y - y0) for x, y in leg.points)
    return leg


def _lanes(leg: Leg, setback_m: float) -> list[DraftLane]:
    """Lanes beside the road's line: seen outward, those that lead out are on the right of it."""
    road = leg.road
    ins, outs = (road.forward, road.backward) if leg.backwards else (road.backward, road.forward)
    middle = _cut(leg.points, setback_m, LONGEST_M)
    divider_m = (ins - outs) * LANE_M / 2  # between the directions, when the line is the middle of the road
    lanes = []
    for role, count, side in ((LaneRole.ENTRY, ins, -1.0), (LaneRole.EXIT, outs, 1.0)):
        offs = [(LaneUse.MOTOR, n, (n + 0.5) * LANE_M) for n in range(count)]
        if count and road.bicycle_lane:
            offs.append((LaneUse.BICYCLE, count, count * LANE_M + BICYCLE_M / 2))
        lanes += [_lane(leg, role, use, n, _shifted(middle, divider_m + side * off)) for use, n, off in offs]
    return lanes


def _lane(leg: Leg, role: LaneRole, use: LaneUse, order: int, outward: Points) -> DraftLane:
    width = LANE_M if use is LaneUse.MOTOR else BICYCLE_M
    points = outward[::-1] if role is LaneRole.ENTRY else outward
    return DraftLane(leg.arm, role, use, width, leg.road.speed_kmh, points, order)


def _cut(points: Points, from_m: float, to_m: float) -> Points:
    """The part of a line between two distances from the centre, measured along it."""
    reached = math.hypot(*points[0])
    kept: list[tuple[float, float]] = []
    for a, b in pairwise(points):
        step = math.dist(a, b)
        if step == 0.0:
            continue
        for at in (from_m, to_m):
            if reached <= at < reached + step:
                share = (at - reached) / step
                kept.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
        reached += step
        if from_m < reached < to_m:
            kept.append(b)
    if len(kept) < 2:
        raise CannotDraft(f"a road ends {reached:.0f} m from the crossing: the extract is too small")
    return tuple(kept)


def _shifted(points: Points, right_m: float) -> Points:
    """A line beside another, to the right of its direction."""
    shifted = []
    for n, (x, y) in enumerate(points):
        (x0, y0), (x1, y1) = points[max(0, n - 1)], points[min(len(points) - 1, n + 1)]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        shifted.append((x + (y1 - y0) / length * right_m, y - (x1 - x0) / length * right_m))
    return tuple(shifted)


def _ways(draft: Draft, legs: list[Leg]) -> list[DraftWay]:
    """From every entry lane to the exits that its turns lead to, lane to lane from the middle outward."""
    tagged = {leg.arm: turns_of(leg.road, leg.backwards) for leg in legs if leg.road.lanes_in(leg.backwards)}
    ways = []
    for entry in draft.lanes:
        if entry.role is not LaneRole.ENTRY:
            continue
        allowed = tagged.get(entry.arm, {}).get(entry.order) if entry.use is LaneUse.MOTOR else None
        exits = [
            lane
            for lane in draft.lanes
            if lane.role is LaneRole.EXIT and lane.use is entry.use and lane.arm != entry.arm
        ]
        by_turn: dict[tuple[str, Turn], list[DraftLane]] = {}
        for lane in exits:
            by_turn.setdefault((lane.arm, turn_of(entry.points, lane.points)), []).append(lane)
        for (_, turn), lanes in by_turn.items():
            if turn is Turn.U_TURN or (allowed is not None and turn not in allowed):
                continue
            if allowed is None and not _by_custom(draft, entry, turn):
                continue
            ordered = sorted(lanes, key=lambda lane: lane.order)
            target = ordered[-1] if turn is Turn.RIGHT else ordered[min(entry.order, len(ordered) - 1)]
            if turn is Turn.LEFT:
                target = ordered[0]
            ways.append(DraftWay(entry, target, turn, (entry.use, entry.arm, turn)))
    return ways


def _by_custom(draft: Draft, entry: DraftLane, turn: Turn) -> bool:
    """Without tags: left from the innermost lane, right from the outermost, straight from all but those."""
    if entry.use is LaneUse.BICYCLE:
        return True
    own = entry.arm, entry.role, entry.use
    beside = [lane for lane in draft.lanes if (lane.arm, lane.role, lane.use) == own]
    inner, outer = entry.order == 0, entry.order == len(beside) - 1
    match turn:
        case Turn.LEFT:
            return inner
        case Turn.RIGHT:
            return outer
        case _:
            return len(beside) < 3 or not inner


def _walks(draft: Draft, legs: list[Leg], marked: list[tuple[float, float]]) -> list[DraftWalk]:
    """A walk an arm where a crossing is marked on one of its roads: kerb to kerb, before the stop line."""
    walks = []
    for arm in draft.arms:
        on_arm = [leg for leg in legs if leg.arm == arm]
        if not any(_beside(leg.points, place) for leg in on_arm for place in marked):
            continue
        ends = [lane.end for lane in draft.lanes if lane.arm == arm]
        ahead = math.radians(draft.arms[arm])
        across = math.cos(ahead), -math.sin(ahead)
        offs = [x * across[0] + y * across[1] for x, y in ends]
        out = min(x * math.sin(ahead) + y * math.cos(ahead) for x, y in ends) - SETBACK_M / 2
        kerbs = (min(offs) - LANE_M / 2, max(offs) + LANE_M / 2)
        axis = tuple(
            (out * math.sin(ahead) + k * across[0], out * math.cos(ahead) + k * across[1]) for k in kerbs
        )
        walks.append(DraftWalk(arm, axis))
    return walks


def _beside(points: Points, place: tuple[float, float]) -> bool:
    return math.hypot(*place) <= WALK_M and any(math.dist(point, place) < 1.0 for point in points)
