"""A motor vehicle stands in an exit lane, where nothing makes it stand."""

from __future__ import annotations

import math

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.world.road_user import MOTOR

WANDER_M = 2.0  # the estimate of a body that stands moves so far, and its speed is noise
FOR_S = 4.0
QUEUE_M = 14.0  # somebody standing so near ahead: it is a queue, its head is the hazard


def stopped_vehicle(seen: Seen, _lights: Lights, now_s: float) -> str | None:
    """The evidence in words while it lasts; whether it is a queue is the judge's to say."""
    lane = seen.lane
    in_exit = (
        seen.user.kind in MOTOR
        and lane is not None
        and lane.lane.role == "exit"
        and 3.0 < lane.along_m < lane.length_m - 10.0
    )
    if not in_exit or lane is None:
        seen.still = None
        return None
    if seen.still is None or math.hypot(*seen.still.away(seen.user)) > WANDER_M:
        seen.still = seen.mark(now_s)
    for_s = now_s - seen.still.at_s
    return f"standing in exit lane {lane.lane.lane} for {for_s:.1f} s" if for_s >= FOR_S else None
