"""BSM and CAM in: units, unavailable codes, and the instant that a mark which turns over is of."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.messages.csae53 import bsm
from rsu_agent.messages.csae53 import codec as csae53
from rsu_agent.messages.etsi import cam, pdu
from rsu_agent.wire.its_time import its_ms
from rsu_agent.world.road_user import UserClass
from tests.messages.differential import value_of

UTC_S = 1_790_000_030.0  # a whole minute and 50 s
BSM: dict[str, Any] = {
    "msgCnt": 5,
    "id": b"\x01\x02\x03\x04\x05\x06\x07\x08",
    "secMark": 49_900,
    "pos": {"lat": 226_900_100, "long": 1_143_400_200, "elevation": 455},
    "posConfidence": {"pos": "a50cm"},
    "transmission": "forwardGears",
    "speed": 500,
    "heading": 7200,
    "accelSet": {"long": -150, "lat": 0, "vert": 0, "yaw": 0},
    "brakes": {},
    "size": {"width": 180, "length": 460},
    "vehicleClass": {"classification": 10},
}
CAM: dict[str, Any] = {
    "header": {"protocolVersion": 2, "messageID": 2, "stationID": 0xABCDEF},
    "cam": {
        "generationDeltaTime": (its_ms(UTC_S) - 120) % 65_536,
        "camParameters": {
            "basicContainer": {
                "stationType": 5,
                "referencePosition": {
                    "latitude": 226_900_100,
                    "longitude": 1_143_400_200,
                    "positionConfidenceEllipse": {
                        "semiMajorConfidence": 98,
                        "semiMinorConfidence": 50,
                        "semiMajorOrientation": 0,
                    },
                    "altitude": {"altitudeValue": 4550, "altitudeConfidence": "unavailable"},
                },
            },
            "highFrequencyContainer": (
                "basicVehicleContainerHighFrequency",
                {
                    "heading": {"headingValue": 900, "headingConfidence": 10},
                    "speed": {"speedValue": 1000, "speedConfidence": 10},
                    "driveDirection": "forward",
                    "vehicleLength": {
                        "vehicleLengthValue": 46,
                        "vehicleLengthConfidenceIndication": "noTrailerPresent",
                    },
                    "vehicleWidth": 18,
                    "longitudinalAcceleration": {
                        "longitudinalAccelerationValue": -15,
                        "longitudinalAccelerationConfidence": 102,
                    },
                    "curvature": {"curvatureValue": 0, "curvatureConfidence": "unavailable"},
                    "curvatureCalculationMode": "unavailable",
                    "yawRate": {"yawRateValue": 0, "yawRateConfidence": "unavailable"},
                },
            ),
        },
    },
}


def over_the_air_bsm(**more: Any) -> dict[str, Any]:
    return csae53.decode(csae53.encode(("bsmFrame", {**BSM, **more})))[1]


def over_the_air_cam(value: dict[str, Any]) -> dict[str, Any]:
    return pdu.decode(pdu.encode(("CAM", value)))[1]


def test_a_bsm_and_a_cam_of_the_same_car_say_the_same() -> None:
    one = bsm.heard(over_the_air_bsm(), UTC_S, verified=True)
    other = cam.heard(over_the_air_cam(CAM), UTC_S, verified=True)
    assert one is not None
    assert other is not None
    assert (one.id, other.id) == ("0102030405060708", "00abcdef")
    assert (one.place.lat_deg, one.place.lon_deg, one.place.height_m) == pytest.approx(
        (22.69001, 114.34002, 45.5)
    )
    assert (other.place.lat_deg, other.place.lon_deg, other.place.height_m) == pytest.approx(
        (22.69001, 114.34002, 45.5)
    )
    for heard in (one, other):
        assert heard.kind is UserClass.CAR
        assert (heard.speed_mps, heard.heading_deg) == pytest.approx((10.0, 90.0))
        assert (heard.length_m, heard.width_m, heard.acceleration_mps2) == pytest.approx((4.6, 1.8, -1.5))
        assert heard.verified
    assert one.at_utc_s == pytest.approx(UTC_S - 0.1)
    assert other.at_utc_s == pytest.approx(UTC_S - 0.12)
    assert one.position_sd_m == 0.5
    assert other.position_sd_m == pytest.approx(0.4)


def test_what_a_bsm_calls_unavailable_is_none() -> None:
    heard = bsm.heard(
        over_the_air_bsm(
            secMark=65_535,
            speed=8191,
            heading=28_800,
            pos={"lat": 1, "long": 2},
            posConfidence={"pos": "unavailable"},
            accelSet={"long": 2001, "lat": 2001, "vert": -127, "yaw": 0},
            size={"width": 0, "length": 0},
        ),
        UTC_S,
        verified=False,
    )
    assert heard is not None
    assert (heard.speed_mps, heard.heading_deg, heard.place.height_m, heard.position_sd_m) == (None,) * 4
    assert (heard.length_m, heard.width_m, heard.acceleration_mps2) == (None,) * 3
    assert (heard.at_utc_s, heard.verified) == (UTC_S, False)
    nowhere = over_the_air_bsm(pos={"lat": 900_000_001, "long": 1_800_000_001})
    assert bsm.heard(nowhere, UTC_S, verified=True) is None


def test_what_a_cam_calls_unavailable_is_none_and_a_roadside_unit_is_no_vehicle() -> None:
    value = copy.deepcopy(CAM)
    parameters = value["cam"]["camParameters"]
    _, container = parameters["highFrequencyContainer"]
    container["speed"]["speedValue"] = 16_383
    container["heading"]["headingValue"] = 3601
    container["vehicleLength"]["vehicleLengthValue"] = 1023
    container["vehicleWidth"] = 62
    container["longitudinalAcceleration"]["longitudinalAccelerationValue"] = 161
    position = parameters["basicContainer"]["referencePosition"]
    position["altitude"]["altitudeValue"] = 800_001
    position["positionConfidenceEllipse"]["semiMajorConfidence"] = 4095
    heard = cam.heard(over_the_air_cam(value), UTC_S, verified=False)
    assert heard is not None
    assert (heard.speed_mps, heard.heading_deg, heard.length_m, heard.width_m) == (None,) * 4
    assert (heard.acceleration_mps2, heard.place.height_m, heard.position_sd_m) == (None,) * 3
    position["latitude"] = 900_000_001
    assert cam.heard(over_the_air_cam(value), UTC_S, verified=False) is None
    parameters["highFrequencyContainer"] = ("rsuContainerHighFrequency", {})
    position["latitude"] = 0
    assert cam.heard(over_the_air_cam(value), UTC_S, verified=False) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (0, UserClass.UNKNOWN),
        (10, UserClass.CAR),
        (21, UserClass.TRUCK),
        (35, UserClass.TRUCK),
        (47, UserClass.TRICYCLE),
        (48, UserClass.MOTORCYCLE),
        (54, UserClass.BUS),
        (66, UserClass.CAR),
        (82, UserClass.PEDESTRIAN),
        (85, UserClass.BICYCLE),
        (92, UserClass.UNKNOWN),
        (255, UserClass.UNKNOWN),
    ],
)
def test_a_class_number_is_the_kind_of_its_range(number: int, kind: UserClass) -> None:
    assert bsm.class_of(number) is kind


@given(st.integers(1_700_000_000_000, 1_900_000_000_000), st.integers(-29_000, 29_000))
def test_a_mark_is_of_the_minute_nearest_to_its_reception(sent_ms: int, late_ms: int) -> None:
    received_s = (sent_ms + late_ms) / 1000
    assert bsm.instant(sent_ms % 60_000, received_s) == pytest.approx(sent_ms / 1000, abs=1e-5)
    assert cam.instant(its_ms(sent_ms / 1000) % 65_536, received_s) == pytest.approx(sent_ms / 1000, abs=2e-3)


def test_any_bsm_and_any_cam_that_can_be_encoded_can_be_heard() -> None:
    dice = random.Random(7)
    for _ in range(300):
        _, (_, value) = value_of("csae53.bsm", dice)
        bsm.heard(value, UTC_S, verified=False)
        cam.heard(value_of("etsi.cam", dice)[1], UTC_S, verified=False)
