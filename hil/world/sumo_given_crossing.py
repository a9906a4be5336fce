"""What surrounds a junction of any SUMO net as the product's geometry, and where our poles stand there."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from hil.world.sumo_given_net import Around, Link, Strip, Use, away_m
from hil.world.sumo_net import TURNS
from hil.world.sumo_scenario import UnfitScenario
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

BESIDE_M = 8.0  # a footway no farther from a lane's edge is the lane's own pavement and needs no line
POLE_M = math.hypot(12.0, 12.0)  # from the middle, as in the committed benchmark
OUTSIDE_M = 0.3  # of the outline of a larger junction
CLEAR_M = 0.5  # of a pole from the nearest lane's edge
TURN_DEG = 3
LEAST_TURNED = 0.1  # of the arms' fourfold sum: below it they point evenly everywhere
OUTWARD_M = 30.0  # of a lane, by which the bearing of its arm is taken
MOST_PIECES = 12  # of one way through a junction
Place = tuple[float, float]


def crossing_at(around: Around, within_m: float) -> Crossing:
    """Lanes, ways, crossings, conflict area, metres east and north of the junction's middle.

    Lanes are cut at within_m. Inner lanes of other junctions are lanes; a footway farther from all lanes than
    a pavement is a crosswalk (nothing else of ours is walked on). Roles of lanes that do not touch the
    junction: by whether they lead to its middle or away. The conflict area is the hull of the ends of
    stop lines and of the mouths opposite. Raises UnfitScenario where no lane for wheels leads in.
    """
    ways = {name: _ways(around, strip) for name, strip in around.strips.items() if _leads_in(around, strip)}
    used = {piece for found in ways.values() for _, pieces in found for piece in pieces}
    lanes = _lanes(around, used, within_m)
    exits = {name: lane for name, lane in lanes if lane.role is LaneRole.EXIT}
    joined = tuple(_joined(around, lane, ways.get(name, []), exits) for name, lane in lanes)
    touching = [lane for name, lane in lanes if _touches(around, around.strips[name])]
    if not any(lane.role is LaneRole.ENTRY for lane in touching):
        here = around.junction.id
        raise UnfitScenario(f"no lane for wheels leads to junction {here}: name another with --junction")
    arms = _arms(touching)
    return Crossing(
        node=1,
        region=0,
        name=around.junction.id,
        origin=GeoPoint(0.0, 0.0),
        datum="none",
        height_system="none",
        survey_source="a SUMO net",
        accuracy_m=0.01,
        arms=arms,
        lanes=joined,
        crosswalks=tuple(_walks(around, joined, arms, within_m)),
        waiting_areas=(),
        heads=(),
        conflict_area=_mouth(touching),
    )


def poles_at(around: Around, crossing: Crossing) -> list[Place]:
    """Four poles in the diagonal directions, looking over the middle.

    As far from the middle as the committed ones (17 m), or just outside the hull of a larger junction. All
    four are turned together as the arms are turned from north, east, south and west (their fourfold mean),
    and from there on as little as may be until each stands beside the road, or where they do so most nearly.
    """
    outline = _hull(_shifted(around.junction.shape, around))
    drawn = [(lane.points, lane.width_m / 2) for lane in crossing.lanes]
    drawn += [(way.path, lane.width_m / 2) for lane in crossing.lanes for way in lane.connections]
    fourfold = sum(np.exp(4j * math.radians(arm.bearing_deg)) for arm in crossing.arms)
    turned_deg = math.degrees(np.angle(fourfold)) / 4 if abs(fourfold) > LEAST_TURNED else 0.0
    best, most_m = _square(outline, turned_deg), -math.inf
    for more_deg in sorted(range(-45, 45, TURN_DEG), key=abs):
        places = _square(outline, turned_deg + more_deg)
        clear_m = min(away_m(points, place) - half for place in places for points, half in drawn)
        if clear_m > most_m:
            best, most_m = places, clear_m
        if clear_m > CLEAR_M:
            break
    return best


def _square(outline: Points, turned_deg: float) -> list[Place]:
    places = []
    for bearing_deg in (45.0, 135.0, 225.0, 315.0):
        bearing = math.radians(bearing_deg + turned_deg)
        way = math.sin(bearing), math.cos(bearing)
        away = max(POLE_M, _reach_m(outline, way) + OUTSIDE_M)
        places.append((round(way[0] * away, 3), round(way[1] * away, 3)))
    return places


def _reach_m(outline: Points, way: Place) -> float:
    """How far a ray from the middle goes until it leaves an outline; 0 where it never meets it."""
    farthest = 0.0
    for (x0, y0), (x1, y1) in zip(outline, (*outline[1:], *outline[:1]), strict=True):
        dx, dy = x1 - x0, y1 - y0
        cross = way[0] * dy - way[1] * dx
        if abs(cross) > 1e-9:
            along = (x0 * dy - y0 * dx) / cross
            part = (x0 * way[1] - y0 * way[0]) / cross
            if -1e-9 <= part <= 1 + 1e-9:
                farthest = max(farthest, along)
    return farthest


def _leads_in(around: Around, strip: Strip) -> bool:
    return not strip.function and strip.ends == around.junction.id and strip.use in (Use.MOTOR, Use.CYCLE)


def _touches(around: Around, strip: Strip) -> bool:
    return not strip.function and around.junction.id in (strip.begins, strip.ends)


def _ways(around: Around, strip: Strip) -> list[tuple[Link, list[str]]]:
    """Links of a lane into the junction, with the inner lanes that each goes over: one piece, or several."""
    found = []
    for link in around.links.get(strip.id, []):
        pieces: list[str] = []
        via = link.via
        while via in around.strips and via not in pieces and len(pieces) < MOST_PIECES:
            pieces.append(via)
            via = next((onward.via for onward in around.links.get(via, [])), "")
        found.append((link, pieces))
    return found


def _lanes(around: Around, used: set[str], within_m: float) -> list[tuple[str, Lane]]:
    """Cut lanes for wheels with the net's name of each; inner ones that are ways of the junction are not."""
    found: list[tuple[str, Lane]] = []
    for name, strip in around.strips.items():
        if strip.use in (Use.MOTOR, Use.CYCLE) and strip.function in ("", "internal") and name not in used:
            for piece in cut(_shifted(strip.points, around), within_m):
                found.append((name, _lane(around, strip, len(found) + 1, piece)))
    return found


