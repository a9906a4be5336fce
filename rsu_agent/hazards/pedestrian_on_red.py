"""Somebody on foot steps onto a crosswalk while its light has been red for a while."""

from __future__ import annotations

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.hazards.places import Places
from rsu_agent.world.road_user import UserClass

SURE_RED_S = 1.0
KERB_M = 0.8  # so far inside the kerb before it counts: who waits at the kerb is not on the road
EARLY_M = 6.0  # of the crosswalk: who is seen first in its middle may have begun on green
LEAST_SPEED_MPS = 0.4


def pedestrian_on_red(seen: Seen, lights: Lights, now_s: float, places: Places) -> str | None:
    """The evidence in words, once, when the step onto the road is certain."""
    user = seen.user
    walk = places.walk_at(user.x_east_m, user.y_north_m)
    if walk is None or user.kind is not UserClass.PEDESTRIAN:
        seen.on_walk_since_s = None
        return None
    (ax, ay), (bx, by) = walk.axis
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
    along = ((user.x_east_m - ax) * (bx - ax) + (user.y_north_m - ay) * (by - ay)) / length
    from_kerb = min(along, length - along)
    if from_kerb < KERB_M:
        return None
    if seen.on_walk_since_s is None:
        seen.on_walk_since_s = now_s
        seen.walk_judged = from_kerb > EARLY_M
    if seen.walk_judged or user.speed_mps < LEAST_SPEED_MPS:
        return None
    seen.walk_judged = True
    red = lights.red_for(walk.group, seen.on_walk_since_s)
    if red is None or red < SURE_RED_S:
        return None
    return f"stepped onto the crosswalk of arm {walk.arm} after {red:.1f} s of red"
