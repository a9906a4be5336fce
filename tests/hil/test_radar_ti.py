"""The virtual TI mmWave radar: frames of each demo by a small reader of the tests' own, faults of time."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator

import pytest

from hil.devices.radar_faults import RadarFaults
from hil.devices.radar_model import Return
from hil.devices.ti_frames import PROFILES, Measured, Target, frame, lied
from hil.devices.ti_front import TiFront
from tests.hil.radar_road import HEIGHT_M, fitting, run, user

MAGIC = bytes.fromhex("0201040306050807")
# facts 1.2: header bytes; where total, number and count of TLVs stand; whether a TLV counts its own header
LAYOUT = {
    "sdk": (40, 12, 20, 32, False),
    "toolbox": (40, 12, 20, 32, False),
    "traffic_monitoring": (52, 20, 24, 48, False),
    "pc3d_4x": (48, 12, 20, 44, True),
    "area": (44, 12, 20, 32, False),
}
ALL = sorted(LAYOUT)
POINTS = (Return(40.0, 0.25, -0.1, -6.0, 23.4, 1), Return(12.5, -0.5, -0.3, 3.5, 11.0))
TARGET = Target(
    7, (-3.0, 40.0, -5.0), (0.5, -6.0, 0.0), (0.0, 0.1, 0.0), (0.04, 0.01, 0.02, 0.09), 1.5, 0.75, 1.6
)


def tlvs(profile: str, data: bytes) -> dict[int, bytes]:
    """Type to payload; every byte is accounted for."""
    head, total_at, _, count_at, counts = LAYOUT[profile]
    total = struct.unpack_from("<I", data, total_at)[0]
    count = struct.unpack_from("<H", data, count_at)[0]
    assert data[:8] == MAGIC
    assert total == len(data)
    at, found = head, {}
    for _ in range(count):
        kind, length = struct.unpack_from("<II", data, at)
        length -= 8 if counts else 0
        found[kind] = data[at + 8 : at + 8 + length]
        at += 8 + length
    assert at == total if profile == "pc3d_4x" else total - 31 <= at <= total
    return found


def number(profile: str, data: bytes) -> int:
    value: int = struct.unpack_from("<I", data, LAYOUT[profile][2])[0]
    return value


def folded(data: bytes, size: int) -> int:
    total = sum(struct.unpack_from(f"<{size // 2}H", data))
    return (total >> 16) + (total & 0xFFFF)


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("points", [(), POINTS])
@pytest.mark.parametrize("targets", [(), (TARGET, TARGET)])
def test_every_demo_writes_frames_that_walk(
    profile: str, points: tuple[Return, ...], targets: tuple[Target, ...]
) -> None:
    told = Measured(4711, 3.5, points, (), targets, bytes([7, 255]) if targets else None)
    data = frame(PROFILES[profile], told)
    tlvs(profile, data)
    assert number(profile, data) == 4711
    assert len(data) % 32 == 0 or profile == "pc3d_4x"


@pytest.mark.parametrize(("profile", "size"), [("traffic_monitoring", 52), ("pc3d_4x", 48)])
def test_the_checked_headers_fold_to_all_ones(profile: str, size: int) -> None:
    for n in range(300):
        assert folded(frame(PROFILES[profile], Measured(n * 7919, n * 0.37, POINTS)), size) == 0xFFFF


def test_the_header_of_traffic_monitoring_by_hand() -> None:
    """Facts 1.2: version, platform, time stamp, total, number. No TLV: 52 bytes are filled up to 64."""
    data = frame(PROFILES["traffic_monitoring"], Measured(258, 0.5))
    assert data[:28].hex() == "02010403060508070400050343680a0000e1f5054000000002010000"
    assert data[48:50].hex() == "0000"
    assert struct.unpack_from("<I", frame(PROFILES["sdk"], Measured(1, 21.47483648 + 0.5)), 24)[
        0
    ] == pytest.approx(100_000_000, abs=2)


def test_the_area_scanner_has_four_bytes_more_with_the_count_of_what_stands() -> None:
    data = frame(PROFILES["area"], Measured(1, 0.0, POINTS, POINTS[:1]))
    assert struct.unpack_from("<I", data, 28)[0] == 2
    assert struct.unpack_from("<I", data, 40)[0] == 1
    parts = tlvs("area", data)
    assert (len(parts[1]), len(parts[7]), len(parts[8]), len(parts[9])) == (32, 8, 16, 4)


def test_an_empty_frame_of_the_sdk_has_points_of_no_length_and_traffic_monitoring_has_none() -> None:
    assert tlvs("sdk", frame(PROFILES["sdk"], Measured(1, 0.0)))[1] == b""
    assert tlvs("traffic_monitoring", frame(PROFILES["traffic_monitoring"], Measured(1, 0.0))) == {}


def test_points_are_cartesian_spherical_or_compressed() -> None:
    told = Measured(1, 0.0, POINTS)
    x, y, z, doppler = struct.unpack_from("<4f", tlvs("sdk", frame(PROFILES["sdk"], told))[1])
    flat = 40.0 * math.cos(0.1)
    assert (x, y, z) == pytest.approx(
        (flat * math.sin(0.25), flat * math.cos(0.25), -40 * math.sin(0.1)), abs=1e-4
    )
    assert doppler == -6.0
    parts = tlvs("traffic_monitoring", frame(PROFILES["traffic_monitoring"], told))
    assert struct.unpack("<8f", parts[6]) == pytest.approx((40, 0.25, -0.1, -6, 12.5, -0.5, -0.3, 3.5))
    assert struct.unpack("<4h", parts[9]) == (234, 200, 110, 200)
    cloud = tlvs("pc3d_4x", frame(PROFILES["pc3d_4x"], told))[6]
    units = struct.unpack_from("<5f", cloud)
    raw = struct.unpack_from("<bbhHH", cloud, 20)
    values = [value * unit for value, unit in zip(raw, units, strict=True)]
    assert values == pytest.approx([-0.1, 0.25, -6.0, 40.0, 23.4], abs=0.03)
    assert tlvs("toolbox", frame(PROFILES["toolbox"], told))[1020] == cloud


@pytest.mark.parametrize(
    ("profile", "kind"), [("traffic_monitoring", 7), ("pc3d_4x", 7), ("toolbox", 1010), ("area", 10)]
)
def test_a_target_has_a_hundred_and_twelve_bytes(profile: str, kind: int) -> None:
    told = Measured(1, 0.0, POINTS, (), (TARGET,), bytes([7, 255]))
    data = tlvs(profile, frame(PROFILES[profile], told))[kind]
    assert len(data) == 112
    row = struct.unpack("<I27f", data)
    assert row[:10] == pytest.approx((7, -3.0, 40.0, -5.0, 0.5, -6.0, 0.0, 0.0, 0.1, 0.0))
    assert row[10:26:5] == pytest.approx((0.04, 0.01, 0.02, 0.09))
    assert row[26:] == (1.5, 0.75)


# The front


def frames(front: TiFront, seconds: float, *users: dict) -> list[tuple[float, bytes]]:
    return run(front, list(users), 0.0, seconds)


@pytest.mark.parametrize(
    ("profile", "period_s"),
    [("sdk", 0.1), ("traffic_monitoring", 0.05), ("pc3d_4x", 0.055), ("area", 0.1), ("toolbox", 0.1)],
)
def test_frames_come_at_the_rate_of_the_demo_with_a_millisecond_of_jitter(
    profile: str, period_s: float
) -> None:
    front = TiFront(fitting(profile=profile, gaps="0"))
    gone = frames(front, 20.0, user(0, 30))
    assert len(gone) == pytest.approx(20.0 / period_s, abs=2)
    numbers = [number(profile, data) for _, data in gone]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    late = [at - gone[0][0] - n * period_s for n, (at, _) in enumerate(gone)]
    assert max(late) - min(late) < 0.009, "frame jitter, latency jitter and the step of this test"
    assert all(len(tlvs(profile, data)) > 0 for _, data in gone if profile != "traffic_monitoring")


def indices(gone: list[tuple[float, bytes]]) -> Iterator[tuple[int, bytes | None, dict[int, bytes]]]:
    """(points in the frame before, index, TLVs) of each frame but the first."""
    before = None
    for _, data in gone:
        parts = tlvs("traffic_monitoring", data)
        if before is not None:
            yield before, parts.get(8), parts
        before = len(parts.get(6, b"")) // 16


def test_the_index_is_of_the_frame_before_and_missing_without_targets() -> None:
    gone = frames(TiFront(fitting(profile="traffic_monitoring", gaps="0")), 8.0, user(-5, 20))
    with_index = 0
    for points, index, parts in indices(gone):
        assert (index is not None) == (7 in parts)
        if index is not None:
            with_index += 1
            assert len(index) == points
            assert set(index) <= {0, 253, 255} | set(range(10))
    assert with_index > 100


def test_a_target_is_right_forward_and_up_of_the_sensor_and_moves_as_the_vehicle_does() -> None:
    gone = frames(TiFront(fitting(profile="traffic_monitoring", gaps="0")), 4.0, user(-6, 20))
    last = tlvs("traffic_monitoring", gone[-1][1])
    tid, x, y, z, vx, vy, *_ = struct.unpack_from("<I27f", last[7])
    assert tid == 0
    assert (x, y) == pytest.approx((-6, 20 + 5 * 3.85), abs=1.2)
    assert z == pytest.approx(0.75 - HEIGHT_M)
    assert (vx, vy) == pytest.approx((0, 5), abs=0.6)


def test_about_once_in_a_thousand_a_frame_is_cut_short_and_eight_are_missing() -> None:
    front = TiFront(fitting(seed=3, profile="pc3d_4x"))
    gone = frames(front, 550.0, user(0, 15, 0, 0.31))
    short = [n for n, (_, data) in enumerate(gone) if len(data) != struct.unpack_from("<I", data, 12)[0]]
    assert 3 <= len(short) <= 22, "ten thousand frames"
    for n in short:
        data = gone[n][1]
        assert len(data) == 80
        assert folded(data, 48) == 0xFFFF, "the header's checksum still fits"
        if n + 1 < len(gone):
            assert number("pc3d_4x", gone[n + 1][1]) - number("pc3d_4x", data) == 9


def test_cold_it_waits_for_its_configuration_and_counts_on_after_a_stop() -> None:
    front = TiFront(fitting(profile="traffic_monitoring", cold="1"))
    assert not run(front, [], 0.0, 0.5)
    front.console.running = True
    (first, *_), last = (
        run(front, [], 0.5, 0.9),
        number("traffic_monitoring", run(front, [], 0.9, 1.2)[-1][1]),
    )
    assert last > number("traffic_monitoring", first[1])


def test_a_reset_counts_from_zero_and_forgets_the_tracks() -> None:
    front = TiFront(fitting(profile="traffic_monitoring", gaps="0"))
    run(front, [user(0, 30)], 0.0, 3.0)
    front.faults.obey("reset", True, 3.0)
    front.reset()
    gone = run(front, [user(0, 30)], 3.0, 3.3)
    assert number("traffic_monitoring", gone[0][1]) == 1
    assert 7 not in tlvs("traffic_monitoring", gone[0][1])
    assert struct.unpack_from("<I", gone[0][1], 16)[0] < 0.2 * 200e6


def test_a_fast_clock_sends_more_frames_a_second_and_counts_more_cycles() -> None:
    faults = RadarFaults(1)
    faults.obey("clock_skew", 20_000.0, 0.0)
    gone = frames(TiFront(fitting(faults=faults, profile="traffic_monitoring", gaps="0")), 20.0)
    assert len(gone) == pytest.approx(20.0 / 0.05 * 1.02, abs=2)
    cycles = [struct.unpack_from("<I", data, 16)[0] for _, data in gone]
    assert (cycles[-1] - cycles[0]) / 200e6 == pytest.approx((gone[-1][0] - gone[0][0]) * 1.02, abs=0.02)


@pytest.mark.parametrize("profile", ALL)
def test_a_lie_changes_one_length_and_keeps_the_checksum(profile: str) -> None:
    data = frame(PROFILES[profile], Measured(9, 1.0, POINTS, (), (TARGET,), bytes([7, 255])))
    dice, seen = random.Random(1), set()
    for _ in range(60):
        untrue = lied(PROFILES[profile], data, dice)
        assert len(untrue) == len(data)
        assert untrue != data
        changed = [n for n in range(len(data)) if data[n] != untrue[n]]
        seen.add(min(changed))
        if profile in ("traffic_monitoring", "pc3d_4x"):
            assert folded(untrue, LAYOUT[profile][0]) == 0xFFFF
    assert len(seen) >= 3
