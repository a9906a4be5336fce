"""Tracks lost and found again under a new number, and two tracks of one body."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rsu_agent.lanes.trace import Trace
from rsu_agent.world.road_user import MOTOR, RoadUser, UserClass

FORGET_S = 3.0  # a track not seen for so long is gone
NEAR_M, DRIFT_MPS, DRIFT_SHARE = 2.0, 0.7, 0.4  # how far from where it should be it may come out, by time
TWIN_M = 2.0  # two motor vehicles whose middles are nearer are one


def again(user: RoadUser, at_s: float, gone: Iterable[Trace]) -> Trace | None:
    """The vanished track that a new one goes on, None where there is no such."""
    best: tuple[float, Trace] | None = None
    for trace in gone:
        seconds, old = at_s - trace.at_s, trace.user
        if not 0.0 < seconds <= FORGET_S or not _alike(old.kind, user.kind):
            continue
        x, y = old.x_east_m + old.vx_east_mps * seconds, old.y_north_m + old.vy_north_mps * seconds
        away = math.hypot(user.x_east_m - x, user.y_north_m - y)
        reach = NEAR_M + (DRIFT_MPS + DRIFT_SHARE * old.speed_mps) * seconds
        if away <= reach and (best is None or away < best[0]):
            best = away, trace
    return best[1] if best else None


def twin(user: RoadUser, present: Iterable[Trace]) -> bool:
    """Whether a new motor vehicle stands where one is already followed."""
    return user.kind in MOTOR and any(
        trace.user.kind in MOTOR
        and math.hypot(trace.user.x_east_m - user.x_east_m, trace.user.y_north_m - user.y_north_m) < TWIN_M
        for trace in present
    )


def _alike(one: UserClass, other: UserClass) -> bool:
    """Whether one body may have been given both classes."""
    if UserClass.UNKNOWN in (one, other):
        return True
    return (one in MOTOR) == (other in MOTOR)
