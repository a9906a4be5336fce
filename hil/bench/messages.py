"""The messages that the codec benchmark encodes, full and of the sizes that its figures are for."""

from __future__ import annotations

from typing import Any

GROUPS, STATES, ARMS, LANES_AN_ARM, NODES, PEOPLE = 8, 3, 4, 5, 6, 16
REGION = 1
COLOURS = ("protected-green", "yellow", "red")
DSRC_STATES = ("protected-Movement-Allowed", "protected-clearance", "stop-And-Remain")
MINUTE, MILLISECOND = 123_456, 45_678
REF_POS = {"lat": 226_900_000, "long": 1_143_400_000, "elevation": 300}
NO_BITS = {size: (bytes((size + 7) // 8), size) for size in (2, 8, 10, 12, 16)}
SPEED_LIMITS = [{"type": "vehicleMaxSpeed", "speed": 833}]


def spat() -> tuple[str, Any]:
    """CSAE SPAT: 8 groups, three states each, every time given."""
    phases = [{"id": g + 1, "phaseStates": [_csae_state(g, s) for s in range(STATES)]} for g in range(GROUPS)]
    stamps = {"moy": MINUTE, "timeStamp": MILLISECOND}
    crossing = {"intersectionId": _node(12), "status": (b"\x04\x00", 16), **stamps, "phases": phases}
    return "spatFrame", {"msgCnt": 5, **stamps, "intersections": [crossing]}


def _csae_state(group: int, state: int) -> dict[str, Any]:
    ends = {"minEndTime": 100 + group, "maxEndTime": 200 + group, "likelyEndTime": 150 + group}
    later = {"timeConfidence": 180, "nextStartTime": 400 + state, "nextDuration": 150}
    return {"light": COLOURS[state], "timing": ("counting", {"startTime": 100 * state, **ends, **later})}


def csae_map() -> tuple[str, Any]:
    """CSAE MAP: four arms, twenty lanes of six points and two connections."""
    links = [
        {
            "name": f"arm {arm}",
            "upstreamNodeId": _node(20 + arm),
            "speedLimits": SPEED_LIMITS,
            "linkWidth": 1750,
            "points": _csae_points(),
            "movements": [{"remoteIntersection": _node(7), "phaseId": 3}],
            "lanes": [_csae_lane(lane) for lane in range(LANES_AN_ARM)],
        }
        for arm in range(ARMS)
    ]
    node = {"name": "bench", "id": _node(12), "refPos": REF_POS, "inLinks": links}
    return "mapFrame", {"msgCnt": 3, "timeStamp": MINUTE, "nodes": [node]}


def _csae_lane(lane: int) -> dict[str, Any]:
    ahead = {
        "remoteIntersection": _node(7),
        "connectingLane": {"lane": 3, "maneuver": NO_BITS[12]},
        "phaseId": 3,
    }
    return {
        "laneID": lane + 1,
        "laneWidth": 350,
        "laneAttributes": {"shareWith": NO_BITS[10], "laneType": ("vehicle", NO_BITS[8])},
        "maneuvers": NO_BITS[12],
        "connectsTo": [ahead, {"remoteIntersection": _node(8), "phaseId": 4}],
        "speedLimits": SPEED_LIMITS,
        "points": _csae_points(),
    }


def _csae_points() -> list[dict[str, Any]]:
    return [
        {
            "posOffset": {
                "offsetLL": ("position-LL3", {"lon": 1000 * n, "lat": -500 * n}),
                "offsetV": ("offset1", n),
            }
        }
        for n in range(NODES)
    ]


def rsm() -> tuple[str, Any]:
    """CSAE RSM: 16 participants."""
    people = [
        {
            "ptcType": "motor",
            "ptcId": number,
            "source": "integrated",
            "secMark": MILLISECOND,
            "pos": {"offsetLL": ("position-LL3", {"lon": 1000 + number, "lat": -500})},
            "posConfidence": {"pos": "a50cm", "elevation": "unavailable"},
            "transmission": "unavailable",
            "speed": 500,
            "heading": 7200,
            "motionCfd": {"speedCfd": "prec1ms", "headingCfd": "prec05deg"},
            "accelSet": {"long": 100, "lat": 0, "vert": -127, "yaw": 0},
            "size": {"width": 180, "length": 450, "height": 30},
            "vehicleClass": {"classification": 10},
        }
        for number in range(PEOPLE)
    ]
    return "rsmFrame", {"msgCnt": 3, "id": b"RSU00001", "refPos": REF_POS, "participants": people}


def _node(number: int) -> dict[str, int]:
    return {"region": REGION, "id": number}


def spatem() -> dict[str, Any]:
    """SPATEM's SPAT: 8 groups, three states each, every time given."""
    events = [[_dsrc_event(group, state) for state in range(STATES)] for group in range(GROUPS)]
    states = [{"signalGroup": g, "state-time-speed": events_of} for g, events_of in enumerate(events, 1)]
    crossing = {"id": _node(12), "revision": 3, "status": (b"\x04\x00", 16), "moy": MINUTE}
    return {"timeStamp": MINUTE, "intersections": [{**crossing, "timeStamp": MILLISECOND, "states": states}]}


def _dsrc_event(group: int, state: int) -> dict[str, Any]:
    marks = {"startTime": 1, "minEndTime": 100 + group, "maxEndTime": 200, "likelyTime": 150, "nextTime": 400}
    return {"eventState": DSRC_STATES[state], "timing": marks}


def mapem() -> dict[str, Any]:
    """MAPEM's MapData: four arms, twenty lanes of six nodes and two connections."""
    lanes = [_dsrc_lane(number, 1 + number % ARMS) for number in range(ARMS * LANES_AN_ARM)]
    crossing = {"id": _node(12), "revision": 3, "refPoint": REF_POS, "laneWidth": 350, "laneSet": lanes}
    return {"timeStamp": MINUTE, "msgIssueRevision": 3, "intersections": [crossing]}


def _dsrc_lane(number: int, approach: int) -> dict[str, Any]:
    to_lane = {"lane": 3, "maneuver": NO_BITS[12]}
    nodes = [{"delta": ("node-XY4", {"x": 1000 * n - 2000, "y": 500})} for n in range(NODES)]
    return {
        "laneID": number + 1,
        "ingressApproach": approach,
        "laneAttributes": {
            "directionalUse": NO_BITS[2],
            "sharedWith": NO_BITS[10],
            "laneType": ("vehicle", NO_BITS[8]),
        },
        "maneuvers": NO_BITS[12],
        "nodeList": ("nodes", nodes),
        "connectsTo": [
            {"connectingLane": to_lane, "signalGroup": 1, "connectionID": number + 1},
            {"connectingLane": to_lane, "signalGroup": 2},
        ],
    }
