"""Where things are on the crossing: the box, lanes, crosswalks, as questions the rules ask. Pure."""

from __future__ import annotations

from rsu_agent.lanes.area import Area
from rsu_agent.lanes.line import LaneLine, LanePlace
from rsu_agent.world.crossing import Crossing, Crosswalk, LaneUse


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
