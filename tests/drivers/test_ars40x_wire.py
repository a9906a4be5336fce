"""ARS40x layouts against the worked frames of facts/radars 2.2 and against a second decoder."""

from __future__ import annotations

from typing import Any

import pytest
from ars40x_peer import BYTES, SIGNALS, decode, encode
from hypothesis import given
from hypothesis import strategies as st

from drivers.ars40x.codes import EXISTS, SD, STEP_SD_M, sd_m
from drivers.ars40x.wire import HEARD, TOLD, Configuration, Speed, YawRate, joined, split
from rsu_agent.wire.rows import TooShort

# our names of the facts' signals, in the order of the rows' fields
NAMES: dict[int, dict[str, str]] = {
    0x201: {
        "nvm_write": "NVMwrite", "nvm_read": "NVMread", "max_distance_m": "MaxDistance",
        "persistent_error": "PersistentErr", "interference": "Interference", "temperature_error": "TempErr",
        "temporary_error": "TemporaryErr", "voltage_error": "VoltageErr", "power": "RadarPower",
        "sort": "SortIndex", "sensor": "SensorID", "motion": "MotionRxState", "send_extended": "SendExtInfo",
        "send_quality": "SendQuality", "output": "OutputType", "relay": "CtrlRelay",
        "rcs_threshold": "RCS_Threshold",
    },
    0x700: {
        "major": "Major", "minor": "Minor", "patch": "Patch", "country_code": "CountryCode",
        "extended_range": "ExtendedRange",
    },
    0x60A: {"count": "NofObjects", "cycle": "MeasCounter", "interface_version": "InterfaceVersion"},
    0x60B: {
        "number": "ID", "forward_m": "DistLong", "side_m": "DistLat", "forward_mps": "VrelLong",
        "side_mps": "VrelLat", "movement": "DynProp", "rcs_db": "RCS",
    },
    0x60C: {
        "number": "ID", "forward_sd": "DistLong_rms", "side_sd": "DistLat_rms",
        "forward_speed_sd": "VrelLong_rms", "side_speed_sd": "VrelLat_rms",
        "forward_acceleration_sd": "ArelLong_rms", "side_acceleration_sd": "ArelLat_rms",
        "orientation_sd": "Orient_rms", "exists": "ProbOfExist", "measured": "MeasState",
    },
    0x60D: {
        "number": "ID", "forward_mps2": "ArelLong", "side_mps2": "ArelLat", "kind": "Class",
        "orientation_deg": "OrientationAngle", "length_m": "Length", "width_m": "Width",
    },
    0x600: {"near": "Near", "far": "Far", "cycle": "MeasCounter", "interface_version": "IfVersion"},
    0x701: {
        "number": "ID", "forward_m": "DistLong", "side_m": "DistLat", "forward_mps": "VrelLong",
        "side_mps": "VrelLat", "movement": "DynProp", "rcs_db": "RCS",
    },
    0x702: {
        "number": "ID", "forward_sd": "DistLong_rms", "side_sd": "DistLat_rms",
        "forward_speed_sd": "VrelLong_rms", "side_speed_sd": "VrelLat_rms", "false_alarm": "PdH0",
        "invalid": "InvalidState", "ambiguity": "AmbigState",
    },
    0x200: {
        "set_store": "NVM_valid", "set_sort": "Sort_valid", "set_extended": "ExtInfo_valid",
        "set_quality": "Quality_valid", "set_output": "OutputType_valid", "set_power": "Power_valid",
        "set_max_distance_m": "MaxDist_valid", "max_distance_m": "MaxDistance", "power": "RadarPower",
        "output": "OutputType", "store": "StoreInNVM", "sort": "SortIndex", "extended": "SendExtInfo",
        "quality": "SendQuality", "rcs_threshold": "RCS_Thr", "set_rcs_threshold": "RCS_Thr_valid",
    },
    0x300: {"direction": "Direction", "speed_mps": "Speed"},
    0x301: {"yaw_degps": "YawRate"},
}  # fmt: skip
LAYOUTS = {**HEARD, **TOLD}
NANORADAR_ONLY = {"baud_code", "calibration", "bits_6_43"}
NEVER_SET = {"SensorID", "SensorID_valid", "CtrlRelay", "CtrlRelay_valid"}


