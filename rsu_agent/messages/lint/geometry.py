"""Rules of geometry: a crossing that no road can have, whichever set it is said in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, pairwise

from rsu_agent.messages.lint.finding import CENTRE, Fault, Subject, end_of, named
from rsu_agent.world.crossing import Connection, Crossing, Lane, LaneRole, LaneUse, Turn
from rsu_agent.world.place import heading_deg, line_heading_deg, turn_deg

JOIN_M = 2.0  # a drive path begins and ends so near to its lanes
ARM_DEG = 35.0  # a lane of an arm lies in its direction, near the crossing
SIDE_BY_SIDE_M = 1.2  # two lanes of one direction are farther apart than that
SHORT_M = 40.0  # an approach shorter than that gives no vehicle time
FAR_STOP_M = 60.0
SAME_POINT_M = 0.05
FASTEST_MPS = 120 / 3.6
TURNS: dict[Turn, tuple[float, float]] = {  # clockwise is positive: from, to, in degrees
    Turn.THROUGH: (-50.0, 50.0),
    Turn.LEFT: (-170.0, -25.0),
    Turn.RIGHT: (25.0, 170.0),
}


def directions(subject: Subject) -> Iterator[Fault]:
    """Entry lanes run towards the centre, exit lanes away from it."""
    for lane in subject.crossing.lanes:
        first, last = (math.dist(point, CENTRE) for point in (lane.points[0], lane.points[-1]))
        if (lane.role is LaneRole.ENTRY) == (last > first):
            way = "away from" if lane.role is LaneRole.ENTRY else "towards"
            yield Fault(named(lane), lane.points[0], f"its points run {way} the centre: reverse them")


def arms(subject: Subject) -> Iterator[Fault]:
    """A lane lies in the direction of its arm."""
    bearings = {arm.arm: arm.bearing_deg for arm in subject.crossing.arms}
    for lane in subject.crossing.lanes:
        x, y = lane.points[0] if lane.role is LaneRole.ENTRY else lane.points[-1]
        apart = abs(turn_deg(bearings[lane.arm], heading_deg(x, y)))
        if apart > ARM_DEG:
            yield Fault(named(lane), (x, y), f"lies {apart:.0f} degrees off the bearing of arm {lane.arm}")


def joins(subject: Subject) -> Iterator[Fault]:
    """A drive path begins where its entry lane ends and ends where its exit lane begins."""
    lanes = {lane.lane: lane for lane in subject.crossing.lanes}
    for lane, way in _ways(subject.crossing):
        for place, end, which in (
            (way.path[0], end_of(lane), f"lane {lane.lane}"),
            (way.path[-1], end_of(lanes[way.to_lane]), f"lane {way.to_lane}"),
        ):
            apart = math.dist(place, end)
            if apart > JOIN_M:
                yield Fault(_told(lane, way), place, f"its path is {apart:.1f} m off the end of {which}")


def turns(subject: Subject) -> Iterator[Fault]:
    """Left, through and right are what the lanes' directions say."""
    lanes = {lane.lane: lane for lane in subject.crossing.lanes}
    for lane, way in _ways(subject.crossing):
        limits = TURNS.get(way.turn)
        out = lanes[way.to_lane]
        turned = turn_deg(line_heading_deg(lane.points[-2:]), line_heading_deg(out.points[:2]))
        if limits is not None and not limits[0] <= turned <= limits[1]:
            text = f"is called {way.turn} and turns by {turned:+.0f} degrees (right is positive)"
            yield Fault(_told(lane, way), end_of(lane), text)


def sides(subject: Subject) -> Iterator[Fault]:
    """Traffic keeps to the right: of an arm's lanes, those that come in are on the left as one looks out."""
    for arm in subject.crossing.arms:
        ahead = math.radians(arm.bearing_deg)
        right = math.cos(ahead), -math.sin(ahead)
        offsets: dict[LaneRole, list[float]] = {LaneRole.ENTRY: [], LaneRole.EXIT: []}
        for lane in subject.crossing.lanes:
            if lane.arm == arm.arm and lane.use is LaneUse.MOTOR:
                x, y = end_of(lane)
                offsets[lane.role].append(x * right[0] + y * right[1])
        ins, outs = offsets[LaneRole.ENTRY], offsets[LaneRole.EXIT]
        if ins and outs and sum(ins) / len(ins) > sum(outs) / len(outs):
            at = math.sin(ahead) * 20, math.cos(ahead) * 20
            yield Fault(
                f"arm {arm.arm}", at, "lanes that come in are right of those that lead out: mirrored?"
            )


def overlaps(subject: Subject) -> Iterator[Fault]:
    """Two lanes of one arm and role are side by side, not on top of each other."""
    for one, other in combinations(subject.crossing.lanes, 2):
        if (one.arm, one.role) != (other.arm, other.role):
            continue
        apart = math.dist(end_of(one), end_of(other))
        if apart < SIDE_BY_SIDE_M:
            yield Fault(named(one), end_of(one), f"is {apart:.1f} m beside lane {other.lane}")


def lengths(subject: Subject) -> Iterator[Fault]:
    """An approach is long enough to be of use."""
    for lane in subject.entries:
        length = sum(math.dist(a, b) for a, b in pairwise(lane.points))
        if length < SHORT_M:
            yield Fault(named(lane), lane.points[0], f"is {length:.0f} m long: vehicles need {SHORT_M:.0f} m")


def stop_lines(subject: Subject) -> Iterator[Fault]:
    """A stop line is at the crossing."""
    for lane in subject.entries:
        away = math.dist(end_of(lane), CENTRE)
        if away > FAR_STOP_M:
            yield Fault(named(lane), end_of(lane), f"its stop line is {away:.0f} m from the reference point")


def repeated_points(subject: Subject) -> Iterator[Fault]:
    """Neighbouring points are different points."""
    for lane in subject.crossing.lanes:
        for a, b in pairwise(lane.points):
            if math.dist(a, b) < SAME_POINT_M:
                yield Fault(named(lane), a, "has two points on one place")
                break


def speeds(subject: Subject) -> Iterator[Fault]:
    """A speed limit is one that a crossing can have."""
    for lane in subject.crossing.lanes:
        if lane.speed_limit_mps > FASTEST_MPS:
            kmh = lane.speed_limit_mps * 3.6
            yield Fault(named(lane), end_of(lane), f"a speed limit of {kmh:.0f} km/h: is the unit right?")


def dead_ends(subject: Subject) -> Iterator[Fault]:
    """A lane that comes in leads somewhere."""
    for lane in subject.entries:
        if not lane.connections:
            yield Fault(named(lane), end_of(lane), "leads nowhere: it has no connection")


def unsignalled(subject: Subject) -> Iterator[Fault]:
    """A way has a lamp group, or is said to have none."""
    for lane, way in _ways(subject.crossing):
        if way.group is None and not way.uncontrolled:
            yield Fault(_told(lane, way), end_of(lane), "has no group and is not marked uncontrolled")


def _ways(crossing: Crossing) -> Iterator[tuple[Lane, Connection]]:
    for lane in crossing.lanes:
        for way in lane.connections:
            yield lane, way


def _told(lane: Lane, way: Connection) -> str:
    return f"connection {lane.lane} -> {way.to_lane}"
