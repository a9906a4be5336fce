"""A MAP as a vehicle makes it out: the lanes in degrees, from the bytes alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rsu_agent.messages.recognise import Read, recognise
from rsu_agent.world.place import GeoPoint, LocalFrame

Line = tuple[GeoPoint, ...]


@dataclass(frozen=True, slots=True)
class HeardLane:
    """One lane. kind: as the set names it; ways: (lane it leads to or None, its phase or signal group)."""

    lane: int
    kind: str
    points: Line
    ways: tuple[tuple[int | None, int | None], ...]


def lanes_heard(frame: bytes, standard: str) -> list[HeardLane]:
    """Every lane of a frame of one of SETS. Raises Malformed; ValueError for a frame without a MAP."""
    read = recognise(frame, standard)
    if read.name not in ("MAP", "MAPEM"):
        raise ValueError(f"a {read.name}, no MAP")
    if read.standard == "csae53":
        return list(_of_nodes(read.value))
    return list(_of_intersections(read))


def _of_nodes(value: dict[str, Any]) -> Iterator[HeardLane]:
    for node in value["nodes"]:
        base = node["refPos"]
        for link in node.get("inLinks", []):
            for lane in link["lanes"]:
                points = tuple(
                    _placed(base, point["posOffset"]["offsetLL"]) for point in lane.get("points", [])
                )
                ways = tuple(
                    (way.get("connectingLane", {}).get("lane"), way.get("phaseId"))
                    for way in lane.get("connectsTo", [])
                )
                kind = lane.get("laneAttributes", {"laneType": ("unknown", None)})["laneType"][0]
                yield HeardLane(lane["laneID"], kind, points, ways)


def _placed(base: dict[str, int], offset: tuple[str, dict[str, int]]) -> GeoPoint:
    name, by = offset
    absolute = name == "position-LatLon"
    lat = by["lat"] + (0 if absolute else base["lat"])
    lon = by["lon"] + (0 if absolute else base["long"])
    return GeoPoint(lat / 1e7, lon / 1e7)


def _of_intersections(read: Read) -> Iterator[HeardLane]:
    value = read.value["map"] if read.name == "MAPEM" else read.value
    for crossing in value["intersections"]:
        frame = LocalFrame(GeoPoint(crossing["refPoint"]["lat"] / 1e7, crossing["refPoint"]["long"] / 1e7))
        for lane in crossing["laneSet"]:
            form, nodes = lane["nodeList"]
            points = tuple(_walked(frame, nodes)) if form == "nodes" else ()
            ways = tuple(
                (way["connectingLane"]["lane"], way.get("signalGroup")) for way in lane.get("connectsTo", [])
            )
            yield HeardLane(lane["laneID"], lane["laneAttributes"]["laneType"][0], points, ways)


def _walked(frame: LocalFrame, nodes: list[dict[str, Any]]) -> Iterator[GeoPoint]:
    """Each node from the one before, the first from the reference point, in centimetres."""
    x_cm = y_cm = 0
    for node in nodes:
        name, by = node["delta"]
        if name == "node-LatLon":
            point = GeoPoint(by["lat"] / 1e7, by["lon"] / 1e7)
            x_cm, y_cm = (round(metres * 100) for metres in frame.to_local(point))
        elif name.startswith("node-XY"):
            x_cm, y_cm = x_cm + by["x"], y_cm + by["y"]
        yield frame.to_geo(x_cm / 100, y_cm / 100)
