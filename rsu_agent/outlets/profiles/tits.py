"""T/ITS 0117 (RSU and centre) and T/ITS 0180.1 (roadside and cloud) as JSON (facts/uplink 7.1, 7.2)."""

from __future__ import annotations

from rsu_agent.outlets.profiles.told import (
    RADIUS_DM,
    Body,
    Record,
    Teller,
    Told,
    intersections,
    iso_ms,
    participants,
    percent,
    point,
    rsms,
)

PRIORITY = 5  # of 0..7, as on air
TRAFFIC = ("flow", "move", "queue", "walk")


def tits0117(record: Record, teller: Teller) -> Told:
    """Messages named with dots; the body's shape is that of the draft of 2020."""
    found = _messages(record, teller)
    return [(f"V2X.RSU.{name}.UP", body) for name, body in found]


def tits0180(record: Record, teller: Teller) -> Told:
    """As an RSU (rsu/...) and as a roadside computing unit (rscu/...), with the bodies of T/ITS 0117."""
    names = {
        "BaseINFO": "basic-status",
        "RunningInfo": "run-status",
        "RSI": "rsi",
        "RSM": "rsm",
        "SPAT": "spat",
    }
    told = [
        (f"rsu/{teller.rsu_id}/{names[name]}/up", body)
        for name, body in _messages(record, teller)
        if name in names
    ]
    stamp = {"timeStamp": iso_ms(record["t"])} if "t" in record else {}
    root = f"rscu/{teller.rsu_id}"
    match record["k"]:
        case "base":
            told.append((f"rsu/{teller.rsu_id}/versions/up", {"software": record["ver"], **stamp}))
        case "objs":
            told.append((f"{root}/participant/up", {**stamp, "participants": participants(record)}))
        case "spat":
            told.append((f"{root}/lamp/up", {**stamp, "intersections": intersections(record)}))
        case "event" if record["h"] in teller.codes:
            told.append((f"{root}/event/up", {**stamp, **_rsi(record, teller)["rsi"]}))
        case kind if kind in TRAFFIC:
            told.append((f"{root}/traffic/up", {**stamp, "type": kind, "data": _traffic(record)}))
    return told


def _messages(record: Record, teller: Teller) -> list[tuple[str, Body]]:
    """(name, body) of T/ITS 0117."""
    match record["k"]:
        case "hb":
            return [("HB", {"rsuId": teller.rsu_id, "timeStamp": iso_ms(record["t"])})]
        case "base":
            return [("BaseINFO", {**_who(teller), "softwareVersion": record["ver"], "os": record["os"]})]
        case "run":
            load = {name: percent(record[name]) for name in ("cpu", "mem", "disk")}
            return [("RunningInfo", {"rsuId": teller.rsu_id, "timeStamp": iso_ms(record["t"]), **load})]
        case "event" if record["h"] in teller.codes:
            return [("RSI", _rsi(record, teller))]
        case "objs":
            return [("RSM", {"rsms": rsms(record, teller)})]
        case "spat":
            return [("SPAT", {"name": teller.name, "intersections": intersections(record)})]
    return []


def _who(teller: Teller) -> Body:
    place = point(teller.lat_deg, teller.lon_deg)
    return {"rsuId": teller.rsu_id, "rsuEsn": teller.esn, "rsuName": teller.name, "location": place}


def _rsi(record: Record, teller: Teller) -> Body:
    over = record["s"] == "off"
    rsi = {
        "alertID": record["i"],
        "duration": 0,
        "eventStatus": not over,
        "timeStamp": iso_ms(record["te"] if over else record["t"]),
        "eventClass": "traffic",
        "eventType": teller.codes[record["h"]],
        "eventSource": "detection",
        "eventPosition": [point(record["lat"], record["lon"])],
        "eventRadius": RADIUS_DM,
        "eventDescription": record["ev"],
        "eventPriority": PRIORITY,
    }
    return {"rsi": rsi, "rsiSourceType": "rsu", "rsiSourceId": teller.rsu_id}


NAMES = {
    "ln": "lane",
    "cw": "crosswalk",
    "to": "turn",
    "d": "watchedSeconds",
    "w": "watchedSeconds",
    "v": "meanSpeed",
    "o": "occupancy",
    "h": "meanHeadway",
    "hm": "leastHeadway",
    "dl": "meanDelay",
    "dn": "delayCount",
    "st": "meanStops",
    "ss": "stoppedShare",
    "mv": "turns",
    "rt": "rights",
    "m": "queueLength",
    "gn": "queueCountAtGreen",
    "gm": "queueLengthAtGreen",
}


def _traffic(record: Record) -> Body:
    """Counts and figures under names that say what they are; the standard's own table was not to be had."""
    count = "queueCount" if record["k"] == "queue" else "counts"
    named = {
        ("intervalSeconds" if record["k"] == "queue" and key == "d" else NAMES.get(key)): value
        for key, value in record.items()
    }
    named.pop(None, None)
    return {str(name): value for name, value in named.items()} | {count: record["n"]}
