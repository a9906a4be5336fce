"""One thing that a rule found, and what the rules are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.world.crossing import Crossing, Lane, LaneRole
from rsu_agent.world.place import GeoPoint, LocalFrame

Place = tuple[float, float]  # east, north of the reference point, metres


class Severity(StrEnum):
    """error: it cannot be sent, or would be wrong on air. gap: what a source asks for is missing."""

    ERROR = "error"
    GAP = "gap"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Fault:
    """What a rule says of one feature; place: where, in metres."""

    feature: str
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault with the rule that found it, where it is in degrees, and who asks for it."""

    rule: str
    source: str
    severity: Severity
    feature: str
    at: GeoPoint
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """A crossing under examination. table None: the site's phases are not known.

    gnss, pole: where satellites put the antenna on the average of days, and where the survey put it; None:
    not given.
    """

    crossing: Crossing
    table: PhaseTable | None = None
    gnss: GeoPoint | None = None
    pole: GeoPoint | None = None

    @property
    def entries(self) -> tuple[Lane, ...]:
        """Lanes that lead to the crossing."""
        return tuple(lane for lane in self.crossing.lanes if lane.role is LaneRole.ENTRY)

    def to_local(self, point: GeoPoint) -> Place:
        """A geodetic place in metres from the reference point."""
        return LocalFrame(self.crossing.origin).to_local(point)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and its source; `find` tells every fault."""

    name: str
    source: str
    severity: Severity
    find: Callable[[Subject], Iterator[Fault]]


CENTRE: Place = (0.0, 0.0)


def end_of(lane: Lane) -> Place:
    """Where a lane touches the crossing: an entry's stop line, an exit's beginning."""
    return lane.points[-1] if lane.role is LaneRole.ENTRY else lane.points[0]


def named(lane: Lane) -> str:
    """A lane in words."""
    return f"lane {lane.lane} ({lane.role}, {lane.use}, arm {lane.arm})"
