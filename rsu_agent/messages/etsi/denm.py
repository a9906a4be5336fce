"""DENM of EN 302 637-3 from a hazard: what happened, where, and that it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rsu_agent.messages.etsi.pdu import header
from rsu_agent.wire.its_time import its_ms
from rsu_agent.world.hazard import Hazard, HazardKind
from rsu_agent.world.place import GeoPoint, LocalFrame

ROADSIDE_UNIT = 15
VALID_S = 30  # of each message while the hazard lasts; the last one cancels, a lost one is forgotten soon
AXIS_UNAVAILABLE, ORIENTATION_UNAVAILABLE = 4095, 3601
ALTITUDE_UNAVAILABLE = 800_001
HEADING_CLASS = 100  # 0.1 degree: 10 degrees, what a track's heading is good for
QUALITY = 3  # informationQuality of a hazard that one rule held over several pictures; 0 lowest, 7 highest


@dataclass(frozen=True, slots=True)
class Cause:
    """causeCode and subCauseCode, and how sure their meaning is: verified, read or recalled."""

    code: int
    sub_code: int
    certainty: str


CAUSES: dict[HazardKind, Cause] = {
    HazardKind.WRONG_WAY: Cause(14, 2, "read"),  # wrongWayDriving: wrongDirection
    HazardKind.STOPPED_VEHICLE: Cause(94, 0, "read"),  # stationaryVehicle
    HazardKind.RED_LIGHT_RUNNING: Cause(98, 2, "read"),  # signalViolation: trafficLightViolation
    HazardKind.PEDESTRIAN_ON_RED: Cause(12, 0, "read"),  # humanPresenceOnTheRoad
}


def denm_value(
    hazard: Hazard, station: int, origin: GeoPoint, detected_utc_s: float, utc_s: float, *, over: bool = False
) -> dict[str, Any]:
    """One DENM. detected_utc_s: the onset; utc_s: the instant of this message. over: it cancels the event.

    The hazard's number is the action's sequence number: an update and the end name the same event.
    """
    place = LocalFrame(origin).to_geo(hazard.x_east_m, hazard.y_north_m)
    cause = CAUSES[hazard.kind]
    management: dict[str, Any] = {
        "actionID": {"originatingStationID": station, "sequenceNumber": hazard.number % 65_536},
        "detectionTime": its_ms(detected_utc_s),
        "referenceTime": its_ms(utc_s),
    }
    if over:
        management["termination"] = "isCancellation"
    management |= {
        "eventPosition": reference_position(place),
        "validityDuration": VALID_S,
        "stationType": ROADSIDE_UNIT,
    }
    message: dict[str, Any] = {"management": management}
    if not over:
        message["situation"] = {
            "informationQuality": QUALITY,
            "eventType": {"causeCode": cause.code, "subCauseCode": cause.sub_code},
        }
        message["location"] = _location(hazard)
    return {"header": header("DENM", station), "denm": message}


def reference_position(place: GeoPoint) -> dict[str, Any]:
    """ReferencePosition without an ellipse: how good it is goes into no field that receivers agree on."""
    height = place.height_m
    return {
        "latitude": round(place.lat_deg * 1e7),
        "longitude": round(place.lon_deg * 1e7),
        "positionConfidenceEllipse": {
            "semiMajorConfidence": AXIS_UNAVAILABLE,
            "semiMinorConfidence": AXIS_UNAVAILABLE,
            "semiMajorOrientation": ORIENTATION_UNAVAILABLE,
        },
        "altitude": {
            "altitudeValue": ALTITUDE_UNAVAILABLE if height is None else round(height * 100),
            "altitudeConfidence": "unavailable",
        },
    }


def _location(hazard: Hazard) -> dict[str, Any]:
    """The direction of the event, and the one trace that must be there: we know no way that leads to it."""
    value: dict[str, Any] = {}
    if hazard.heading_deg is not None:
        tenths = round(hazard.heading_deg % 360.0 * 10) % 3600
        value["eventPositionHeading"] = {"headingValue": tenths, "headingConfidence": HEADING_CLASS}
    return value | {"traces": [[]]}
