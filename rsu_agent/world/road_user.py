"""Road users: classes, tracked users in metric east-north, and the scene of one fusion tick."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import repeat
from typing import Any


class UserClass(StrEnum):
    """Kinds of road user the product tells apart."""

    CAR = "car"
    TRUCK = "truck"
    BUS = "bus"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    TRICYCLE = "tricycle"
    CART = "cart"
    PEDESTRIAN = "pedestrian"
    UNKNOWN = "unknown"


MOTOR = frozenset({UserClass.CAR, UserClass.TRUCK, UserClass.BUS})
NON_MOTOR = frozenset({UserClass.MOTORCYCLE, UserClass.BICYCLE, UserClass.TRICYCLE, UserClass.CART})


V2X = "v2x"  # the source of what a vehicle says of itself


@dataclass(frozen=True, slots=True)
class RoadUser:
    """One tracked road user, the centre of its footprint, metres east and north of the reference point.

    heading_deg: clockwise from north, of the body; None when never seen moving and no lane tells.
    position_sd_m: one standard deviation, the larger axis. sources: names of the sensors of the last second,
    V2X among them where the user has told of itself. v2x_id: its own id in its verified messages, None else.
    """

    track: int
    kind: UserClass
    x_east_m: float
    y_north_m: float
    vx_east_mps: float
    vy_north_mps: float
    speed_mps: float
    heading_deg: float | None
    length_m: float
    width_m: float
    height_m: float
    position_sd_m: float
    sources: tuple[str, ...]
    first_seen_s: float
    v2x_id: str | None = None


_PUT = [getattr(RoadUser, name).__set__ for name in RoadUser.__slots__]


def road_users(*columns: Sequence[Any]) -> list[RoadUser]:
    """Many at once, a column a field in their order: half the time of calling the class for each."""
    users = list(map(object.__new__, repeat(RoadUser, len(columns[0]))))
    for put, column in zip(_PUT, columns, strict=True):
        deque(map(put, users, column), maxlen=0)
    return users


@dataclass(frozen=True, slots=True)
class FrameUsed:
    """The newest frame of one camera that a fusion tick included."""

    camera: str
    frame: int
    captured_s: float


@dataclass(frozen=True, slots=True)
class SensorHealth:
    """One sensor at one tick. covers: ids of the arms (approaches) its declared field holds."""

    sensor: str
    healthy: bool
    reason: str
    age_s: float
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """The state of the road at at_s (monotonic; the instant the state is *for*)."""

    at_s: float
    tick: int
    users: tuple[RoadUser, ...]
    sensors: tuple[SensorHealth, ...]
    frames: tuple[FrameUsed, ...] = ()

    def seen(self) -> Scene:
        """Without those of whom we know by their own word alone."""
        return replace(self, users=tuple(user for user in self.users if user.sources != (V2X,)))
