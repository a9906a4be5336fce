"""What a vehicle says of itself by radio (BSM, CAM)."""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import UserClass


@dataclass(frozen=True, slots=True)
class HeardVehicle:
    """One message's content; what it leaves open or calls unavailable is None.

    id: the sender's own (pseudonym), as hexadecimal digits. at_utc_s: the instant the position is for.
    heading_deg: of the body, clockwise from north. verified: the radio reports its signature as good; without
    that it is no witness (field-rules 5.7).
    """

    id: str
    kind: UserClass
    at_utc_s: float
    place: GeoPoint
    speed_mps: float | None
    heading_deg: float | None
    length_m: float | None
    width_m: float | None
    acceleration_mps2: float | None = None
    position_sd_m: float | None = None
    verified: bool = False