def _lane(around: Around, strip: Strip, number: int, points: Points) -> Lane:
    here = around.junction.id
    if not strip.function and here in (strip.begins, strip.ends):
        role = LaneRole.ENTRY if strip.ends == here else LaneRole.EXIT
    else:
        nears = math.hypot(*points[-1]) < math.hypot(*points[0])
        role = LaneRole.ENTRY if nears else LaneRole.EXIT
    return Lane(
        lane=number,
        arm=(strip.begins if role is LaneRole.ENTRY else strip.ends) or strip.edge,
        role=role,
        use=LaneUse.MOTOR if strip.use is Use.MOTOR else LaneUse.BICYCLE,
        width_m=strip.width_m,
        speed_limit_mps=strip.speed_mps,
        points=points,
    )


def _joined(around: Around, lane: Lane, ways: list[tuple[Link, list[str]]], exits: dict[str, Lane]) -> Lane:
    """A lane with its ways to the exits; straight ones where the net was made without inner lanes."""
    found = []
    for link, pieces in ways:
        if link.to in exits:
            to = exits[link.to]
            path = _path(around, pieces) or (lane.points[-1], to.points[0])
            found.append(Connection(to.lane, TURNS.get(link.turn, Turn.THROUGH), None, False, path))
    return replace(lane, connections=tuple(found))


def _path(around: Around, pieces: list[str]) -> Points:
    points: list[Place] = []
    for piece in pieces:
        own = _shifted(around.strips[piece].points, around)
        points += [point for point in own if not points or math.dist(point, points[-1]) > 1e-3]
    return tuple(points)


def cut(points: Points, within_m: float) -> list[Points]:
    """The pieces of a line that lie within a circle around the middle."""
    pieces: list[list[Place]] = []
    open_ = False
    for one, other in pairwise(points):
        span = _within(one, other, within_m)
        if span is None:
            open_ = False
            continue
        begin, end = (_between(one, other, part) for part in span)
        if not open_ or span[0] > 0.0:
            pieces.append([begin])
        pieces[-1].append(end)
        open_ = span[1] >= 1.0
    return [tuple(piece) for piece in pieces]


