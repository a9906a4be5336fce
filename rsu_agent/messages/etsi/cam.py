"""CAM of EN 302 637-2 in: what a vehicle says of itself, its wire units and unavailable codes gone."""

from __future__ import annotations

from typing import Any

from rsu_agent.wire.its_time import its_ms
from rsu_agent.world.heard import HeardVehicle
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import UserClass

LAT_UNAVAILABLE, LON_UNAVAILABLE, ALTITUDE_UNAVAILABLE = 900_000_001, 1_800_000_001, 800_001
HEADING_UNAVAILABLE, SPEED_UNAVAILABLE = 3601, 16_383
LENGTH_UNAVAILABLE, WIDTH_UNAVAILABLE, ACCELERATION_UNAVAILABLE = 1023, 62, 161
AXIS_UNAVAILABLE = 4095
DELTA_MS = 65_536  # generationDeltaTime: TimestampIts modulo this
TYPES: dict[int, UserClass] = {  # StationType
    1: UserClass.PEDESTRIAN,
    2: UserClass.BICYCLE,
    3: UserClass.MOTORCYCLE,  # moped
    4: UserClass.MOTORCYCLE,
    5: UserClass.CAR,
    6: UserClass.BUS,
    7: UserClass.TRUCK,
    8: UserClass.TRUCK,
    10: UserClass.CAR,  # special vehicles
}


def heard(value: dict[str, Any], received_utc_s: float, *, verified: bool) -> HeardVehicle | None:
    """What a CAM says; None without a position, and of another roadside unit."""
    cam = value["cam"]
    basic = cam["camParameters"]["basicContainer"]
    position = basic["referencePosition"]
    kind, container = cam["camParameters"]["highFrequencyContainer"]
    if kind != "basicVehicleContainerHighFrequency":
        return None
    if position["latitude"] == LAT_UNAVAILABLE or position["longitude"] == LON_UNAVAILABLE:
        return None
    altitude = position["altitude"]["altitudeValue"]
    return HeardVehicle(
        id=f"{value['header']['stationID']:08x}",
        kind=TYPES.get(basic["stationType"], UserClass.UNKNOWN),
        at_utc_s=instant(cam["generationDeltaTime"], received_utc_s),
        place=GeoPoint(
            position["latitude"] / 1e7,
            position["longitude"] / 1e7,
            None if altitude == ALTITUDE_UNAVAILABLE else altitude / 100,
        ),
        speed_mps=_known(container["speed"]["speedValue"], SPEED_UNAVAILABLE, 0.01),
        heading_deg=_known(container["heading"]["headingValue"], HEADING_UNAVAILABLE, 0.1),
        length_m=_known(container["vehicleLength"]["vehicleLengthValue"], LENGTH_UNAVAILABLE, 0.1),
        width_m=_known(container["vehicleWidth"], WIDTH_UNAVAILABLE, 0.1),
        acceleration_mps2=_known(
            container["longitudinalAcceleration"]["longitudinalAccelerationValue"],
            ACCELERATION_UNAVAILABLE,
            0.1,
        ),
        position_sd_m=_sd(position["positionConfidenceEllipse"]["semiMajorConfidence"]),
        verified=verified,
    )


def instant(delta_ms: int, received_utc_s: float) -> float:
    """The instant of a generationDeltaTime nearest to when it was received (it turns over in 65.536 s)."""
    late_ms = (its_ms(received_utc_s) - delta_ms) % DELTA_MS
    return received_utc_s - (late_ms if late_ms < DELTA_MS // 2 else late_ms - DELTA_MS) / 1000


def _known(number: int, unavailable: int, unit: float) -> float | None:
    return None if number == unavailable else number * unit


def _sd(semi_major_cm: int) -> float | None:
    """One standard deviation from the 95 % ellipse's larger half axis, which is 2.45 of them."""
    return None if semi_major_cm >= AXIS_UNAVAILABLE - 1 else semi_major_cm / 100 / 2.45
