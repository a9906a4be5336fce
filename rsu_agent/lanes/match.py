"""Which lane a road user is on: by position, heading and what it was on before."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rsu_agent.lanes.ground import Ground
from rsu_agent.lanes.line import LaneLine, LanePlace
from rsu_agent.world.crossing import Connection, LaneUse
from rsu_agent.world.place import heading_deg, turn_deg
from rsu_agent.world.road_user import MOTOR, RoadUser, UserClass

ALONG_DEG = 60.0  # a lane is used in its direction; who turns into it comes at an angle
MOVING_MPS = 1.0  # slower than this a direction is noise
STAY_M = 0.8  # another lane's middle must be nearer by this before a user has changed lanes
MARGIN_M = 0.5  # so far beside its own lane a user is still on it
OTHERS_M = 1.2  # a lane for others counts as so much farther away
NOT_ITS_WAY_M = 1.0  # so does an exit to which no connection leads


def course_deg(user: RoadUser) -> float | None:
    """Where a user is going, degrees clockwise from north; None while it stands."""
    if user.speed_mps < MOVING_MPS:
        return None
    return heading_deg(user.vx_east_mps, user.vy_north_mps)


def entry_place(ground: Ground, user: RoadUser, kept: int | None) -> LanePlace | None:
    """The entry lane under a user's centre. kept: the lane that it was on before."""
    course = course_deg(user)

    def places() -> Iterable[tuple[float, LanePlace]]:
        for number, entry in ground.entries.items():
            own = number == kept
            place = _place(entry.line, user, course, MARGIN_M if own else 0.0)
            if place is not None:
                away = abs(place.right_m) + _others(user.kind, entry.lane.use) - (STAY_M if own else 0.0)
                yield away, place

    return min(places(), key=lambda pair: pair[0], default=(0.0, None))[1]


def exit_place(ground: Ground, user: RoadUser, ways: tuple[Connection, ...]) -> LanePlace | None:
    """The exit lane under a user's centre; those that its lane leads to are believed first."""
    course, own = course_deg(user), {way.to_lane for way in ways}

    def places() -> Iterable[tuple[float, LanePlace]]:
        for line in ground.exits:
            place = _place(line, user, course, 0.0)
            if place is not None:
                strange = 0.0 if line.lane.lane in own else NOT_ITS_WAY_M
                yield abs(place.right_m) + _others(user.kind, line.lane.use) + strange, place

    return min(places(), key=lambda pair: pair[0], default=(0.0, None))[1]


def front(user: RoadUser, lane_deg: float | None) -> tuple[float, float]:
    """The middle of a user's front, metres east and north. lane_deg: used where its heading is not known."""
    if user.kind is UserClass.PEDESTRIAN:
        return user.x_east_m, user.y_north_m
    heading = user.heading_deg if user.heading_deg is not None else lane_deg
    if heading is None:
        return user.x_east_m, user.y_north_m
    half_m, angle = user.length_m / 2, math.radians(heading)
    return user.x_east_m + math.sin(angle) * half_m, user.y_north_m + math.cos(angle) * half_m


def _place(line: LaneLine, user: RoadUser, course: float | None, margin_m: float) -> LanePlace | None:
    place = line.place(user.x_east_m, user.y_north_m, margin_m)
    if place is not None and course is not None and abs(turn_deg(place.heading_deg, course)) > ALONG_DEG:
        return None
    return place


def _others(kind: UserClass, use: LaneUse) -> float:
    """How much farther away a lane counts that is not for this kind of user."""
    if kind is UserClass.UNKNOWN or kind is UserClass.PEDESTRIAN:
        return 0.0
    return 0.0 if (use is LaneUse.MOTOR) == (kind in MOTOR) else OTHERS_M
