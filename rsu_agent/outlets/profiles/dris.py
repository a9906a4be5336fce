"""Huawei DRIS: topics, RSI and login (facts/uplink 7.3); bodies of RSM and SPAT are those of T/CSAE 53."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime

from rsu_agent.outlets.profiles.told import (
    EVENT_SOURCE,
    RADIUS_DM,
    Body,
    Record,
    Teller,
    Told,
    intersections,
    minute_of_year,
    point,
    rsms,
)

LONGEST_SEQ = 32  # characters of seqNum


def dris(record: Record, teller: Teller) -> Told:
    """Nothing for a kind that the platform has no place for."""
    root = f"v2x/v1/rsu/{teller.esn}"
    match record["k"]:
        case "event" if record["s"] == "on" and record["h"] in teller.codes:
            return [(f"{root}/rsi/up", _rsi(record, teller))]
        case "objs":
            body: Body = {"timeStamp": minute_of_year(record["t"]), "rsms": rsms(record, teller)}
            return [(f"{root}/rsm/up", body)]
        case "spat":
            body = {"timeStamp": minute_of_year(record["t"]), "intersections": intersections(record)}
            return [(f"{root}/spat/up", body)]
    return []


def _rsi(record: Record, teller: Teller) -> Body:
    event = {
        "rteId": 1,
        "eventType": teller.codes[record["h"]],
        "eventSource": EVENT_SOURCE,
        "eventPos": point(record["lat"], record["lon"]),
        "eventRadius": RADIUS_DM,
        "timeDetails": {"startTime": minute_of_year(record["t"])},
        "description": record["ev"],
    }
    data = {
        "id": record["i"],
        "refPos": point(teller.lat_deg, teller.lon_deg),
        "timeStamp": minute_of_year(record["t"]),
        "rtes": [event],
    }
    return {
        "rsiSourceId": teller.rsu_id,
        "ack": True,
        "seqNum": record["i"][:LONGEST_SEQ],
        "rsiDatas": [data],
    }


def dris_login(esn: str, secret: str, utc_s: float) -> tuple[str, str, str]:
    """(client identifier, user name, password) of MQTT for this hour; type 0: the hour is not verified."""
    hour = datetime.fromtimestamp(utc_s, UTC).strftime("%Y%m%d%H")
    password = hmac.new(hour.encode(), secret.encode(), hashlib.sha256).hexdigest()
    return f"{esn}_0_0_{hour}", esn, password