def fields(row: object) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}  # type: ignore[attr-defined]


def test_every_message_of_the_facts_is_laid_out_as_long_as_there_and_with_every_signal() -> None:
    assert {message: layout.size for message, layout in LAYOUTS.items()} == BYTES
    for message, names in NAMES.items():
        row = LAYOUTS[message].read(bytes(BYTES[message]))
        assert set(fields(row)) - NANORADAR_ONLY == set(names)
        missing = set(SIGNALS[message]) - set(names.values())
        assert missing == (NEVER_SET if message == 0x200 else set())


@pytest.mark.parametrize("message", sorted(NAMES))
@given(data=st.binary(min_size=8, max_size=8))
def test_any_bytes_mean_the_same_by_shifts_and_by_a_walk_along_the_bits(message: int, data: bytes) -> None:
    row = LAYOUTS[message].read(data)
    other = decode(message, data)
    for name, signal in NAMES[message].items():
        assert float(getattr(row, name)) == pytest.approx(other[signal], abs=1e-9), name


@pytest.mark.parametrize("message", sorted(NAMES))
@given(data=st.binary(min_size=8, max_size=8))
def test_what_was_read_is_written_back_bit_by_bit(message: int, data: bytes) -> None:
    row = LAYOUTS[message].read(data)
    written = LAYOUTS[message].write(row)
    assert LAYOUTS[message].read(written) == row
    assert decode(message, written).items() >= {
        (signal, value)
        for signal, value in decode(message, data).items()
        if signal in NAMES[message].values()
    }


@given(data=st.binary(min_size=8, max_size=8))
def test_an_object_means_the_same_by_the_shift_form_of_the_facts(data: bytes) -> None:
    d = data
    row = HEARD[0x60B].read(data)
    assert row.number == d[0]
    assert row.forward_m == pytest.approx(((d[1] << 5) | (d[2] >> 3)) * 0.2 - 500)
    assert row.side_m == pytest.approx((((d[2] & 7) << 8) | d[3]) * 0.2 - 204.6)
    assert row.forward_mps == ((d[4] << 2) | (d[5] >> 6)) * 0.25 - 128
    assert row.side_mps == (((d[5] & 0x3F) << 3) | (d[6] >> 5)) * 0.25 - 64
    assert (row.movement, row.bits_6_43, row.rcs_db) == (d[6] & 7, d[6] >> 3 & 3, d[7] * 0.5 - 64)


# the worked examples of facts/radars 2.2
def test_the_worked_status_announces_two_objects_in_cycle_1000() -> None:
    status = HEARD[0x60A].read(bytes.fromhex("0203E810"))
    assert (status.count, status.cycle, status.interface_version) == (2, 1000, 1)


def test_the_worked_object_is_where_the_facts_put_it() -> None:
    row = HEARD[0x60B].read(bytes.fromhex("0754C3ED77A02294"))
    assert (row.number, row.movement, row.rcs_db) == (7, 2, 10.0)
    assert (row.forward_m, row.side_m) == pytest.approx((42.4, -3.6))
    assert (row.forward_mps, row.side_mps) == (-8.5, 0.25)


def test_the_worked_quality_has_the_codes_of_the_facts() -> None:
    row = HEARD[0x60C].read(bytes.fromhex("0773DB0A5240A8"))
    codes = row.forward_sd, row.side_sd, row.forward_speed_sd, row.side_speed_sd
    assert (row.number, *codes) == (7, 14, 15, 13, 16)
    assert (row.forward_acceleration_sd, row.side_acceleration_sd, row.orientation_sd) == (20, 20, 18)
    assert (row.exists, row.measured) == (5, 2)