def _within(one: Place, other: Place, within_m: float) -> tuple[float, float] | None:
    """Which part of a segment, 0 to 1, lies in the circle."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    square, half = dx * dx + dy * dy, one[0] * dx + one[1] * dy
    inner = half * half - square * (one[0] ** 2 + one[1] ** 2 - within_m**2)
    if inner <= 0.0 or square == 0.0:
        return None
    begin, end = (max(0.0, min(1.0, (-half + sign * math.sqrt(inner)) / square)) for sign in (-1, 1))
    return (begin, end) if (end - begin) * math.sqrt(square) > 1e-3 else None


def _between(one: Place, other: Place, part: float) -> Place:
    return one[0] + part * (other[0] - one[0]), one[1] + part * (other[1] - one[1])


def _arms(touching: list[Lane]) -> tuple[Arm, ...]:
    """An arm a junction next to ours; its bearing by the first metres of its lanes."""
    outward: dict[str, list[Place]] = {}
    for lane in touching:
        points = lane.points[::-1] if lane.role is LaneRole.ENTRY else lane.points
        far = next((point for point in points if math.dist(point, points[0]) > OUTWARD_M), points[-1])
        away = math.dist(far, points[0])
        outward.setdefault(lane.arm, []).append(
            ((far[0] - points[0][0]) / away, (far[1] - points[0][1]) / away)
        )
    found = []
    for number, (name, ways) in enumerate(outward.items(), start=2):
        east, north = (sum(column) for column in zip(*ways, strict=True))
        found.append(Arm(name, math.degrees(math.atan2(east, north)) % 360.0, number))
    return tuple(found)


def _walks(
    around: Around, lanes: tuple[Lane, ...], arms: tuple[Arm, ...], within_m: float
) -> list[Crosswalk]:
    """Crossings, and the footways that are not the pavement of a lane."""
    found: list[Crosswalk] = []
    for strip in around.strips.values():
        line = _shifted(strip.points, around)
        if strip.function == "walkingarea":
            line = max(((a, b) for a in line for b in line), key=lambda ends: math.dist(*ends))
        elif strip.use is not Use.FOOT and strip.function != "crossing":
            continue
        for axis in cut(line, within_m):
            if strip.function == "crossing" or not _is_pavement(axis, lanes):
                arm, outline = _arm_of(axis, arms), band(axis, strip.width_m)
                found.append(Crosswalk(len(found) + 1, arm, 0, outline, axis))
    return found


def _is_pavement(line: Points, lanes: tuple[Lane, ...]) -> bool:
    places = [_between(one, other, part) for one, other in pairwise(line) for part in (0.0, 0.5, 1.0)]
    drawn = [(lane.points, lane.width_m) for lane in lanes]
    drawn += [(way.path, 0.0) for lane in lanes for way in lane.connections]
    return all(
        any(away_m(points, place) < BESIDE_M + width / 2 for points, width in drawn) for place in places
    )


def _arm_of(axis: Points, arms: tuple[Arm, ...]) -> str:
    x, y = (sum(column) / len(axis) for column in zip(*axis, strict=True))

    def along(arm: Arm) -> float:
        bearing = math.radians(arm.bearing_deg)
        return float(x * math.sin(bearing) + y * math.cos(bearing))

    return max(arms, key=along).arm


def band(axis: Points, width_m: float) -> Points:
    """The outline of a strip around a line."""
    line = np.array(axis)
    ways = np.gradient(line, axis=0)
    ways /= np.maximum(np.hypot(*ways.T), 1e-9)[:, None]
    aside = np.column_stack([-ways[:, 1], ways[:, 0]]) * width_m / 2
    return tuple((float(x), float(y)) for x, y in [*(line + aside), *(line - aside)[::-1]])


def _mouth(touching: list[Lane]) -> Points:
    """The hull of both ends of all stop lines and of the exits' beginnings."""
    ends: list[Place] = []
    for lane in touching:
        points = lane.points[::-1] if lane.role is LaneRole.ENTRY else lane.points
        outline = band(points[:2], lane.width_m)
        ends += [outline[0], outline[-1]]
    return _hull(tuple(ends))


def _hull(points: Points) -> Points:
    if not points:
        return ()
    found = cv2.convexHull(np.array(points, np.float32)).reshape(-1, 2)
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in found)


def _shifted(points: Points, around: Around) -> Points:
    east, north = around.junction.middle
    return tuple((x - east, y - north) for x, y in points)
