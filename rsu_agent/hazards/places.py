"""Where things are on the crossing: the box, lanes, crosswalks, as questions the rules ask. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from rsu_agent.world.crossing import Crossing, Crosswalk, Lane, LaneUse, Points
from rsu_agent.world.place import heading_deg


def inside(polygon: Points, x: float, y: float) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    odd = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            odd = not odd
    return odd


@dataclass(frozen=True, slots=True)
class LanePlace:
    """A place on a lane: metres along it, to its right, the lane's heading there, its middle beside it."""

    lane: Lane
    along_m: float
    right_m: float
    heading_deg: float
    length_m: float
    x_east_m: float
    y_north_m: float


@dataclass(frozen=True, slots=True)
class _Piece:
    """A straight piece of a lane: where it begins, its direction, its length, the lane's length before it."""

    x: float
    y: float
    dx: float
    dy: float
    length_m: float
    before_m: float


class LaneLine:
    """A lane's middle, taken to pieces once: it is asked about every road user of every scene."""

    def __init__(self, lane: Lane) -> None:
        self.lane, self._half_m = lane, lane.width_m / 2
        self._pieces: list[_Piece] = []
        before = 0.0
        for a, b in pairwise(lane.points):
            length = math.dist(a, b)
            self._pieces.append(_Piece(*a, (b[0] - a[0]) / length, (b[1] - a[1]) / length, length, before))
            before += length
        self._length_m = before
        xs, ys = [x for x, _ in lane.points], [y for _, y in lane.points]
        self._box = min(xs), max(xs), min(ys), max(ys)

    def place(self, x: float, y: float, margin_m: float = 0.0) -> LanePlace | None:
        """Where on the lane a point is, None when it is off the lane by more than the margin."""
        reach = self._half_m + margin_m
        west, east, south, north = self._box
        if not (west - reach <= x <= east + reach and south - reach <= y <= north + reach):
            return None
        best: tuple[float, _Piece, float] | None = None
        for piece in self._pieces:
            along = (x - piece.x) * piece.dx + (y - piece.y) * piece.dy
            right = (x - piece.x) * piece.dy - (y - piece.y) * piece.dx
            off = abs(right)
            if 0.0 <= along <= piece.length_m and off <= reach and (best is None or off < abs(best[0])):
                best = right, piece, along
        if best is None:
            return None
        right, piece, along = best
        middle = piece.x + piece.dx * along, piece.y + piece.dy * along
        heading = heading_deg(piece.dx, piece.dy)
        return LanePlace(self.lane, piece.before_m + along, right, heading, self._length_m, *middle)


class Area:
    """A polygon in its box: most questions end at the box."""

    def __init__(self, polygon: Points) -> None:
        self._polygon = polygon
        xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
        self._west, self._east, self._south, self._north = min(xs), max(xs), min(ys), max(ys)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        boxed = self._west <= x <= self._east and self._south <= y <= self._north
        return boxed and inside(self._polygon, x, y)


class Places:
    """One crossing's geometry."""

    def __init__(self, crossing: Crossing) -> None:
        self.crossing = crossing
        self._box = Area(crossing.conflict_area)
        self._walks = tuple((walk, Area(walk.points)) for walk in crossing.crosswalks)
        self._motor = tuple(LaneLine(lane) for lane in crossing.lanes if lane.use is LaneUse.MOTOR)

    def lane_at(self, x: float, y: float, margin_m: float = 0.0) -> LanePlace | None:
        """The motor lane under a point: the one whose middle is nearest."""
        found = [place for line in self._motor if (place := line.place(x, y, margin_m)) is not None]
        return min(found, key=lambda place: abs(place.right_m), default=None)

    def in_box(self, x: float, y: float) -> bool:
        """Whether a point lies in the conflict area."""
        return self._box.holds(x, y)

    def walk_at(self, x: float, y: float) -> Crosswalk | None:
        """The crosswalk under a point, between its kerbs."""
        return next((walk for walk, area in self._walks if area.holds(x, y)), None)
