"""RSI of T/CSAE 53-2020: what lasts on the road. Times are whole minutes and there is no cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rsu_agent.messages.csae53.units import offset
from rsu_agent.messages.fields import position
from rsu_agent.messages.moment import UtcStamp
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.place import GeoPoint, LocalFrame

MINUTES_AHEAD = 1  # endTime is at least the next minute (field-rules 5.3)
RADIUS_M = 5.0
PRIORITY = bytes([0xA0])  # level 5 of 0..7 in the top three bits
MOST_EVENTS = 8
DESCRIPTIONS = {"wrong_way": "车辆逆行", "stopped_vehicle": "车辆停驶", "pedestrian_on_red": "行人闯红灯"}


def rsi_value(
    hazards: Sequence[Hazard],
    codes: Mapping[str, int],
    origin: GeoPoint,
    rsu_id: bytes,
    stamp: UtcStamp,
    count: int,
) -> dict[str, Any] | None:
    """One RSI with the hazards that have a code; None when none has."""
    told = [hazard for hazard in hazards if hazard.kind in codes][:MOST_EVENTS]
    if not told:
        return None
    return {
        "msgCnt": count,
        "moy": stamp.minute_of_year,
        "id": rsu_id,
        "refPos": position(origin),
        "rtes": [_event(hazard, codes[hazard.kind], origin, stamp) for hazard in told],
    }


def _event(hazard: Hazard, code: int, origin: GeoPoint, stamp: UtcStamp) -> dict[str, Any]:
    place = LocalFrame(origin).to_geo(hazard.x_east_m, hazard.y_north_m)
    value: dict[str, Any] = {
        "rteId": hazard.number % 256,
        "eventType": code,
        "eventSource": "detection",
        "eventPos": offset(origin, place),
        "eventRadius": round(RADIUS_M * 10),
    }
    if words := DESCRIPTIONS.get(hazard.kind):
        value["description"] = ("textGB2312", words.encode("gb2312"))
    value["timeDetails"] = {
        "startTime": stamp.minute_of_year,
        "endTime": stamp.minute_after(MINUTES_AHEAD),
        "endTimeConfidence": "unavailable",
    }
    value["priority"] = PRIORITY
    return value
