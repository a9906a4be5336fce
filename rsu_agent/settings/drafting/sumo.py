"""A crossing drafted from a junction of a SUMO network (netconvert's .net.xml), read with sumolib."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rsu_agent.settings.drafting.draft import (
    COUNTED,
    CannotDraft,
    Draft,
    DraftLane,
    DraftWalk,
    DraftWay,
    arm_of,
)
from rsu_agent.world.crossing import LaneRole, LaneUse, Points, Turn
from rsu_agent.world.place import GeoPoint, LocalFrame, heading_deg, turn_deg

LARGEST_BYTES = 256 << 20
SAME_ARM_DEG = 30.0
NEAR_M = 40.0  # an arm's bearing is taken so far out
LONGEST_M = 150.0  # of a lane: beyond, vehicles need none of it
TURNS = {
    "s": Turn.THROUGH,
    "l": Turn.LEFT,
    "L": Turn.LEFT,
    "r": Turn.RIGHT,
    "R": Turn.RIGHT,
    "t": Turn.U_TURN,
    "T": Turn.U_TURN,
}
ACCURACY_M = 2.0


def draft_sumo(path: Path, junction: str, origin: GeoPoint | None) -> Draft:
    """The draft of a junction. origin: where it is, for a network without a projection.

    Raises CannotDraft, ImportError without the extra `maps`, OSError.
    """
    import sumolib

    if path.stat().st_size > LARGEST_BYTES:
        raise CannotDraft(f"larger than {LARGEST_BYTES >> 20} MB")
    try:
        net = sumolib.net.readNet(str(path), withInternal=True, withPedestrianConnections=False)
    except Exception as error:  # noqa: BLE001 (a SAX parser with handlers: whatever it is, the file is none)
        raise CannotDraft(f"no SUMO network: {error}") from None
    if not net.hasNode(junction):
        lit = sorted(node.getID() for node in net.getNodes() if "traffic_light" in node.getType())
        raise CannotDraft(f"no junction {junction!r}; with traffic lights: {', '.join(lit[:20]) or 'none'}")
    return _Junction(net, net.getNode(junction), origin).draft()


class _Junction:
    """One junction of a network in metres around its own centre."""

    def __init__(self, net: Any, node: Any, origin: GeoPoint | None) -> None:
        self._net, self._node = net, node
        self._x, self._y = node.getCoord()
        if net.hasGeoProj():
            lon, lat = net.convertXY2LonLat(self._x, self._y)
            origin = GeoPoint(lat, lon)
        if origin is None:
            raise CannotDraft("the network has no projection: say where the junction is with --at LAT,LON")
        self._frame = LocalFrame(origin)
        source = f"SUMO network, junction {node.getID()}; not surveyed"
        self._draft = Draft(f"SUMO {node.getID()}", origin, source, ACCURACY_M)
        self._lanes: dict[str, DraftLane] = {}

    def draft(self) -> Draft:
        """Everything of the junction."""
        draft = self._draft
        for edge in self._node.getIncoming():
            self._edge(edge, LaneRole.ENTRY)
        for edge in self._node.getOutgoing():
            self._edge(edge, LaneRole.EXIT)
        for edge in self._node.getIncoming():
            for ways in edge.getOutgoing().values():
                for way in ways:
                    self._way(way)
        self._walks()
        draft.notes += COUNTED
        return draft

    def _edge(self, edge: Any, role: LaneRole) -> None:
        lanes = [lane for lane in edge.getLanes() if lane.allows("passenger") or lane.allows("bicycle")]
        if edge.getFunction() or not lanes:
            return
        arm = arm_of(self._draft, _outward(self._points(edge.getShape()), role), NEAR_M, SAME_ARM_DEG)
        for lane in lanes:
            use = LaneUse.MOTOR if lane.allows("passenger") else LaneUse.BICYCLE
            points = _shortened(self._points(lane.getShape()), role)
            drafted = DraftLane(
                arm,
                role,
                use,
                float(lane.getWidth()),
                float(lane.getSpeed()) * 3.6,
                points,
                order=len(edge.getLanes()) - 1 - lane.getIndex(),  # SUMO counts from the kerb inward
            )
            self._lanes[lane.getID()] = drafted
            self._draft.lanes.append(drafted)

    def _way(self, way: Any) -> None:
        entry, exit_ = self._lanes.get(way.getFromLane().getID()), self._lanes.get(way.getToLane().getID())
        turn = TURNS.get(way.getDirection())
        if entry is None or exit_ is None or turn is None:
            return
        lit = way.getTLSID() not in ("", None)
        signal = (entry.use, entry.arm, turn) if lit else None
        self._draft.ways.append(DraftWay(entry, exit_, turn, signal))

    def _walks(self) -> None:
        for edge in self._net.getEdges():
            if edge.getFunction() == "crossing" and edge.getID().startswith(f":{self._node.getID()}_c"):
                axis = self._points(edge.getLane(0).getShape())
                x, y = (axis[0][0] + axis[-1][0]) / 2, (axis[0][1] + axis[-1][1]) / 2
                bearing = heading_deg(x, y)
                arms = self._draft.arms
                arm = min(arms, key=lambda name: abs(turn_deg(arms[name], bearing)))
                self._draft.walks.append(DraftWalk(arm, (axis[0], axis[-1])))

    def _points(self, shape: Any) -> Points:
        """A shape in metres east and north of the centre, on the ground and not on the projection's plane."""
        if not self._net.hasGeoProj():
            return tuple((x - self._x, y - self._y) for x, y, *_ in shape)
        places = (self._net.convertXY2LonLat(x, y) for x, y, *_ in shape)
        return tuple(self._frame.to_local(GeoPoint(lat, lon)) for lon, lat in places)


def _shortened(points: Points, role: LaneRole) -> Points:
    """The part of a lane that is next to the crossing."""
    outward = _outward(points, role)
    kept, gone_m = [outward[0]], 0.0
    for point in outward[1:]:
        gone_m += math.dist(kept[-1], point)
        kept.append(point)
        if gone_m >= LONGEST_M:
            break
    return _outward(tuple(kept), role)


def _outward(points: Points, role: LaneRole) -> Points:
    """A lane's points away from the crossing; the same again turns them back."""
    return points[::-1] if role is LaneRole.ENTRY else points