def test_the_worked_extension_is_a_car_of_4_6_by_1_8_metres() -> None:
    row = HEARD[0x60D].read(bytes.fromhex("076E104169001709"))
    assert (row.number, row.kind) == (7, 1)
    assert (row.forward_mps2, row.side_mps2) == pytest.approx((-1.2, 0.1))
    assert (row.orientation_deg, row.length_m, row.width_m) == pytest.approx((-12.0, 4.6, 1.8))


def test_the_worked_configurations_are_written_as_the_facts_have_them() -> None:
    usual = {"set_sort": True, "set_extended": True, "set_quality": True, "set_output": True}
    usual |= {"output": 1, "sort": 1, "extended": True, "quality": True}
    stored = Configuration(**usual, set_store=True, store=True)
    assert TOLD[0x200].write(stored) == bytes.fromhex("F8000000089C0000")
    far = Configuration(**usual, set_max_distance_m=True, max_distance_m=200.0)
    assert TOLD[0x200].write(far) == bytes.fromhex("79190000081C0000")


def test_a_radar_that_stands_is_told_zero_speed_and_zero_yaw_rate() -> None:
    assert TOLD[0x300].write(Speed()) == b"\x00\x00"
    assert TOLD[0x301].write(YawRate()) == b"\x80\x00"


def test_the_places_that_nanoradar_counts_from_the_lowest_bit_are_those_counted_from_the_highest() -> None:
    # facts 2.5: baud 53|3, calibration 62|2, RCS threshold 58|3, all from the lowest bit of byte 6 or 7
    row = HEARD[0x201].read(bytes([0] * 6 + [0b101 << 5, 0b10 << 6 | 0b110 << 2]))
    assert (row.baud_code, row.calibration, row.rcs_threshold) == (0b101, 0b10, 0b110)


@pytest.mark.parametrize("message", sorted(NAMES))
def test_a_message_that_is_too_short_is_refused_and_bytes_behind_it_are_not_looked_at(message: int) -> None:
    layout = LAYOUTS[message]
    with pytest.raises(TooShort, match="bytes, has"):
        layout.read(bytes(layout.size - 1))
    assert layout.read(bytes(layout.size) + b"\xff") == layout.read(bytes(layout.size))


@pytest.mark.parametrize("speed_mps", [-0.1, 0.02 * (1 << 13)])
def test_a_value_that_does_not_fit_its_bits_is_never_cut(speed_mps: float) -> None:
    with pytest.raises(ValueError, match=r"Speed.speed_mps: .* does not fit 13 bits"):
        TOLD[0x300].write(Speed(1, speed_mps))


@pytest.mark.parametrize(
    ("frame_id", "message", "sensor"),
    [(0x60B, 0x60B, 0), (0x67B, 0x60B, 7), (0x271, 0x201, 7), (0x770, 0x700, 7), (0x200, 0x200, 0)],
)
def test_an_identifier_is_a_message_and_a_sensor(frame_id: int, message: int, sensor: int) -> None:
    assert split(frame_id) == (message, sensor)
    assert joined(message, sensor) == frame_id


def test_identifiers_of_others_with_bit_7_set_are_no_messages_of_a_radar() -> None:
    assert split(0x68B)[0] not in HEARD
    assert split(0x281)[0] not in HEARD


def test_codes_of_deviation_grow_and_31_is_none() -> None:
    told = [sd_m(code) for code in range(31)]
    assert told == sorted(told)  # type: ignore[type-var]
    assert (SD[0], SD[14], SD[30]) == (0.005, 0.174, 10.0)
    assert told[0] == pytest.approx(STEP_SD_M, rel=0.01)
    assert sd_m(31) is None
    assert sd_m(None) is None


def test_a_probability_lies_between_the_bounds_of_its_code() -> None:
    bounds = (0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1.0)
    for code in range(1, 8):
        assert bounds[code - 1] < EXISTS[code] < bounds[code]
    assert 0 not in EXISTS


def test_the_peers_encoder_is_the_reverse_of_its_decoder() -> None:
    assert encode(0x60B, decode(0x60B, bytes.fromhex("0754C3ED77A02294"))) == bytes.fromhex(
        "0754C3ED77A02294"
    )
