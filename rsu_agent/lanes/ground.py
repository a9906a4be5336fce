"""One crossing's geometry as the matching asks it: entry and exit lanes, lines, areas, arrows."""

from __future__ import annotations

import math
from dataclasses import replace

from rsu_agent.lanes.area import Area
from rsu_agent.lanes.line import LaneLine
from rsu_agent.world.crossing import Connection, Crossing, Crosswalk, Lane, LaneRole, Turn, WaitingArea

SHELTER_M = 1.0  # a driver in a waiting area keeps so near to its sides
CREEP_M = 1.5  # and creeps so far over its end without going


class Entry:
    """One entry lane: its line, its permitted ways, the waiting area beyond its stop line."""

    def __init__(self, lane: Lane, waiting: WaitingArea | None) -> None:
        self.lane, self.line = lane, LaneLine(lane)
        self.ways = lane.connections
        self.waiting = Area(waiting.points) if waiting else None
        self.waiting_group = waiting.group if waiting else None
        self._shelters = list(_shelters(lane, waiting)) if waiting else []

    def sheltered(self, x: float, y: float) -> bool:
        """Whether a point lies on the way to or in the lane's waiting area: no conflict is entered there."""
        for line, until_m in self._shelters:
            along_m, away_m = line.nearest(x, y)
            if along_m <= until_m + CREEP_M and away_m <= self.lane.width_m / 2 + SHELTER_M:
                return True
        return False


class Walk:
    """One crosswalk and the way over it."""

    def __init__(self, walk: Crosswalk) -> None:
        (ax, ay), (bx, by) = walk.axis
        self.walk, self.area = walk, Area(walk.points)
        self.length_m = max(0.1, math.dist((ax, ay), (bx, by)))
        self._x, self._y = ax, ay
        self._ux, self._uy = (bx - ax) / self.length_m, (by - ay) / self.length_m

    def along_m(self, x: float, y: float) -> float:
        """Metres from the first kerb, along the axis."""
        return (x - self._x) * self._ux + (y - self._y) * self._uy


class Ground:
    """All of it."""

    def __init__(self, crossing: Crossing) -> None:
        waiting = {area.lane: area for area in crossing.waiting_areas}
        self.entries = {
            lane.lane: Entry(lane, waiting.get(lane.lane))
            for lane in crossing.lanes
            if lane.role is LaneRole.ENTRY
        }
        self.exits = tuple(LaneLine(lane) for lane in crossing.lanes if lane.role is LaneRole.EXIT)
        self.walks = tuple(Walk(walk) for walk in crossing.crosswalks)
        self.conflict = Area(crossing.conflict_area)
        self._bearings = {arm.arm: arm.bearing_deg for arm in crossing.arms}
        self._arrows = {head.group for head in crossing.heads if head.shape.startswith("arrow")}
        self._rights = {head.group for head in crossing.heads if head.shape == "arrow_right"}

    def round_group(self, arm: str) -> int | None:
        """The group of an arm's round light for motor traffic: what a dark arrow leaves to be obeyed."""
        groups = {
            way.group
            for entry in self.entries.values()
            if entry.lane.arm == arm and entry.lane.use == "motor"
            for way in entry.ways
            if way.turn is Turn.THROUGH and way.group is not None and way.group not in self._arrows
        }
        return min(groups, default=None)

    def right_on_red(self, lane: Lane, way: Connection) -> bool:
        """Whether turning right on red is lawful here: unless an arrow to the right controls it."""
        return way.turn is Turn.RIGHT and (lane.right_on_red or way.group not in self._rights)

    def turned(self, entry: Lane, leaving: Lane) -> Turn:
        """What going from one lane to another is, where no connection of the file says it."""
        if entry.arm == leaving.arm:
            return Turn.U_TURN
        ahead = (self._bearings.get(entry.arm, 0.0) + 180.0) % 360.0
        turn = (self._bearings.get(leaving.arm, 0.0) - ahead + 180.0) % 360.0 - 180.0
        if abs(turn) <= 45.0:
            return Turn.THROUGH
        return Turn.RIGHT if turn > 0 else Turn.LEFT


def _shelters(lane: Lane, waiting: WaitingArea) -> list[tuple[LaneLine, float]]:
    """For every way that runs through the waiting area: its line, and where on it the area ends."""
    area, found = Area(waiting.points), []
    for way in lane.connections:
        line = LaneLine(replace(lane, points=way.path))
        if not any(area.holds(x, y) for x, y in way.path):
            continue
        found.append((line, max(line.nearest(x, y)[0] for x, y in waiting.points)))
    return found
