"""MAP of ISO/TS 19091 and SAE J2735: lanes as paths of nodes in centimetres, the nearest one first."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.dsrc.spat import Right
from rsu_agent.messages.dsrc.units import step
from rsu_agent.messages.fields import bits, position, reference, speed
from rsu_agent.messages.maneuvers import STRAIGHT, maneuvers
from rsu_agent.messages.moment import UtcStamp
from rsu_agent.messages.thin import thinned
from rsu_agent.messages.waiting import with_waiting
from rsu_agent.world.crossing import Connection, Crossing, Crosswalk, Lane, LaneRole, LaneUse, Points, Turn

CHORD_M = 0.1
FIRST_WALK_LANE = 200  # crosswalk lanes get numbers from here: crossing file lanes are far below
MOST_APPROACHES = 15
INGRESS, EGRESS = 0, 1
LANE_TYPES = {LaneUse.MOTOR: ("vehicle", 8), LaneUse.BICYCLE: ("bikeLane", 16)}
CYCLISTS, PEDESTRIANS, MOTOR = 7, 9, 3
SHARED = {LaneUse.MOTOR: (MOTOR,), LaneUse.BICYCLE: (CYCLISTS,)}
WIDTH_REACH_CM = 511  # what dWidth can say


def rights_of(crossing: Crossing, arrows: frozenset[int]) -> dict[int, Right]:
    """What the green of each lamp group gives: arrows protect, round lights protect what nobody may cross.

    A round light over a left or U turn meets oncoming traffic, over a right turn people who walk: permissive.
    """
    rights: dict[int, Right] = {}
    for lane in with_waiting(crossing).lanes:
        for way in lane.connections:
            if way.group is None or way.uncontrolled:
                continue
            crossed = way.turn is not Turn.THROUGH and lane.use is LaneUse.MOTOR and way.group not in arrows
            if crossed or way.group not in rights:
                rights[way.group] = Right.PERMISSIVE if crossed else Right.PROTECTED
    return rights | {walk.group: Right.WALK for walk in crossing.crosswalks}


def map_value(
    crossing: Crossing, stamp: UtcStamp | None, revision: int, *, region: int | None
) -> dict[str, Any]:
    """One MAP with one intersection. Raises ValueError naming the lane that cannot be said."""
    crossing = with_waiting(crossing)
    approaches = {arm.arm: number for number, arm in enumerate(crossing.arms, 1)}
    if len(approaches) > MOST_APPROACHES:
        raise ValueError(f"{len(approaches)} arms, ApproachID holds {MOST_APPROACHES}")
    entries = [lane for lane in crossing.lanes if lane.role is LaneRole.ENTRY and lane.use is LaneUse.MOTOR]
    width_cm = _commonest([round(lane.width_m * 100) for lane in entries or crossing.lanes])
    limit = _commonest([speed(lane.speed_limit_mps) for lane in entries or crossing.lanes])
    numbers = _connection_ids(crossing)
    lanes = [_lane(lane, approaches[lane.arm], width_cm, limit, numbers) for lane in crossing.lanes]
    lanes += [_walk(walk, approaches[walk.arm], numbers) for walk in crossing.crosswalks]
    geometry = {
        "id": reference(crossing.node, region),
        "revision": revision,
        "refPoint": position(crossing.origin),
        "laneWidth": width_cm,
        "speedLimits": [{"type": "vehicleMaxSpeed", "speed": limit}],
        "laneSet": lanes,
    }
    value: dict[str, Any] = {} if stamp is None else {"timeStamp": stamp.minute_of_year}
    value |= {"msgIssueRevision": revision, "layerType": "intersectionData", "layerID": 0}
    return value | {"intersections": [geometry]}


def _commonest(values: list[int]) -> int:
    return max(values, key=lambda value: (values.count(value), value))


def _connection_ids(crossing: Crossing) -> dict[tuple[int, int], int]:
    """connectionID of (from lane, to lane), 1..255 in the order of the file; beyond them none."""
    pairs = [(lane.lane, way.to_lane) for lane in crossing.lanes for way in lane.connections]
    pairs += [(FIRST_WALK_LANE + walk.crosswalk,) * 2 for walk in crossing.crosswalks]
    return {pair: number for number, pair in enumerate(pairs, 1) if number <= 255}


def _lane(
    lane: Lane, approach: int, width_cm: int, limit: int, numbers: dict[tuple[int, int], int]
) -> dict[str, Any]:
    entry = lane.role is LaneRole.ENTRY
    kind, size = LANE_TYPES[lane.use]
    value: dict[str, Any] = {
        "laneID": lane.lane,
        "ingressApproach" if entry else "egressApproach": approach,
        "laneAttributes": {
            "directionalUse": bits(2, INGRESS if entry else EGRESS),
            "sharedWith": bits(10, *SHARED[lane.use]),
            "laneType": (kind, bits(size)),
        },
    }
    if entry:
        value["maneuvers"] = maneuvers(lane.connections, lane.right_on_red)
    nodes = _nodes(lane.points[::-1] if entry else lane.points, f"lane {lane.lane}")
    _describe(nodes[0], lane, width_cm, limit)
    value["nodeList"] = ("nodes", nodes)
    if lane.connections:
        value["connectsTo"] = [_connection(lane, way, numbers) for way in lane.connections]
    return value


def _describe(first: dict[str, Any], lane: Lane, width_cm: int, limit: int) -> None:
    """What differs from the common width and limit stands at the first node, with the stop line."""
    attributes: dict[str, Any] = {}
    if lane.role is LaneRole.ENTRY:
        attributes["localNode"] = ["stopLine"]
    if speed(lane.speed_limit_mps) != limit:
        own = [{"type": "vehicleMaxSpeed", "speed": speed(lane.speed_limit_mps)}]
        attributes["data"] = [("speedLimits", own)]
    if wider := round(lane.width_m * 100) - width_cm:
        attributes["dWidth"] = max(-WIDTH_REACH_CM, min(WIDTH_REACH_CM, wider))
    if attributes:
        first["attributes"] = attributes


def _nodes(points: Points, where: str) -> list[dict[str, Any]]:
    """Each node from the one before, the first from the reference point; rounding does not add up."""
    nodes = []
    at_x, at_y = 0, 0
    for x, y in thinned(points, CHORD_M):
        x_cm, y_cm = round(x * 100), round(y * 100)
        try:
            nodes.append({"delta": step(x_cm - at_x, y_cm - at_y)})
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        at_x, at_y = x_cm, y_cm
    return nodes


def _connection(lane: Lane, way: Connection, numbers: dict[tuple[int, int], int]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "connectingLane": {"lane": way.to_lane, "maneuver": maneuvers((way,), lane.right_on_red)}
    }
    if way.group is not None and not way.uncontrolled:
        value["signalGroup"] = way.group
    if number := numbers.get((lane.lane, way.to_lane)):
        value["connectionID"] = number
    return value


def _walk(walk: Crosswalk, approach: int, numbers: dict[tuple[int, int], int]) -> dict[str, Any]:
    """A crosswalk, walked both ways; its connection to itself carries the pedestrians' group."""
    lane = FIRST_WALK_LANE + walk.crosswalk
    connection: dict[str, Any] = {
        "connectingLane": {"lane": lane, "maneuver": STRAIGHT},
        "signalGroup": walk.group,
    }
    if number := numbers.get((lane, lane)):
        connection["connectionID"] = number
    return {
        "laneID": lane,
        "ingressApproach": approach,
        "laneAttributes": {
            "directionalUse": bits(2, INGRESS, EGRESS),
            "sharedWith": bits(10, PEDESTRIANS),
            "laneType": ("crosswalk", bits(16)),
        },
        "nodeList": ("nodes", _nodes(walk.axis, f"crosswalk {walk.crosswalk}")),
        "connectsTo": [connection],
    }
