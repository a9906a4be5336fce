"""From the stop line to an exit lane: waiting area, conflict area, the way that was gone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rsu_agent.lanes.area import edge_share
from rsu_agent.lanes.events import Passage
from rsu_agent.lanes.ground import Entry, Ground
from rsu_agent.lanes.lights import LightLog
from rsu_agent.lanes.match import exit_place
from rsu_agent.lanes.right import right_of
from rsu_agent.lanes.trace import Point, Trace, between
from rsu_agent.world.crossing import Connection, Lane
from rsu_agent.world.road_user import RoadUser

EXIT_M = 2.0  # of an exit lane: who is so far along it has left by it
STEP_M = 1.0  # between two points that are remembered of a way
TELLS_M = 2.5  # one way must be nearer by this to what was driven before it is believed
MOST_POINTS = 100


def through(ground: Ground, trace: Trace, front: Point, at_s: float) -> None:
    """One fix of a track beyond its stop line: the instants at which its front goes over an edge."""
    if trace.lane is None:
        return
    entry = ground.entries[trace.lane]
    past_m = entry.line.past_end_m(*front)
    trace.before_m = min(trace.before_m or 0.0, -past_m)  # who turns back stays past it
    if entry.waiting is not None and trace.waiting_s is None and entry.waiting.holds(*front):
        trace.waiting_s = _edge_s(entry.waiting.holds, trace, front, at_s)

    def danger(x: float, y: float) -> bool:
        return ground.conflict.holds(x, y) and not entry.sheltered(x, y)

    inside = danger(*front)
    if trace.conflict_in_s is not None and entry.sheltered(*front):  # back on its waiting area: it never left
        trace.conflict_in_s = trace.conflict_out_s = None
    if inside and not trace.in_conflict and trace.conflict_in_s is None:
        trace.conflict_in_s = _edge_s(danger, trace, front, at_s)
    if not inside and trace.in_conflict:
        trace.conflict_out_s = _edge_s(danger, trace, front, at_s)
    trace.in_conflict = inside


def leave(ground: Ground, log: LightLog, trace: Trace, user: RoadUser, at_s: float) -> Passage | None:
    """The whole way, when this fix is on an exit lane."""
    _remember(trace, user)
    if trace.lane is None or trace.in_conflict:
        return None
    entry = ground.entries[trace.lane]
    place = exit_place(ground, user, entry.ways)
    if place is None or place.along_m < EXIT_M:
        return None
    trace.done = True
    ways = tuple(way for way in entry.ways if way.to_lane == place.lane.lane)
    ways = ways or _same_arm(ground, entry, place.lane)
    return _passage(ground, log, trace, user, ways, place.lane, at_s)


def lost(ground: Ground, log: LightLog, trace: Trace, at_s: float) -> Passage | None:
    """What is known of the way of a track that will not be seen again."""
    if trace.lane is None or not trace.passed or trace.done or trace.twin:
        return None
    trace.done = True
    entry = ground.entries[trace.lane]
    return _passage(ground, log, trace, trace.user, nearest(entry.ways, trace.way), None, at_s)


def nearest(ways: tuple[Connection, ...], driven: Sequence[Point]) -> tuple[Connection, ...]:
    """The ways that the points driven do not speak against: one, if it is nearer than every other."""
    if len(ways) < 2 or not driven:
        return ways
    offs = [max(min(math.dist(point, at) for at in way.path) for point in driven) for way in ways]
    best = min(offs)
    return tuple(way for way, off in zip(ways, offs, strict=True) if off < best + TELLS_M)


def _passage(
    ground: Ground,
    log: LightLog,
    trace: Trace,
    user: RoadUser,
    ways: tuple[Connection, ...],
    leaving: Lane | None,
    at_s: float,
) -> Passage:
    assert trace.lane is not None
    entry, way = ground.entries[trace.lane], ways[0] if len(ways) == 1 else None
    turn = way.turn if way else None
    if leaving is not None and turn is None:
        turn = ground.turned(entry.lane, leaving)
    return Passage(
        track=user.track,
        kind=user.kind,
        lane=trace.lane,
        to_lane=leaving.lane if leaving else None,
        turn=turn,
        fixed=leaving is not None,
        permitted=leaving is None or bool(ways),
        group=way.group if way else None,
        line_s=trace.line_s,
        waiting_s=trace.waiting_s,
        conflict_in_s=trace.conflict_in_s,
        conflict_out_s=trace.conflict_out_s,
        right=right_of(ground, entry, ways, (trace.line_s, trace.conflict_in_s), log),
        ended_s=at_s,
    )


def _same_arm(ground: Ground, entry: Entry, leaving: Lane) -> tuple[Connection, ...]:
    """The ways to the arm of an exit lane that no connection names: it took the lane beside."""
    turn = ground.turned(entry.lane, leaving)
    return tuple(way for way in entry.ways if way.turn is turn)


def _remember(trace: Trace, user: RoadUser) -> None:
    here = user.x_east_m, user.y_north_m
    if len(trace.way) < MOST_POINTS and (not trace.way or math.dist(trace.way[-1], here) >= STEP_M):
        trace.way.append(here)


def _edge_s(holds: Callable[[float, float], bool], trace: Trace, front: Point, at_s: float) -> float:
    """When the front went over an edge between the last fix and this one."""
    if holds(*trace.front) == holds(*front):
        return round(at_s, 2)
    return between(trace.at_s, at_s, edge_share(holds, trace.front, front))
