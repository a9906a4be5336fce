"""Waiting areas as lanes: ground beyond the stop line that has a signal of its own (field-rules 2.5)."""

from __future__ import annotations

import math
from dataclasses import replace

from rsu_agent.world.crossing import Connection, Crossing, Lane, LaneRole, LaneUse, Points, Turn, WaitingArea

FIRST_WAITING_LANE = 150  # crossing file lanes are below, crosswalks from 200 on
AT_STOP_LINE_M = 2.0


def with_waiting(crossing: Crossing) -> Crossing:
    """The crossing with a lane more for each waiting area.

    Its own group lets vehicles go on into it; what lets them leave it is the group of the way they wait for.
    So a green of the one is never read as a green of the other.
    """
    lanes = {lane.lane: lane for lane in crossing.lanes}
    for number, area in enumerate(crossing.waiting_areas, FIRST_WAITING_LANE):
        entry = lanes[area.lane]
        lefts = tuple(way for way in entry.connections if way.turn is Turn.LEFT)
        ways = lefts or entry.connections
        turn = ways[0].turn if ways else Turn.THROUGH
        points = _axis(area, entry)
        lanes[number] = replace(entry, lane=number, points=points, connections=ways, right_on_red=False)
        into = Connection(number, turn, area.group, area.group is None, points)
        lanes[area.lane] = replace(entry, connections=(*entry.connections, into))
    return replace(crossing, lanes=tuple(lanes.values()))


def is_waiting(lane: Lane) -> bool:
    """Whether this is one of those lanes."""
    return lane.lane >= FIRST_WAITING_LANE and lane.role is LaneRole.ENTRY and lane.use is LaneUse.MOTOR


def _axis(area: WaitingArea, entry: Lane) -> Points:
    """The middle of the area, from the stop line on.

    A ring drawn along a path has as many points on either side of it; of any other the farthest edge counts.
    """
    stop = entry.points[-1]
    ring = area.points[:-1] if area.points[0] == area.points[-1] else area.points
    if len(ring) % 2 == 0:
        half = len(ring) // 2
        middles = [_middle(ring[i], ring[-1 - i]) for i in range(half)]
        for line in (middles, middles[::-1]):
            if math.dist(line[0], stop) <= AT_STOP_LINE_M:
                return (stop, *line[1:])
    edges = [_middle(a, b) for a, b in zip(ring, (*ring[1:], ring[0]), strict=True)]
    return stop, max(edges, key=lambda point: math.dist(point, stop))


def _middle(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
