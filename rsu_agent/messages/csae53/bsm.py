"""BSM of T/CSAE 53-2020 in: what a vehicle says of itself, its wire units and unavailable codes gone."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.csae53.units import HEADING_UNAVAILABLE, POSITION_CLASSES
from rsu_agent.messages.fields import SPEED_UNAVAILABLE
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import UserClass

MINUTE_S = 60.0
LAT_UNAVAILABLE, LON_UNAVAILABLE, HEIGHT_UNKNOWN = 900_000_001, 1_800_000_001, -4096
ACCELERATION_UNAVAILABLE = 2001
LONGEST_MARK_MS = 60_999  # DSecond: above 59,999 within a leap second, 65,535 unavailable
SD_OF_CLASS = {name: limit for limit, name in POSITION_CLASSES}
# BasicVehicleClass: the first number of each range of classes -> what it is (facts/csae53, VehClass)
CLASSES: tuple[tuple[int, UserClass], ...] = (
    (0, UserClass.UNKNOWN),
    (1, UserClass.CAR),  # special vehicles
    (10, UserClass.CAR),
    (20, UserClass.TRUCK),
    (40, UserClass.MOTORCYCLE),
    (47, UserClass.TRICYCLE),
    (48, UserClass.MOTORCYCLE),
    (50, UserClass.BUS),
    (60, UserClass.CAR),  # emergency vehicles, some of them larger
    (80, UserClass.UNKNOWN),
    (82, UserClass.PEDESTRIAN),
    (85, UserClass.BICYCLE),
    (86, UserClass.PEDESTRIAN),
    (90, UserClass.UNKNOWN),
)


def heard(value: dict[str, Any], received_utc_s: float, *, verified: bool) -> HeardVehicle | None:
    """What a BSM says; None without a position. received_utc_s: tells which minute its secMark is of."""
    pos = value["pos"]
    if pos["lat"] == LAT_UNAVAILABLE or pos["long"] == LON_UNAVAILABLE:
        return None
    height = pos.get("elevation", HEIGHT_UNKNOWN)
    place = GeoPoint(pos["lat"] / 1e7, pos["long"] / 1e7, None if height == HEIGHT_UNKNOWN else height / 10)
    heading, accelerates = value["heading"], value["accelSet"]["long"]
    return HeardVehicle(
        id=value["id"].hex(),
        kind=class_of(value["vehicleClass"]["classification"]),
        at_utc_s=instant(value["secMark"], received_utc_s),
        place=place,
        speed_mps=None if value["speed"] == SPEED_UNAVAILABLE else value["speed"] * 0.02,
        heading_deg=None if heading == HEADING_UNAVAILABLE else heading * 0.0125,
        length_m=value["size"]["length"] / 100 or None,
        width_m=value["size"]["width"] / 100 or None,
        acceleration_mps2=None if accelerates == ACCELERATION_UNAVAILABLE else accelerates / 100,
        position_sd_m=SD_OF_CLASS.get(value.get("posConfidence", {}).get("pos", "unavailable")),
        verified=verified,
    )


def class_of(number: int) -> UserClass:
    """The kind of road user of a BasicVehicleClass."""
    return next(kind for first, kind in reversed(CLASSES) if number >= first)


def instant(sec_mark: int, received_utc_s: float) -> float:
    """The instant of a secMark nearest to when it was received; that itself when the mark is unavailable."""
    if sec_mark > LONGEST_MARK_MS:
        return received_utc_s
    minute_s = received_utc_s - received_utc_s % MINUTE_S
    marks = [minute_s + shift + sec_mark / 1000 for shift in (-MINUTE_S, 0.0, MINUTE_S)]
    return min(marks, key=lambda at_s: abs(at_s - received_utc_s))
