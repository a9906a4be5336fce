"""Where a road user is on the entry lanes: metres before the stop line and beside the lane's middle."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rsu_agent.world.crossing import Crossing, Lane, LaneRole
from rsu_agent.world.road_user import RoadUser

PAST_M = 12.0  # a step of one tick past the line is seen well before this


@dataclass(frozen=True, slots=True)
class OnLane:
    """A place on an entry lane. before_m: along the lane to its stop line, negative past it."""

    lane: int
    before_m: float
    beside_m: float


Placed = Sequence[tuple[RoadUser, OnLane | None]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One straight piece: its end, its direction, how far its end is before the stop line."""

    x: float
    y: float
    along_x: float
    along_y: float
    length_m: float
    before_m: float


class EntryLane:
    """One entry lane as straight pieces, the last one drawn on past the stop line."""

    def __init__(self, lane: Lane) -> None:
        self.lane, self.arm, self.half_width_m = lane.lane, lane.arm, lane.width_m / 2
        self._pieces = tuple(_pieces(lane))
        reach_m = max(PAST_M, self.half_width_m)
        xs, ys = [x for x, _ in lane.points], [y for _, y in lane.points]
        self._box = min(xs) - reach_m, min(ys) - reach_m, max(xs) + reach_m, max(ys) + reach_m

    def place(self, x_east_m: float, y_north_m: float) -> OnLane | None:
        """Where a point is on this lane, or None beside it, upstream of its start or far past its line."""
        west, south, east, north = self._box
        if not (west <= x_east_m <= east and south <= y_north_m <= north):
            return None
        best: OnLane | None = None
        for piece in self._pieces:
            dx, dy = x_east_m - piece.x, y_north_m - piece.y
            past = dx * piece.along_x + dy * piece.along_y
            beside = dx * piece.along_y - dy * piece.along_x
            last = piece.before_m == 0.0
            if not -piece.length_m <= past <= (PAST_M if last else 0.0) or abs(beside) > self.half_width_m:
                continue
            if best is None or abs(beside) < abs(best.beside_m):
                best = OnLane(self.lane, piece.before_m - past, beside)
        return best


def entry_lanes(crossing: Crossing) -> tuple[EntryLane, ...]:
    """All lanes that lead to the crossing."""
    return tuple(EntryLane(lane) for lane in crossing.lanes if lane.role is LaneRole.ENTRY)


def find(lanes: Iterable[EntryLane], x_east_m: float, y_north_m: float) -> OnLane | None:
    """The lane whose middle is nearest, of those that hold the point."""
    places = (place for lane in lanes if (place := lane.place(x_east_m, y_north_m)))
    return min(places, key=lambda place: abs(place.beside_m), default=None)


def _pieces(lane: Lane) -> Iterable[_Piece]:
    before_m = 0.0
    pairs = list(zip(lane.points[:-1], lane.points[1:], strict=True))
    for (x0, y0), (x1, y1) in reversed(pairs):
        length_m = math.hypot(x1 - x0, y1 - y0)
        if length_m > 0.0:
            yield _Piece(x1, y1, (x1 - x0) / length_m, (y1 - y0) / length_m, length_m, before_m)
            before_m += length_m
