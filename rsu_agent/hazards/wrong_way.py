"""A motor vehicle drives against the direction of its lane."""

from __future__ import annotations

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.world.place import turn_deg
from rsu_agent.world.road_user import MOTOR, UserClass

AGAINST_DEG = 120.0
LEAST_SPEED_MPS = 1.5
FOR_S = 1.0
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
        and abs(turn_deg(lane.heading_deg, user.heading_deg)) > AGAINST_DEG
    )
    if not against:
        seen.wrong_since_s = None
        return None
    if seen.wrong_since_s is None:
        seen.wrong_since_s = now_s
    if now_s - seen.wrong_since_s < FOR_S or lane is None:
        return None
    return f"against lane {lane.lane.lane} at {user.speed_mps:.1f} m/s for {now_s - seen.wrong_since_s:.1f} s"
