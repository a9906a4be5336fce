"""Live road users and events from the frames that went on air: RSM, RSI, DENM. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rsu_agent.messages.csae53.rsm import CLASSES
from rsu_agent.world.road_user import UserClass

MINUTE_MS = 60_000
NO_SPEED, NO_HEADING = 8191, 28_800
CLASS_OF = {number: str(kind) for kind, number in CLASSES.items()}
EVENTS_HOLD_US = 2_500_000  # they are said once a second

Body = dict[str, Any]
Value = dict[str, Any]


def objects_body(parts: Iterable[Value], utc_us: int, hold_us: int) -> Body | None:
    """One cycle of RSM, all of its parts. utc_us: now; the states' own instant is in them. None: no part."""
    values = list(parts)
    if not values:
        return None
    at_us = _minute_mark(values[0]["participants"][0]["secMark"], utc_us)
    objects = [
        _user(participant, value["refPos"])
        for value in values
        for participant in value["participants"]
        if participant["ptcType"] != "rsu"
    ]
    return {"k": "objs", "t": at_us, "u": at_us + hold_us, "ob": objects}


def events_body(messages: Iterable[tuple[str, Value]], utc_us: int) -> Body | None:
    """One round of RSI or DENM. None: nothing lasts that is said."""
    events = [event for name, value in messages for event in _events(name, value)]
    if not events:
        return None
    return {"k": "event_live", "t": utc_us, "u": utc_us + EVENTS_HOLD_US, "ev": events}


def _events(name: str, value: Value) -> Iterator[Body]:
    if name == "RSI":
        for event in value.get("rtes", []):
            lat, lon = _placed(event["eventPos"]["offsetLL"], value["refPos"])
            radius = event.get("eventRadius")
            head = {"i": event["rteId"], "y": event["eventType"], "lat": lat, "lon": lon}
            yield head | {"r": None if radius is None else radius / 10, "s": "on"}
    elif name == "DENM":
        management = value["denm"]["management"]
        place, over = management["eventPosition"], "termination" in management
        cause = value["denm"].get("situation", {}).get("eventType", {}).get("causeCode", 0)
        yield {
            "i": management["actionID"]["sequenceNumber"],
            "y": cause,
            "lat": place["latitude"] / 1e7,
            "lon": place["longitude"] / 1e7,
            "r": None,
            "s": "off" if over else "on",
        }


def _user(participant: Value, reference: Value) -> Body:
    lat, lon = _placed(participant["pos"]["offsetLL"], reference)
    speed, heading, size = participant["speed"], participant["heading"], participant["size"]
    number = participant.get("vehicleClass", {}).get("classification", 0)
    return {
        "i": participant["ptcId"],
        "c": CLASS_OF.get(number, str(UserClass.UNKNOWN)),
        "lat": lat,
        "lon": lon,
        "v": None if speed == NO_SPEED else round(speed * 0.02, 2),
        "hd": None if heading == NO_HEADING else round(heading * 0.0125, 2),
        "ln": size["length"] / 100 or None,
        "wd": size["width"] / 100 or None,
        "src": participant["source"],
    }


def _placed(offset: tuple[str, Value], reference: Value) -> tuple[float, float]:
    """Latitude and longitude in degrees."""
    name, by = offset
    absolute = name == "position-LatLon"
    lat = by["lat"] + (0 if absolute else reference["lat"])
    lon = by["lon"] + (0 if absolute else reference["long"])
    return lat / 1e7, lon / 1e7


def _minute_mark(mark_ms: int, utc_us: int) -> int:
    """The instant nearest to now whose millisecond of the minute this is (UTC us)."""
    now_ms = utc_us // 1000
    ahead = (mark_ms - now_ms) % MINUTE_MS
    return (now_ms + (ahead - MINUTE_MS if ahead > MINUTE_MS // 2 else ahead)) * 1000
