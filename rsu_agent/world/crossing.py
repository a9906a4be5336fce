"""The crossing: arms, lanes, connections, crosswalks, waiting areas, in local metres."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rsu_agent.world.place import GeoPoint

Points = tuple[tuple[float, float], ...]


class LaneUse(StrEnum):
    """Who a lane is for."""

    MOTOR = "motor"
    BICYCLE = "bicycle"


class LaneRole(StrEnum):
    """Whether a lane leads to the crossing or away from it."""

    ENTRY = "entry"
    EXIT = "exit"


class Turn(StrEnum):
    """A manoeuvre through the crossing."""

    LEFT = "left"
    THROUGH = "through"
    RIGHT = "right"
    U_TURN = "u_turn"


@dataclass(frozen=True, slots=True)
class Connection:
    """From an entry lane to an exit lane. group None: not signalled. path: the drive path through the box."""

    to_lane: int
    turn: Turn
    group: int | None
    uncontrolled: bool
    path: Points


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane; points run in the direction of travel, an entry lane ends at its stop line."""

    lane: int
    arm: str
    role: LaneRole
    use: LaneUse
    width_m: float
    speed_limit_mps: float
    points: Points
    connections: tuple[Connection, ...] = ()
    right_on_red: bool = False


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """A pedestrian crossing over one arm; points are its outline, axis its two kerb ends."""

    crosswalk: int
    arm: str
    group: int
    points: Points
    axis: Points


@dataclass(frozen=True, slots=True)
class WaitingArea:
    """Ground beyond the stop line where left turners may wait; lawful to stand on."""

    lane: int
    group: int | None
    points: Points


@dataclass(frozen=True, slots=True)
class SignalHead:
    """One lamp head: where it stands and which way it faces (degrees clockwise from north)."""

    group: int
    x_east_m: float
    y_north_m: float
    height_m: float
    facing_deg: float
    shape: str


@dataclass(frozen=True, slots=True)
class Arm:
    """One approach: its name, the direction from the centre outward, the neighbouring node's id."""

    arm: str
    bearing_deg: float
    upstream_node: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """All geometry of one crossing. conflict_area: outline whose entry on red is red running."""

    node: int
    region: int
    name: str
    origin: GeoPoint
    datum: str
    height_system: str
    survey_source: str
    accuracy_m: float
    arms: tuple[Arm, ...]
    lanes: tuple[Lane, ...]
    crosswalks: tuple[Crosswalk, ...]
    waiting_areas: tuple[WaitingArea, ...]
    heads: tuple[SignalHead, ...]
    conflict_area: Points
