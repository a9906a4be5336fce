"""What is remembered of one track between scenes. One owner: the follower."""

from __future__ import annotations

from dataclasses import dataclass, field

from rsu_agent.lanes.ground import Walk
from rsu_agent.world.road_user import RoadUser

Point = tuple[float, float]


@dataclass(slots=True)
class Stroll:
    """A crosswalk that is being walked: since when, from where on its axis, how far by now."""

    walk: Walk
    on_s: float
    from_m: float
    along_m: float

    @property
    def share(self) -> float:
        """Of the crosswalk's length that has been walked."""
        return abs(self.along_m - self.from_m) / self.walk.length_m


@dataclass(frozen=True, slots=True)
class OnLane:
    """A user on its entry lane. before_m: of its front to the stop line, negative past it."""

    user: RoadUser
    lane: int
    before_m: float
    standing: bool
    passed: bool


@dataclass(slots=True)
class Trace:
    """One road user; instants in monotonic s, distances of its front."""

    user: RoadUser
    at_s: float
    front: Point
    twin: bool = False  # a second track of a body that has one: it counts for nothing
    lane: int | None = None  # entry lane
    before_m: float | None = None  # of its front to the stop line, at the last fix on a lane
    from_s: float | None = None  # from when, and from how far before the line, its delay is reckoned
    from_m: float = 0.0
    standing: bool = False
    stops: int = 0
    pace_mps: float | None = None  # its speed, evened out over a second
    fastest_mps: float = 0.0
    passed: bool = False
    line_s: float | None = None
    waiting_s: float | None = None
    in_conflict: bool = False
    conflict_in_s: float | None = None
    conflict_out_s: float | None = None
    done: bool = False
    stroll: Stroll | None = None
    way: list[Point] = field(default_factory=list)  # fixes of its centre beyond the line


def between(before_s: float, now_s: float, share: float) -> float:
    """The instant at a share of the time between two fixes, to the hundredth."""
    return round(before_s + (now_s - before_s) * share, 2)
