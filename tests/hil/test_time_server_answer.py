"""The virtual chronyd's answers, by the published layout of chrony's command protocol, version 6."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.time_server import Clockwork, to_chrony_float

REQUEST_BYTES = 104  # chrony pads a request to the length of its reply
TRACKING = 33


def request(command: int = TRACKING, *, version: int = 6, kind: int = 1, sequence: int = 77) -> bytes:
    return struct.pack(">BBBBHHIII", version, kind, 0, 0, command, 0, sequence, 0, 0).ljust(
        REQUEST_BYTES, b"\0"
    )


def from_chrony_float(word: int) -> float:
    """Seven bits of exponent and twenty-five of coefficient, both two's complement."""
    exponent, coefficient = word >> 25, word & 0x1FFFFFF
    exponent -= 128 if exponent >= 64 else 0
    coefficient -= 1 << 25 if coefficient >= 1 << 24 else 0
    return coefficient * 2.0 ** (exponent - 25)


def answer(clockwork: Clockwork) -> bytes:
    data = clockwork.answer(request())
    assert data is not None
    return data


def floats(data: bytes) -> list[float]:
    return [from_chrony_float(word) for word in struct.unpack_from(">9I", data, 68)]


def stratum_and_leap(data: bytes) -> tuple[int, int]:
    stratum, leap = struct.unpack_from(">HH", data, 52)
    return stratum, leap


@settings(deadline=None)
@given(st.floats(1e-12, 1e12) | st.floats(-1e12, -1e-12))
def test_a_chrony_float_keeps_seven_digits_and_the_sign(value: float) -> None:
    assert from_chrony_float(to_chrony_float(value)) == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize(
    ("value", "word"), [(0.0, 0), (1.0, 0x04800000), (-1.0, 0x05800000), (0.5, 0x02800000)]
)
def test_known_values_have_known_words(value: float, word: int) -> None:
    """Coefficient times two to the exponent less 25: one is 2^23 with exponent 2."""
    assert from_chrony_float(word) == value
    assert from_chrony_float(to_chrony_float(value)) == value


def test_the_reply_names_its_command_and_repeats_the_sequence() -> None:
    data = answer(Clockwork())
    assert len(data) == REQUEST_BYTES
    assert struct.unpack_from(">BBBBHHH", data) == (6, 2, 0, 0, TRACKING, 5, 0)
    assert struct.unpack_from(">I", data, 16) == (77,)


def test_a_healthy_clock_is_synchronised_close_and_now() -> None:
    data = answer(Clockwork())
    assert stratum_and_leap(data) == (2, 0)
    high, low, _ = struct.unpack_from(">III", data, 56)
    assert abs((high << 32) + low - time.time()) < 5
    offset, dispersion = floats(data)[0], floats(data)[7]
    assert offset == 0.0
    assert dispersion == pytest.approx(0.0005)


def test_offset_and_dispersion_are_what_the_scenario_sets() -> None:
    clockwork = Clockwork()
    clockwork.obey("step", 0.25)
    clockwork.obey("coast", 0.03)
    assert (floats(answer(clockwork))[0], floats(answer(clockwork))[7]) == pytest.approx((0.25, 0.03))
    clockwork.obey("step", False)
    clockwork.obey("coast", False)
    assert (floats(answer(clockwork))[0], floats(answer(clockwork))[7]) == pytest.approx((0.0, 0.0005))


def test_unsynchronised_has_leap_three_and_no_reference() -> None:
    clockwork = Clockwork()
    clockwork.obey("unsynchronised", True)
    data = answer(clockwork)
    assert stratum_and_leap(data) == (0, 3)
    assert data[28:32] == bytes(4)
    clockwork.obey("unsynchronised", False)
    assert stratum_and_leap(answer(clockwork)) == (2, 0)


def test_silent_it_answers_nothing() -> None:
    clockwork = Clockwork()
    clockwork.obey("silent", True)
    assert clockwork.reply(request()) is None
    clockwork.obey("silent", False)
    assert clockwork.reply(request()) is not None


@settings(deadline=None)
@given(st.binary(max_size=120))
def test_anything_but_a_whole_tracking_request_is_left_alone(data: bytes) -> None:
    asked = len(data) >= REQUEST_BYTES and data[:2] == b"\x06\x01" and data[4:6] == b"\x00\x21"
    assert (Clockwork().answer(data) is not None) == asked


@pytest.mark.parametrize(
    "data",
    [request(5), request(version=5), request(kind=2), request()[:-1]],
    ids=["other", "old", "reply", "short"],
)
def test_other_commands_versions_and_short_requests_get_no_answer(data: bytes) -> None:
    assert Clockwork().answer(data) is None
