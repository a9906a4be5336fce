"""MAP of T/CSAE 53-2020: one node, never split; lanes, connections and the phases that serve them."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.csae53.phase_table import PhaseTable
from rsu_agent.messages.csae53.units import centimetres, offset
from rsu_agent.messages.fields import bits, position, reference, speed
from rsu_agent.messages.maneuvers import maneuvers
from rsu_agent.messages.moment import UtcStamp
from rsu_agent.messages.thin import thinned
from rsu_agent.messages.waiting import is_waiting, with_waiting
from rsu_agent.world.crossing import (
    Arm,
    Connection,
    Crossing,
    Crosswalk,
    Lane,
    LaneRole,
    LaneUse,
    Points,
)
from rsu_agent.world.place import LocalFrame

CHORD_M = 0.1
# Limits of receivers in the field (field-rules 5.5), tighter than the schema's own.
LIMITS = {"links": 8, "lanes": 16, "movements": 8, "points": 31}
FIRST_WALK_LANE = 200  # crosswalk lanes get numbers from here: crossing file lanes are far below


class MapTooLarge(ValueError):
    """A crossing that receivers could not hold; says which count is too large and what it is."""


def map_value(
    crossing: Crossing, table: PhaseTable, stamp: UtcStamp | None, count: int, *, region: int | None
) -> dict[str, Any]:
    """One MAP with one node. Raises MapTooLarge."""
    crossing = with_waiting(crossing)
    links = [link for arm in crossing.arms if (link := _link(crossing, table, arm, region)) is not None]
    _limit("links", len(links), "node")
    node = {
        "id": reference(crossing.node, region),
        "refPos": position(crossing.origin),
        "inLinks": links,
    }
    value: dict[str, Any] = {"msgCnt": count}
    if stamp is not None:
        value["timeStamp"] = stamp.minute_of_year
    value["nodes"] = [node]
    return value


def links_of(crossing: Crossing) -> dict[str, tuple[int, int]]:
    """Of each arm that comes in: how many lanes its link has, and how many movements."""
    crossing = with_waiting(crossing)
    exits = _exits(crossing)
    found = {}
    for arm in crossing.arms:
        entries = [lane for lane in crossing.lanes if lane.arm == arm.arm and lane.role is LaneRole.ENTRY]
        walks = sum(walk.arm == arm.arm for walk in crossing.crosswalks)
        remotes = {exits[way.to_lane] for lane in entries for way in lane.connections} - {crossing.node}
        if entries:
            found[arm.arm] = len(entries) + walks, len(remotes)
    return found


def _exits(crossing: Crossing) -> dict[int, int]:
    """The node that each lane one can come to leads to: a neighbour, of a waiting area this one."""
    upstream = {arm.arm: arm.upstream_node for arm in crossing.arms}
    waiting = {lane.lane: crossing.node for lane in crossing.lanes if is_waiting(lane)}
    return waiting | {lane.lane: upstream[lane.arm] for lane in crossing.lanes if lane.role is LaneRole.EXIT}


def _limit(what: str, count: int, where: str) -> None:
    if count > LIMITS[what]:
        raise MapTooLarge(f"{where}: {count} {what}, receivers hold {LIMITS[what]}")


def _link(crossing: Crossing, table: PhaseTable, arm: Arm, region: int | None) -> dict[str, Any] | None:
    """The link that enters the node from one arm, its lanes from left to right."""
    entries = [lane for lane in crossing.lanes if lane.arm == arm.arm and lane.role is LaneRole.ENTRY]
    if not entries:
        return None
    exits = _exits(crossing)
    lanes = [_lane(crossing, table, lane, exits, region) for lane in entries]
    lanes += [
        _walk(crossing, table, walk, arm, region) for walk in crossing.crosswalks if walk.arm == arm.arm
    ]
    _limit("lanes", len(lanes), f"arm {arm.arm}")
    movements = _movements(entries, table, exits, crossing.node, region)
    _limit("movements", len(movements), f"arm {arm.arm}")
    abreast = [lane for lane in entries if not is_waiting(lane)]
    motor = [lane for lane in abreast if lane.use is LaneUse.MOTOR] or abreast
    middle = motor[len(motor) // 2]
    link: dict[str, Any] = {
        "upstreamNodeId": reference(arm.upstream_node, region),
        "speedLimits": [{"type": "vehicleMaxSpeed", "speed": speed(middle.speed_limit_mps)}],
        "linkWidth": centimetres(sum(lane.width_m for lane in abreast), 32767),
        "points": _points(crossing, middle.points),
    }
    if movements:
        link["movements"] = movements
    link["lanes"] = lanes
    return link


def _movements(
    entries: list[Lane], table: PhaseTable, exits: dict[int, int], own: int, region: int | None
) -> list[dict[str, Any]]:
    """One movement a remote node, with the phase of its motor lanes; connections override it."""
    found: dict[int, int | None] = {}
    for lane in sorted(entries, key=lambda lane: lane.use is not LaneUse.MOTOR):
        for way in lane.connections:
            phase = None if way.group is None else table.phase_of(way.group)
            if exits[way.to_lane] != own:
                found.setdefault(exits[way.to_lane], phase)
    return [
        {"remoteIntersection": reference(remote, region)} | ({} if phase is None else {"phaseId": phase})
        for remote, phase in sorted(found.items())
    ]


def _lane(
    crossing: Crossing, table: PhaseTable, lane: Lane, exits: dict[int, int], region: int | None
) -> dict[str, Any]:
    bicycle = lane.use is LaneUse.BICYCLE
    kind: tuple[str, Any] = ("bikeLane", bits(16)) if bicycle else ("vehicle", bits(8))
    value: dict[str, Any] = {
        "laneID": lane.lane,
        "laneWidth": centimetres(lane.width_m, 32767),
        "laneAttributes": {"shareWith": bits(10), "laneType": kind},
        "maneuvers": maneuvers(lane.connections, lane.right_on_red),
    }
    if lane.connections:
        value["connectsTo"] = [_connection(table, lane, way, exits, region) for way in lane.connections]
    value["speedLimits"] = [{"type": "vehicleMaxSpeed", "speed": speed(lane.speed_limit_mps)}]
    value["points"] = _points(crossing, lane.points)
    return value


def _connection(
    table: PhaseTable, lane: Lane, way: Connection, exits: dict[int, int], region: int | None
) -> dict[str, Any]:
    value: dict[str, Any] = {
        "remoteIntersection": reference(exits[way.to_lane], region),
        "connectingLane": {"lane": way.to_lane, "maneuver": maneuvers((way,), lane.right_on_red)},
    }
    phase = None if way.group is None or way.uncontrolled else table.phase_of(way.group)
    if phase is not None:
        value["phaseId"] = phase
    return value


def _walk(
    crossing: Crossing, table: PhaseTable, walk: Crosswalk, arm: Arm, region: int | None
) -> dict[str, Any]:
    """A crosswalk as a lane of the link it crosses; its connection carries the pedestrians' phase."""
    connection: dict[str, Any] = {"remoteIntersection": reference(arm.upstream_node, region)}
    phase = table.phase_of(walk.group)
    if phase is not None:
        connection["phaseId"] = phase
    return {
        "laneID": FIRST_WALK_LANE + walk.crosswalk,
        "laneAttributes": {"shareWith": bits(10, 9), "laneType": ("crosswalk", bits(16))},
        "connectsTo": [connection],
        "points": _points(crossing, walk.axis),
    }


def _points(crossing: Crossing, points: Points) -> list[dict[str, Any]]:
    frame = LocalFrame(crossing.origin)
    kept = thinned(points, CHORD_M)
    _limit("points", len(kept), "a lane")
    return [{"posOffset": offset(crossing.origin, frame.to_geo(x, y))} for x, y in kept]
