"""Whether a track was given somebody else's detections: it has moved farther than it drives."""

from __future__ import annotations

import math

from rsu_agent.world.road_user import RoadUser

JUMP_M, JUMP_SHARE = 1.2, 1.5  # beyond its speed: one scene in a thousand corrects an estimate by more


def jumped(before: RoadUser, after: RoadUser, seconds: float, jump_m: float = JUMP_M) -> bool:
    """Two states of one track, so many seconds apart; jump_m: what its speed need not explain."""
    moved = math.hypot(after.x_east_m - before.x_east_m, after.y_north_m - before.y_north_m)
    return moved > jump_m + JUMP_SHARE * max(after.speed_mps, before.speed_mps) * seconds
