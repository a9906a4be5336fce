"""The virtual radar's frames, read back by the tables of the facts: headers, lengths, checks, points."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.ti_codec import Point, frame40, frame48, header_check

MAGIC = bytes.fromhex("0201040306050807")
CYCLES_A_FRAME = 20_000_000  # measured on captures: 20.0 million cycles in 100 ms

ahead = st.tuples(
    st.floats(-40, 40), st.floats(35, 90), st.floats(-6, 0), st.floats(-30, 30), st.floats(5, 40)
)
clouds = st.lists(ahead, max_size=40)
times = st.floats(0, 1e6)
numbers = st.integers(0, 2**32 - 1)


def words(frame: bytes, *offsets: int) -> list[int]:
    return [struct.unpack_from("<I", frame, offset)[0] for offset in offsets]


def parts40(frame: bytes) -> dict[int, bytes]:
    """TLVs of the 40-byte variant: lengths without their own eight bytes; the rest is padding."""
    found, at = {}, 40
    for _ in range(words(frame, 32)[0]):
        kind, size = struct.unpack_from("<II", frame, at)
        found[kind] = frame[at + 8 : at + 8 + size]
        at += 8 + size
    assert at <= len(frame) < at + 32
    assert not any(frame[at:])
    return found


def parts48(frame: bytes) -> dict[int, bytes]:
    """TLVs of the 48-byte variant: lengths count their own eight bytes; the walk ends exactly."""
    found, at = {}, 48
    for _ in range(struct.unpack_from("<H", frame, 44)[0]):
        kind, size = struct.unpack_from("<II", frame, at)
        found[kind] = frame[at + 8 : at + size]
        at += size
    assert at == len(frame)
    return found


def points48(frame: bytes) -> list[tuple[float, ...]]:
    """Compressed points as x, y, z, doppler, snr."""
    payload = parts48(frame).get(6)
    if payload is None:
        return []
    elevation_u, azimuth_u, doppler_u, range_u, snr_u = struct.unpack_from("<5f", payload)
    points: list[tuple[float, ...]] = []
    for elevation, azimuth, doppler, away, snr in struct.iter_unpack("<bbhHH", payload[20:]):
        e, a, r = elevation * elevation_u, azimuth * azimuth_u, away * range_u
        x, y, z = r * math.sin(a) * math.cos(e), r * math.cos(a) * math.cos(e), r * math.sin(e)
        points.append((x, y, z, doppler * doppler_u, snr * snr_u))
    return points


@settings(deadline=None)
@given(clouds, times, numbers)
def test_the_forty_byte_header_announces_what_follows(cloud: list[Point], t: float, number: int) -> None:
    frame = frame40(number, t, cloud)
    assert frame.startswith(MAGIC)
    version, total, platform, count, detected, parts, sub = words(frame, 8, 12, 16, 20, 28, 32, 36)
    assert (version >> 24, platform, count, sub) == (3, 0xA6843, number, 0)
    assert total == len(frame)
    assert total % 32 == 0
    assert (detected, parts) == (len(cloud), 2)


@settings(deadline=None)
@given(clouds, times)
def test_cartesian_points_and_side_information_come_back(cloud: list[Point], t: float) -> None:
    parts = parts40(frame40(1, t, cloud))
    points = list(struct.iter_unpack("<4f", parts[1]))
    assert points == [pytest.approx(point[:4], rel=1e-6, abs=1e-6) for point in cloud]
    side = list(struct.iter_unpack("<HH", parts[7]))
    assert [snr / 10 for snr, _ in side] == [pytest.approx(point[4], abs=0.1) for point in cloud]


def test_an_empty_frame_has_a_point_part_of_length_zero_as_real_captures_have() -> None:
    assert parts40(frame40(7, 1.0, [])) == {1: b"", 7: b""}


@settings(deadline=None)
@given(times)
def test_the_cycle_counter_runs_at_two_hundred_megahertz_and_wraps(t: float) -> None:
    before, after = words(frame40(1, t, []), 24)[0], words(frame40(2, t + 0.1, []), 24)[0]
    assert abs((after - before) % 2**32 - CYCLES_A_FRAME) <= 10  # floating point at large times
    assert words(frame40(1, 21.47483648 + 0.5, []), 24)[0] == pytest.approx(100_000_000, abs=2)


@settings(deadline=None)
@given(clouds, times, numbers)
def test_the_forty_eight_byte_header_is_checked_and_exactly_long(
    cloud: list[Point], t: float, number: int
) -> None:
    frame = frame48(number, t, cloud)
    assert frame.startswith(MAGIC)
    _, total, platform, count, sub = words(frame, 8, 12, 16, 20, 24)
    assert (total, platform, count, sub) == (len(frame), 0xA6843, number, 0)
    folded = sum(struct.unpack_from("<24H", frame))
    assert (folded >> 16) + (folded & 0xFFFF) == 0xFFFF
    assert header_check(frame) == struct.unpack_from("<H", frame, 46)[0]
    assert set(parts48(frame)) == ({6} if cloud else set())


@settings(deadline=None)
@given(clouds)
def test_compressed_points_come_back_within_their_steps(cloud: list[Point]) -> None:
    points = points48(frame48(1, 0.0, cloud))
    assert len(points) == len(cloud)
    for (x, y, z, doppler, snr), true in zip(points, cloud, strict=True):
        step_m = 0.011 * math.dist((0, 0, 0), true[:3])  # 0.01 rad each way, halved twice
        assert math.dist((x, y, z), true[:3]) <= step_m
        assert doppler == pytest.approx(true[3], abs=0.01)
        assert snr == pytest.approx(true[4], abs=0.05)
