"""A lane's middle as a line: how far along it somebody is, how far beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from rsu_agent.world.crossing import Lane, Points
from rsu_agent.world.place import heading_deg


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

    @property
    def before_m(self) -> float:
        """Metres to the lane's end, of an entry lane to its stop line; negative past it."""
        return self.length_m - self.along_m


@dataclass(frozen=True, slots=True)
class _Piece:
    """A straight piece of a lane: where it begins, its direction, its length, the lane's length before it."""

    x: float
    y: float
    dx: float
    dy: float
    length_m: float
    before_m: float
    reach_m: float  # how far it is drawn: its length, and beyond the end of the lane


class LaneLine:
    """A lane's middle, taken to pieces once: it is asked about every road user of every scene.

    past_m: so far beyond its end the lane is drawn on.
    """

    def __init__(self, lane: Lane, past_m: float = 0.0) -> None:
        self.lane, self._half_m = lane, lane.width_m / 2
        pairs = [(a, b) for a, b in pairwise(lane.points) if math.dist(a, b) > 0.0]
        self._pieces: list[_Piece] = []
        before = 0.0
        for n, (a, b) in enumerate(pairs, 1):
            length = math.dist(a, b)
            reach = length + (past_m if n == len(pairs) else 0.0)
            dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
            self._pieces.append(_Piece(*a, dx, dy, length, before, reach))
            before += length
        self.length_m = before
        self.end_deg = heading_deg(self._pieces[-1].dx, self._pieces[-1].dy)
        last = self._pieces[-1]
        drawn: Points = (*lane.points, (last.x + last.dx * last.reach_m, last.y + last.dy * last.reach_m))
        xs, ys = [x for x, _ in drawn], [y for _, y in drawn]
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
            if 0.0 <= along <= piece.reach_m and off <= reach and (best is None or off < abs(best[0])):
                best = right, piece, along
        if best is None:
            return None
        right, piece, along = best
        middle = piece.x + piece.dx * along, piece.y + piece.dy * along
        heading = heading_deg(piece.dx, piece.dy)
        return LanePlace(self.lane, piece.before_m + along, right, heading, self.length_m, *middle)

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """(metres along, metres away) of the place on the line that is nearest to any point."""
        best = 0.0, math.inf
        for piece in self._pieces:
            along = (x - piece.x) * piece.dx + (y - piece.y) * piece.dy
            along = min(max(along, 0.0), piece.length_m)
            away = math.hypot(piece.x + piece.dx * along - x, piece.y + piece.dy * along - y)
            if away < best[1]:
                best = piece.before_m + along, away
        return best

    def past_end_m(self, x: float, y: float) -> float:
        """Metres past the line across the lane's end; negative before it."""
        last = self._pieces[-1]
        return (x - last.x) * last.dx + (y - last.y) * last.dy - last.length_m

    def end_aside_m(self, x: float, y: float) -> float:
        """Metres beside the lane's last piece, drawn on without end."""
        last = self._pieces[-1]
        return abs((x - last.x) * last.dy - (y - last.y) * last.dx)
