"""A motor vehicle stands in an exit lane, where nothing makes it stand."""

from __future__ import annotations

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.world.road_user import MOTOR

STANDING_MPS = 0.6
FOR_S = 4.0
QUEUE_M = 14.0  # somebody standing so near ahead: it is a queue, its head is the hazard


def stopped_vehicle(seen: Seen, _lights: Lights, now_s: float) -> str | None:
    """The evidence in words while it lasts; whether it is a queue is the judge's to say."""
    lane = seen.lane
    standing = (
        seen.user.kind in MOTOR
        and lane is not None
        and lane.lane.role == "exit"
        and seen.user.speed_mps < STANDING_MPS
        and 3.0 < lane.along_m < lane.length_m - 10.0
    )
    if not standing:
        seen.still_since_s = None
        return None
    if seen.still_since_s is None:
        seen.still_since_s = now_s
    if now_s - seen.still_since_s < FOR_S or lane is None:
        return None
    return f"standing in exit lane {lane.lane.lane} for {now_s - seen.still_since_s:.1f} s"
