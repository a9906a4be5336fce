"""A motor vehicle drives against the direction of its lane."""

from __future__ import annotations

import math

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.world.place import turn_deg
from rsu_agent.world.road_user import MOTOR, UserClass

AGAINST_DEG = 120.0
LEAST_SPEED_MPS = 3.0  # who backs out of a gap is slower
FOR_S, FOR_M = 1.0, 4.0  # a standing body's estimate wanders by some metres, never so far so straight
ALONE_M = 8.0  # with one sensor's evidence alone: its estimate may hop along a standing queue
SURE_SD_M = 0.9  # a place known no better than this may be the lane beside, its motion the estimate's own
KINDS = MOTOR | {UserClass.UNKNOWN}


def wrong_way(seen: Seen, _lights: Lights, now_s: float) -> str | None:
    """The evidence in words while it lasts."""
    user, lane = seen.user, seen.lane
    against = (
        user.kind in KINDS
        and lane is not None
        and abs(lane.right_m) < lane.lane.width_m / 2
        and user.heading_deg is not None
        and user.speed_mps > LEAST_SPEED_MPS
        and user.position_sd_m < SURE_SD_M
        and abs(turn_deg(lane.heading_deg, user.heading_deg)) > AGAINST_DEG
    )
    if not against or lane is None:
        seen.wrong = None
        return None
    if seen.wrong is None:
        seen.wrong = seen.mark(now_s)
    for_s = now_s - seen.wrong.at_s
    east, north = seen.wrong.away(user)
    angle = math.radians(lane.heading_deg)
    back_m = -(east * math.sin(angle) + north * math.cos(angle))
    if for_s < FOR_S or back_m < (FOR_M if len(user.sources) > 1 else ALONE_M):
        return None
    return f"{back_m:.0f} m against lane {lane.lane.lane} at {user.speed_mps:.1f} m/s in {for_s:.1f} s"
