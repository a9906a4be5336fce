"""People on foot, and on two wheels, over crosswalks."""

from __future__ import annotations

from rsu_agent.lanes.area import edge_share
from rsu_agent.lanes.events import Walked
from rsu_agent.lanes.ground import Ground
from rsu_agent.lanes.lights import LightLog
from rsu_agent.lanes.right import SURE_RED_S, said
from rsu_agent.lanes.trace import Stroll, Trace, between
from rsu_agent.world.road_user import MOTOR, RoadUser, UserClass

CROSSED = 0.6  # of its length: who has walked so much of a crosswalk has crossed, whatever hid the rest


def walking(ground: Ground, log: LightLog, trace: Trace, user: RoadUser, at_s: float) -> Walked | None:
    """One fix: onto a crosswalk, along it, or off it; the crossing when it is over."""
    if user.kind in MOTOR or (user.kind is not UserClass.PEDESTRIAN and trace.lane is not None):
        trace.stroll = None
        return None
    here, before = (user.x_east_m, user.y_north_m), (trace.user.x_east_m, trace.user.y_north_m)
    stroll = trace.stroll
    if stroll is None:
        walk = next((walk for walk in ground.walks if walk.area.holds(*here)), None)
        if walk is not None:
            fresh = here == before or walk.area.holds(*before)
            on_s = (
                round(at_s, 2)
                if fresh
                else between(trace.at_s, at_s, edge_share(walk.area.holds, before, here))
            )
            trace.stroll = Stroll(walk, on_s, walk.along_m(*here), walk.along_m(*here))
        return None
    stroll.along_m = stroll.walk.along_m(*here)
    if stroll.walk.area.holds(*here):
        return None
    return walked(log, trace, between(trace.at_s, at_s, edge_share(stroll.walk.area.holds, before, here)))


def walked(log: LightLog, trace: Trace, off_s: float) -> Walked | None:
    """A crosswalk left, or a track lost on it: a crossing if most of it was walked."""
    stroll, trace.stroll = trace.stroll, None
    if stroll is None or stroll.share < CROSSED or trace.twin:
        return None
    group = stroll.walk.walk.group
    right = said(log.at(group, stroll.on_s), log.at(group, stroll.on_s + SURE_RED_S))
    return Walked(trace.user.track, trace.user.kind, stroll.walk.walk.crosswalk, stroll.on_s, off_s, right)
