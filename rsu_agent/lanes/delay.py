"""Control delay: how much longer somebody took to the stop line than alone and on green."""

from __future__ import annotations

import math

from rsu_agent.lanes.events import LinePassed
from rsu_agent.world.crossing import Connection, Lane, LaneUse
from rsu_agent.world.place import line_heading_deg, turn_deg

# Of the speed limit: who was never faster was held up from the first sight on. Riders go by their strength.
SLOWEST_SHARE = {LaneUse.MOTOR: 0.8, LaneUse.BICYCLE: 0.5}
SIDEWAYS_MPS2 = 2.0  # what drivers take in a bend
BRAKES_MPS2 = 2.0  # and before it
LEAST_TURN_MPS = 3.0
STRAIGHT_DEG = 20.0


class FreeWay:
    """One lane's approach as somebody drives it whom nothing holds up.

    The speed is the fastest that the user itself was seen at, not above the limit; whoever turns has slowed
    down for the bend at the line: that is the road's doing and no delay.
    """

    def __init__(self, lane: Lane) -> None:
        self._limit_mps = lane.speed_limit_mps
        self._slowest_mps = SLOWEST_SHARE[lane.use] * lane.speed_limit_mps
        self._bend_mps = max((bend_mps(way) for way in lane.connections), default=math.inf)

    def delay_s(self, passed: LinePassed) -> float | None:
        """Of one user; None where its track began too late."""
        if passed.travel_s is None:
            return None
        return passed.travel_s - self.free_s(passed.fastest_mps, passed.travel_m)

    def free_s(self, fastest_mps: float, from_m: float) -> float:
        """From so far before the stop line to the line."""
        speed = min(max(fastest_mps, self._slowest_mps), self._limit_mps)
        bend = min(speed, self._bend_mps)
        braking_m = min(from_m, (speed**2 - bend**2) / (2 * BRAKES_MPS2))
        begins = math.sqrt(bend**2 + 2 * BRAKES_MPS2 * braking_m)
        return (from_m - braking_m) / speed + (begins - bend) / BRAKES_MPS2


def bend_mps(way: Connection) -> float:
    """How fast a way is driven at its line, by its mean radius; infinity straight on."""
    turned = abs(turn_deg(line_heading_deg(way.path[:2]), line_heading_deg(way.path[-2:])))
    if turned < STRAIGHT_DEG:
        return math.inf
    length_m = sum(math.dist(a, b) for a, b in zip(way.path, way.path[1:], strict=False))
    return max(LEAST_TURN_MPS, math.sqrt(SIDEWAYS_MPS2 * length_m / math.radians(turned)))
