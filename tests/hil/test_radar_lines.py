"""Virtual radars with simple lines: by bytes worked out by hand and by the tests' own readers."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hil.devices.csr_front import CsrFront
from hil.devices.json_radar_front import JsonRadarFront
from hil.devices.ops243_front import Ops243Front
from hil.devices.radar_front import RadarFront
from hil.devices.radar_tracks import State, Track
from hil.devices.radar_zone import Pass
from hil.devices.rtms_front import RtmsFront, rtms_frame, stamp_of
from hil.devices.ss125_front import Ss125Front, crc8, date_of, event_body
from hil.devices.umrr_front import UmrrFront, crc16, packed, part
from tests.hil.radar_road import fitting, run, user

THURSDAY = 1_795_717_815.25  # 2026-11-26 18:30:15.250 UTC


def texts(front: RadarFront, seconds: float, *users: dict[str, Any]) -> list[str]:
    return [frame.decode() for _, frame in run(front, list(users), 0.0, seconds)]


# smartmicro UMRR-0C


def objects(frame: bytes, header: int = 5) -> dict[int, bytes]:
    """Messages of a frame by number, their data turned round again."""
    size = struct.unpack_from(">H", frame, 3)[0]
    assert frame[0] == 0x7E
    assert frame[2] == header
    assert len(frame) == header + size + 2
    at, found = header, {}
    while at < header + size:
        number, length = struct.unpack_from(">HB", frame, at)
        found[number] = frame[at + 3 : at + 3 + length][::-1]
        at += 3 + length
    return found


def test_an_object_by_hand() -> None:
    """1; 4.6 m: 23; 0 m/s: 1024; -10 m/s: 924; 0 m: 4096; 32 m: 4346; updated."""
    bits = "0000000100101111000000000001110011100100000000000010000111110101"
    track = Track(1, 5, user(0, 32), 32.0, 0.0, -10.0, 0.0, State.MEASURED)
    assert packed(track) == int(bits, 2).to_bytes(8, "big")
    track.state = State.PREDICTED
    assert packed(track)[-1] & 1 == 0


def test_data_goes_out_reversed() -> None:
    assert part(0x0502, b"\x01\x02\x03").hex() == "050203030201"


def test_the_assumed_check_is_that_of_a_known_example() -> None:
    """CRC-16 with 0x1021 from 0xFFFF over `123456789` is 0x29B1 (the usual check value)."""
    assert crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize("header", [5, 9])
def test_a_cycle_has_status_control_and_its_objects(header: int) -> None:
    front = UmrrFront(fitting(header=str(header)))
    gone = run(front, [user(-4, 30), user(5, 60, 0, -8, number=2)], 0.0, 5.0)
    assert [b - a for (a, _), (b, _) in pairwise(gone)] == pytest.approx([0.08] * 61, abs=0.003)
    parts = objects(gone[-1][1], header)
    uptime_ms = struct.unpack(">I", parts[0x0500][:4])[0]
    assert uptime_ms == pytest.approx(gone[-1][0] * 1000 - 50, abs=5)
    count, _, duration, messages, targets = struct.unpack(">IBBBB", parts[0x0501])
    assert (count, duration, messages, targets) == (len(gone), 80, 4, 2)
    word = int.from_bytes(parts[0x0502], "big")
    x, y = ((word >> 1) & 0x1FFF) - 4096, ((word >> 14) & 0x1FFF) - 4096
    assert (x * 0.128, y * 0.128) == pytest.approx((30 + 5 * 4.95, 4), abs=1.2)
    assert (((word >> 27) & 0x7FF) - 1024) * 0.1 == pytest.approx(5, abs=0.5)
    assert (word >> 49 & 0x7F) * 0.2 == pytest.approx(4.6)
    assert crc16(gone[-1][1][1:-2]) == struct.unpack(">H", gone[-1][1][-2:])[0]


# OmniPreSense OPS243


def test_by_itself_it_says_plain_numbers_inbound_positive() -> None:
    lines = texts(Ops243Front(fitting()), 5.0, user(0, 40, 0, -8))
    assert len(lines) > 40
    assert all(line.endswith("\r\n") for line in lines)
    assert sum(map(float, lines)) / len(lines) == pytest.approx(8, abs=0.3)


def test_an_empty_road_says_nothing_unless_blanks_are_asked_for() -> None:
    front = Ops243Front(fitting())
    assert not texts(front, 2.0)
    assert json.loads(front.hear(b"BZ", 2.0)[0])
    assert {frame for _, frame in run(front, [], 2.0, 3.0)} == {b"0\r\n"}


def test_json_has_direction_time_and_tick() -> None:
    front = Ops243Front(fitting())
    answers = front.hear(b"OJOT", 0.0)
    assert len(answers) == 2
    assert all(json.loads(answer) for answer in answers), "commands are echoed as lines of JSON"
    told = [json.loads(line) for line in texts(front, 3.0, user(0, 40, 0, 8))]
    assert {each["direction"] for each in told} == {"outbound"}
    assert all(each["speed"] == pytest.approx(8, abs=0.6) for each in told)
    assert {"time", "tick"} <= set(told[0])


def test_order_with_options_is_time_magnitude_speed() -> None:
    front = Ops243Front(fitting())
    front.hear(b"OT", 0.0)
    time_s, speed = texts(front, 1.0, user(0, 40, 0, -8))[-1].split(",")
    assert (float(time_s), float(speed)) == (pytest.approx(0.9, abs=0.11), pytest.approx(8, abs=0.6))
    front.hear(b"OM", 1.0)
    assert len(run(front, [user(0, 40, 0, -8)], 1.0, 1.2)[0][1].split(b",")) == 3


def test_its_clock_counts_from_power_on_until_it_is_told_the_time() -> None:
    front = Ops243Front(fitting(json="1"))
    front.hear(b"OT", 0.0)
    front.hear(b"C=1790000000\r\n", 1.0)
    assert json.loads(run(front, [user(0, 40)], 3.0, 3.2)[0][1])["time"] == 1_790_000_002
    front.reset()
    front.faults.obey("reset", True, 4.0)
    front.hear(b"OT", 4.0)
    assert json.loads(run(front, [user(0, 40)], 5.0, 5.2)[0][1])["time"] == 1


@pytest.mark.parametrize(("command", "factor"), [("UK", 3.6), ("US", 2.237), ("UC", 100.0), ("UF", 3.281)])
def test_units(command: str, factor: float) -> None:
    front = Ops243Front(fitting())
    front.hear(command.encode(), 0.0)
    values = [float(line) for line in texts(front, 5.0, user(0, 40, 0, -8))]
    assert sum(values) / len(values) == pytest.approx(8 * factor, rel=0.04)


def test_with_more_reports_values_are_lists_and_quoted_numbers_are_strings() -> None:
    front = Ops243Front(fitting(json="1"))
    front.hear(b"O3", 0.0)
    told = json.loads(texts(front, 1.0, user(-5, 20), user(5, 40, number=2))[-1])
    assert len(told["speed"]) == len(told["direction"]) == 2
    quoted = json.loads(texts(Ops243Front(fitting(json="1", quoted="1")), 1.0, user(0, 40))[-1])
    assert float(quoted["speed"]) == pytest.approx(5, abs=0.6)
    assert isinstance(quoted["speed"], str)


def test_information_is_several_lines_and_idle_says_nothing() -> None:
    front = Ops243Front(fitting())
    assert len(front.hear(b"??", 0.0)) >= 3
    front.hear(b"PI", 0.0)
    assert not texts(front, 1.0, user(0, 40))


@given(st.lists(st.binary(max_size=80), max_size=5))
@example([b"O\xb2"])  # a digit to Python, and no number
def test_rubbish_costs_an_ops243_no_command(chunks: list[bytes]) -> None:
    front = Ops243Front(fitting())
    for chunk in chunks:
        front.hear(chunk, 0.0)
    front.hear(b"=\r\n\r\n", 0.0)
    front.hear(b"\r\n", 0.0)
    assert any(b"OutputJson" in answer for answer in [*front.hear(b"OJ", 0.0), *front.hear(b"OJ", 0.0)])


# Hikvision CSR / Chuansu


def test_it_greets_and_then_says_a_byte_every_twenty_six_milliseconds() -> None:
    gone = run(CsrFront(fitting()), [], 0.0, 2.6)
    assert gone[0][1] == bytes.fromhex("FEFDFDFE")
    assert {frame for _, frame in gone[1:]} == {b"\x00"}
    assert len(gone) == pytest.approx(100, abs=1)


def test_the_byte_is_the_speed_in_kilometres_an_hour() -> None:
    values = [frame[0] for _, frame in run(CsrFront(fitting()), [user(0, 40, 0, -10)], 0.0, 3.0)[5:]]
    assert sum(values) / len(values) == pytest.approx(36, abs=1)


@pytest.mark.parametrize(("vy", "first", "sign"), [(-10, 0xF9, "+"), (10, 0xF8, "-")])
def test_two_bytes_or_four_characters_tell_the_direction(vy: float, first: int, sign: str) -> None:
    two = run(CsrFront(fitting(format="1")), [user(0, 40, 0, vy)], 0.0, 1.0)[-1][1]
    assert (len(two), two[0]) == (2, first)
    assert two[1] == pytest.approx(36, abs=3)
    four = run(CsrFront(fitting(format="2")), [user(0, 40, 0, vy)], 0.0, 1.0)[-1][1].decode()
    assert (len(four), four[0]) == (4, sign)
    assert run(CsrFront(fitting(format="2")), [], 0.0, 1.0)[-1][1] == b"*000"


def test_in_answer_mode_it_speaks_when_asked_and_in_trigger_mode_once_a_vehicle() -> None:
    front = CsrFront(fitting(mode="answer"))
    assert len(run(front, [user(0, 40)], 0.0, 1.0)) == 1, "the greeting"
    assert front.hear(b"\xf7", 1.0)[0][0] == pytest.approx(18, abs=3)
    assert len(run(CsrFront(fitting(mode="trigger")), [user(0, 30)], 0.0, 2.0)) in (2, 3)


@given(st.lists(st.integers(0, 15), max_size=4))
def test_configuration_by_frames_in_any_pieces(cuts: list[int]) -> None:
    front, answers, at = CsrFront(fitting()), [], 0
    run(front, [], 0.0, 0.01)
    text = bytes.fromhex("FA313030FBFA392830FBFA3D3430FB")
    for cut in [*sorted(cuts), len(text)]:
        answers += front.hear(text[at:cut], 0.0)
        at = max(at, cut)
    assert [answer.hex() for answer in answers] == ["fa323031fb", "fa323039fb", "fa392830fb"]
    assert not run(front, [user(0, 40, 0, -10)], 0.1, 0.5)
    assert front.hear(bytes.fromhex("FA323030FB"), 0.5) == [bytes.fromhex("fa323032fb")]
    assert {frame for _, frame in run(front, [user(0, 40, 0, -10)], 1.0, 2.0)} == {b"\x00"}, (
        "36 km/h is below 40"
    )
    assert front.hear(bytes.fromhex("FA373030FB"), 2.0) == [bytes.fromhex("fa323137fb")]


# Wavetronix SS125


def request(what: int, kind: int = 0, number: int = 5) -> bytes:
    head = b"Z1" + struct.pack(">BHBHBB", 0, 1, 0, 0, number, 3)
    body = bytes([what, 0, kind])
    return head + bytes([crc8(head)]) + body + bytes([crc8(body)])


def body_of(frame: bytes, number: int = 6) -> bytes:
    assert frame[:2] == b"Z1"
    assert crc8(frame[:10]) == frame[10]
    assert frame[8] == number, "one more than the request's"
    body = frame[11:-1]
    assert len(body) == frame[9]
    assert crc8(body) == frame[-1]
    return body


def test_the_check_by_hand() -> None:
    """0x1C: a one shifted out of the top leaves the polynomial."""
    assert crc8(b"") == 0
    assert crc8(b"\x01") == 0x1C
    assert crc8(b"\x02") == 0x38
    assert crc8(b"\x10") == 0xDC, "20 40 80, then 1C 38 70 E0, then C0 ^ 1C"


def test_dates_by_hand() -> None:
    """2026<<9 | 11<<5 | 26 = 0xFD57A; 18<<22 | 30<<16 | 15<<10 | 250 = 0x49E3CFA."""
    assert date_of(THURSDAY).hex() == "000fd57a049e3cfa"


def test_an_event_by_hand() -> None:
    """Lane 3; 30.48 m = 100 ft; 500 ms; 13.4112 m/s = 30 mph; 4.572 m = 15 ft."""
    event = Pass(3, 0.0, 13.4112, 4.572, 0.5, 30.48, "car")
    assert event_body(0x67, event, THURSDAY).hex() == ("670002000fd57a049e3cfa0364000001f4801e00010f00")
    unknown = event_body(0x67, Pass(3, 0.0, None, 4.572, 0.5, 30.48, "car"), THURSDAY)
    assert unknown[17:20] == b"\0\0\0", "no valid bit, the length is there"


def test_polled_it_gives_one_event_after_another_and_then_bare_results() -> None:
    front = Ss125Front(fitting())
    assert not run(front, [user(-10, 30, 10, 0), user(-15, 25, 10, 0, number=2)], 0.0, 3.0)
    first, second, none = (body_of(front.hear(request(0x67), 3.0)[0]) for _ in range(3))
    assert (len(first), len(second), none.hex()) == (23, 23, "670002")
    assert (first[11], second[11]) == (7, 6), "lanes of four metres from five on"
    assert int.from_bytes(first[12:14], "big") / 256 * 0.3048 == pytest.approx(30, abs=0.1)
    assert body_of(front.hear(request(0x0E), 3.0)[0])[3:] == date_of(1_790_000_003.0)


def test_pushed_events_come_by_themselves_and_a_clear_empties_the_store() -> None:
    pushed = run(Ss125Front(fitting(push="1")), [user(-10, 30, 10, 0)], 0.0, 3.0)
    assert [body_of(frame, 1)[0] for _, frame in pushed] == [0x65]
    front = Ss125Front(fitting())
    run(front, [user(-10, 30, 10, 0)], 0.0, 3.0)
    front.hear(request(0x6D, 1), 3.0)
    assert len(body_of(front.hear(request(0x67), 3.0)[0])) == 3


@settings(deadline=None)
@given(
    st.binary(max_size=60).filter(lambda noise: b"Z" not in noise), st.lists(st.integers(0, 40), max_size=4)
)
def test_requests_are_found_in_noise_and_in_any_pieces(noise: bytes, cuts: list[int]) -> None:
    front, answers, at = Ss125Front(fitting()), [], 0
    text = request(0x0E) + noise + request(0x0E)
    for cut in [*sorted(cuts), len(text)]:
        answers += front.hear(text[at:cut], 1.0)
        at = max(at, cut)
    assert len(answers) == 2


def test_a_request_with_a_wrong_check_is_not_answered() -> None:
    front = Ss125Front(fitting())
    broken = bytearray(request(0x67))
    broken[10] ^= 1
    assert not front.hear(bytes(broken), 1.0)
    broken = bytearray(request(0x67))
    broken[-1] ^= 1
    assert not front.hear(bytes(broken), 1.0)


# ISS RTMS G4


def test_a_frame_by_hand() -> None:
    """Length 2 + 3; sum 0 + 1 + 0x10 + 0xFF + 0x02 = 0x112."""
    assert rtms_frame(0x5E, 1, bytes.fromhex("10ff02")).hex() == "ffaa5e05000110ff020112"


def test_a_stamp_by_hand() -> None:
    assert stamp_of(THURSDAY).hex() == "2515301804261126"


@pytest.mark.parametrize(("mph", "speed"), [("0", 36), ("1", 22)])
def test_each_vehicle_that_crosses_is_an_event(mph: str, speed: int) -> None:
    front = RtmsFront(fitting(seed=4, mph=mph))
    (_, frame), *more = run(front, [user(-10, 30, 10, 0), user(3, 40, number=2)], 0.0, 3.0)
    assert not more, "the other one drives along the line"
    assert frame[:4].hex() == "ffaa5e11"
    zone, kind, length, told, dwell, stamp, unit = struct.unpack(">BBBBH8sB", frame[6:-2])
    assert (zone, kind, unit) == (7, 2, int(mph))
    assert (length, told, dwell) == (pytest.approx(46, abs=12), pytest.approx(speed, abs=4), 460)
    assert stamp == stamp_of(1_790_000_001.0) or stamp[1:] == stamp_of(1_790_000_001.0)[1:]
    assert sum(frame[4:-2]) == struct.unpack(">H", frame[-2:])[0]


# JSON over UDP


def test_datagrams_hold_right_and_forward_speeds_and_the_chinese_types() -> None:
    gone = run(JsonRadarFront(fitting()), [user(-4, 30), user(8, 40, 0, -6, "truck", 2)], 0.0, 3.0)
    assert len(gone) == pytest.approx(30, abs=1)
    told = json.loads(gone[-1][1])
    assert told["count"] == len(told["targets"]) == 2
    assert told["timestamp"] == pytest.approx((1_790_000_000 + gone[-1][0] - 0.06) * 1000, abs=5)
    car, truck = sorted(told["targets"], key=lambda each: each["type"])
    assert (car["type"], truck["type"]) == (4, 5)
    assert (car["x"], car["y"]) == pytest.approx((-4, 30 + 5 * 2.9), abs=1.2)
    assert (truck["speedX"], truck["speedY"]) == pytest.approx((0, -6), abs=0.6)
    assert truck["heading"] == pytest.approx(180, abs=6)
