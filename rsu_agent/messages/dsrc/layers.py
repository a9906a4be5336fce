"""A MAP that is larger than a radio's frame, split by layerID (ETSI and SAE only, field-rules 5.5)."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.dsrc import codec

MOST_LAYERS = 100  # LayerID 1 to 100; 0 says that there is one


def layers(value: dict[str, Any], most_bytes: int) -> list[dict[str, Any]]:
    """The MAP as it is if it fits, else parts of the same revision with some of its lanes each.

    Lanes of an approach stay together as far as they fit. Raises ValueError, with sizes, for a lane that
    does not fit alone.
    """
    if _size(value) <= most_bytes:
        return [value]
    parts: list[list[dict[str, Any]]] = [[]]
    for lane in sorted(value["intersections"][0]["laneSet"], key=_approach):
        if parts[-1] and _size(_part(value, [*parts[-1], lane], len(parts))) > most_bytes:
            parts.append([])
        parts[-1].append(lane)
        size = _size(_part(value, parts[-1], len(parts)))
        if size > most_bytes:
            raise ValueError(
                f"lane {lane['laneID']} alone makes a MAP of {size} bytes, {most_bytes} may be sent"
            )
    if len(parts) > MOST_LAYERS:
        raise ValueError(f"{len(parts)} parts of {most_bytes} bytes, LayerID holds {MOST_LAYERS}")
    return [_part(value, lanes, number) for number, lanes in enumerate(parts, 1)]


def _approach(lane: dict[str, Any]) -> int:
    number: int = lane.get("ingressApproach", lane.get("egressApproach", 0))
    return number


def _part(value: dict[str, Any], lanes: list[dict[str, Any]], number: int) -> dict[str, Any]:
    geometry = {**value["intersections"][0], "laneSet": lanes}
    return {**value, "layerID": min(number, MOST_LAYERS), "intersections": [geometry]}


def _size(value: dict[str, Any]) -> int:
    return len(codec.encode(value, "MapData"))
