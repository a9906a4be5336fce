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


def on_lane(lane: Lane, x: float, y: float, margin_m: float = 0.0) -> LanePlace | None:
    """Where on a lane a point is, None when it is off the lane by more than the margin."""
    before = 0.0
    best: LanePlace | None = None
    total = sum(math.dist(a, b) for a, b in pairwise(lane.points))
    for a, b in pairwise(lane.points):
        length = math.dist(a, b)
        dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        along = (x - a[0]) * dx + (y - a[1]) * dy
        right = (x - a[0]) * dy - (y - a[1]) * dx
        if 0.0 <= along <= length and abs(right) <= lane.width_m / 2 + margin_m:
            middle = a[0] + dx * along, a[1] + dy * along
            place = LanePlace(lane, before + along, right, heading_deg(dx, dy), total, *middle)
            if best is None or abs(right) < abs(best.right_m):
                best = place
        before += length
    return best


class Places:
    """One crossing's geometry."""

    def __init__(self, crossing: Crossing) -> None:
        self.crossing = crossing
        self.motor = tuple(lane for lane in crossing.lanes if lane.use is LaneUse.MOTOR)

    def lane_at(self, x: float, y: float, margin_m: float = 0.0) -> LanePlace | None:
        """The motor lane under a point: the one whose middle is nearest."""
        found = [place for lane in self.motor if (place := on_lane(lane, x, y, margin_m)) is not None]
        return min(found, key=lambda place: abs(place.right_m), default=None)

    def in_box(self, x: float, y: float) -> bool:
        """Whether a point lies in the conflict area."""
        return inside(self.crossing.conflict_area, x, y)

    def walk_at(self, x: float, y: float) -> Crosswalk | None:
        """The crosswalk under a point, between its kerbs."""
        return next((walk for walk in self.crossing.crosswalks if inside(walk.points, x, y)), None)
