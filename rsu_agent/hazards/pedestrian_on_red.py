"""Somebody on foot steps onto a crosswalk while its light has been red for a while."""

from __future__ import annotations

import math

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.hazards.places import Places
from rsu_agent.world.road_user import UserClass

SURE_RED_S = 1.0
KERB_M = 0.8  # so far inside the kerb before it counts: who waits at the kerb is not on the road
SLOW_MPS = 0.8  # who is seen first on the road came from the kerb behind it, at no less than this
FOR_S, INWARD_M = 0.9, 1.1  # a step onto the road goes on: an estimate that jumps comes back
SPEED_MPS = (0.4, 3.0)  # who is faster is on wheels, whatever the class says


def pedestrian_on_red(seen: Seen, lights: Lights, now_s: float, places: Places) -> str | None:
    """The evidence in words, from when the step onto the road is certain until the road is left."""
    user = seen.user
    walk = places.walk_at(user.x_east_m, user.y_north_m)
    if walk is None or user.kind is not UserClass.PEDESTRIAN:
        seen.on_walk, seen.walk_judged, seen.walk_words = None, False, None
        return None
    (ax, ay), (bx, by) = walk.axis
    length = math.dist((ax, ay), (bx, by))
    ux, uy = (bx - ax) / length, (by - ay) / length
    along = (user.x_east_m - ax) * ux + (user.y_north_m - ay) * uy
    from_kerb, inward = (along, 1.0) if along < length / 2 else (length - along, -1.0)
    if from_kerb < KERB_M:
        seen.on_walk, seen.walk_judged, seen.walk_words = None, False, None
        return None
    if seen.on_walk is None:
        seen.on_walk, seen.walked_m = seen.mark(now_s), from_kerb
    east, north = seen.on_walk.away(user)
    far, aside = (east * ux + north * uy) * inward, abs(east * uy - north * ux)
    walks_in = far >= INWARD_M and aside < far and SPEED_MPS[0] <= user.speed_mps <= SPEED_MPS[1]
    if seen.walk_words is not None:
        return seen.walk_words
    if seen.walk_judged or now_s - seen.on_walk.at_s < FOR_S or not walks_in:
        return None
    seen.walk_judged = True
    red = lights.red_for(walk.group, seen.on_walk.at_s)
    if red is None or red < SURE_RED_S + seen.walked_m / SLOW_MPS:
        return None
    seen.walk_words = f"stepped onto the crosswalk of arm {walk.arm} after {red:.1f} s of red"
    return seen.walk_words
