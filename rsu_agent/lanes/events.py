"""What the following of road users tells: a stop line passed, a whole way, a crosswalk walked."""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.lanes.right import Right
from rsu_agent.world.crossing import Turn
from rsu_agent.world.road_user import UserClass


@dataclass(frozen=True, slots=True)
class LinePassed:
    """The front of a user passed the stop line of its lane. at_s: to the hundredth, between two fixes.

    sure: False where the track began with its front over the line: counted, but nobody saw when.
    travel_s: from travel_m before the line to the line; None: the track began too late.
    fastest_mps: the fastest it was seen at before, evened out over a second.
    stops: times it stood on its lane before the line.
    """

    track: int
    kind: UserClass
    lane: int
    at_s: float
    speed_mps: float
    sure: bool
    travel_s: float | None
    travel_m: float
    fastest_mps: float
    stops: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One user's whole way. Instants of its front, monotonic s to the hundredth; None: not seen, or not so.

    turn None: it was lost before its way could tell. fixed: told by the exit lane, not by its only way.
    group: lamp group of the way it went. permitted: the crossing file has such a way.
    """

    track: int
    kind: UserClass
    lane: int
    to_lane: int | None
    turn: Turn | None
    fixed: bool
    permitted: bool
    group: int | None
    line_s: float | None
    waiting_s: float | None
    conflict_in_s: float | None
    conflict_out_s: float | None
    right: Right
    ended_s: float


@dataclass(frozen=True, slots=True)
class Walked:
    """Somebody went over a crosswalk. right: what the light said when the road was stepped onto."""

    track: int
    kind: UserClass
    crosswalk: int
    on_s: float
    off_s: float
    right: Right


Event = LinePassed | Passage | Walked
