"""A motor vehicle enters the conflict area while every light it could go by is red."""

from __future__ import annotations

import math

from rsu_agent.hazards.evidence import Lights, Seen
from rsu_agent.lanes.line import LanePlace
from rsu_agent.world.crossing import Turn
from rsu_agent.world.place import turn_deg
from rsu_agent.world.road_user import MOTOR

SURE_RED_S = 0.45  # lamps and positions are this uncertain together: entering on yellow is no running
LEAST_SPEED_MPS = 3.0
STRAIGHT_DEG = 60.0  # whoever has turned farther than that from its lane was turning right, lawfully on red
ASIDE_M = 3.0  # off the way straight on from its lane: it came from the lane beside


def red_light_running(seen: Seen, lights: Lights, now_s: float) -> str | None:
    """The evidence in words, once, at the instant of entering; None otherwise."""
    if seen.box_judged or seen.entered_box_s is None or seen.user.kind not in MOTOR:
        return None
    seen.box_judged = True
    entry = seen.entry
    if entry is None or seen.user.speed_mps < LEAST_SPEED_MPS:
        return None
    ways = entry.lane.connections
    if not ways or any(way.uncontrolled or way.group is None for way in ways):
        return None
    if all(way.turn is Turn.RIGHT for way in ways):
        return None
    reds = [lights.red_for(way.group, now_s) for way in ways if way.group is not None]
    if any(red is None or red < SURE_RED_S for red in reds):
        return None
    if _aside_m(entry, seen) > ASIDE_M:
        return None
    heading = seen.user.heading_deg
    if heading is not None and turn_deg(entry.heading_deg, heading) > STRAIGHT_DEG:
        return None
    groups = sorted({way.group for way in ways if way.group is not None})
    least = min(red for red in reds if red is not None)
    return f"entered from lane {entry.lane.lane} while groups {groups} were red for {least:.1f} s"


def _aside_m(entry: LanePlace, seen: Seen) -> float:
    """How far a user is beside the way straight on from where its lane was last under it."""
    angle = math.radians(entry.heading_deg)
    east, north = seen.user.x_east_m - entry.x_east_m, seen.user.y_north_m - entry.y_north_m
    return abs(east * math.cos(angle) - north * math.sin(angle))
