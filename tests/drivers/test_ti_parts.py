"""TI mmWave TLVs of every demo: points in our axes, side information, targets, the index one frame late."""

from __future__ import annotations

import math
import struct
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_frames import IDENTITY, Tlv, built, compressed, extended, floats, short_target, side, target

from drivers.ti_mmwave.frames import FrameReader
from drivers.ti_mmwave.link import Deframer
from drivers.ti_mmwave.numbering import Numbering
from drivers.ti_mmwave.targets import LAYOUTS, covariance_good
from drivers.ti_mmwave.tlvs import PARTS, Role
from rsu_agent.ports.devices import RadarFrame, RadarTarget

ONE, TWO = (1.0, 20.0, 0.5, -3.0), (-2.0, 30.0, 0.0, 4.0)
ROUND = (20.0, 0.5, 0.1, 1.5)  # range, azimuth, elevation, doppler


def read(
    variant: str, *frames: list[Tlv], step: int = 1, target_bytes: int = 112, lateral_sign: int = 1
) -> tuple[list[RadarFrame], Counter[str]]:
    """Frames of these TLVs, numbered from 41, read as the driver does."""
    deframer = Deframer(921_600, variant)
    numbering = Numbering(deframer.counters)
    reader = FrameReader(deframer.counters, target_bytes, lateral_sign)  # type: ignore[arg-type]
    told = []
    for place, tlvs in enumerate(frames):
        number = 41 + place * step
        for raw in deframer.receive(built(variant, number, *tlvs), number / 10):
            told.append(reader.read(raw, numbering.take(raw.number), number / 10))
    return told, deframer.counters


def points(variant: str, *tlvs: Tlv) -> list[tuple[float, ...]]:
    (frame,), _ = read(variant, list(tlvs))
    return [(p.x_forward_m, p.y_left_m, p.z_up_m, p.doppler_mps) for p in frame.points]


# Points

FROM_ANGLES = (
    20 * math.cos(0.5) * math.cos(0.1),
    -20 * math.sin(0.5) * math.cos(0.1),
    20 * math.sin(0.1),
    1.5,
)


@pytest.mark.parametrize(
    ("variant", "kind", "data", "expected"),
    [
        ("sdk", 1, floats(ONE), (20.0, -1.0, 0.5, -3.0)),
        ("sdk", 1000, floats(ROUND), FROM_ANGLES),
        ("sdk", 1020, compressed((10, 50, 1500, 20000, 9), units=(0.01, 0.01, 0.001, 0.001, 1)), FROM_ANGLES),
        ("sdk", 301, extended((100, 2000, 50, -150, 40, 4)), (20.0, -1.0, 0.5, -3.0)),
        ("traffic_monitoring", 6, floats(ROUND), FROM_ANGLES),
        (
            "pc3d_4x",
            6,
            compressed((10, 50, 1500, 20000, 9), units=(0.01, 0.01, 0.001, 0.001, 1)),
            FROM_ANGLES,
        ),
        ("area", 1, floats(ROUND), FROM_ANGLES),
        ("area", 8, floats(TWO), (30.0, 2.0, 0.0, 4.0)),
    ],
)
def test_points_of_every_kind_turn_to_forward_left_up_with_doppler_away(
    variant: str, kind: int, data: bytes, expected: tuple[float, ...]
) -> None:
    (point,) = points(variant, (kind, data))
    assert point == pytest.approx(expected, rel=1e-5)


def test_the_units_of_a_real_capture_give_its_steps() -> None:
    """facts 1.3: 0.01 rad, 0.01 rad, 0.00028 m/s, 0.00025 m, 0.04; figures worked out by hand."""
    (frame,), _ = read("pc3d_4x", [(6, compressed((0, 0, -1000, 8000, 500)))])
    (point,) = frame.points
    assert (point.x_forward_m, point.doppler_mps, point.snr_db) == pytest.approx((2.0, -0.28, 20.0), rel=1e-6)


@pytest.mark.parametrize(
    ("variant", "tlvs"),
    [
        ("sdk", [(1, floats(ONE, TWO)), (7, side((25.5, 20.0), (9.0, 20.0)))]),
        ("traffic_monitoring", [(6, floats(ROUND, ROUND)), (9, side((25.5, 20.0), (9.0, 20.0)))]),
        ("area", [(1, floats(ROUND, ROUND)), (7, side((25.5, 20.0), (9.0, 20.0)))]),
        ("area", [(8, floats(ONE, TWO)), (9, side((25.5, 20.0), (9.0, 20.0)))]),
        ("sdk", [(301, extended((1, 1, 1, 1, 102, 0), (1, 1, 1, 1, 36, 0)))]),
    ],
)
def test_side_information_gives_each_point_its_signal_to_noise(variant: str, tlvs: list[Tlv]) -> None:
    (frame,), counters = read(variant, tlvs)
    assert [point.snr_db for point in frame.points] == [25.5, 9.0]
    assert not counters["side_lies"]


def test_side_information_of_another_count_is_left_out_and_the_points_stay() -> None:
    (frame,), counters = read("sdk", [(1, floats(ONE, TWO)), (7, side((25.5, 20.0)))])
    assert [point.snr_db for point in frame.points] == [None, None]
    assert counters["side_lies"] == 1


def test_a_point_that_cannot_be_is_left_out_without_moving_the_others_side_information() -> None:
    wild = [
        (math.nan, 1.0, 0.0, 0.0),
        (1.0, math.inf, 0.0, 0.0),
        (1.0, 1.0, 1e30, 0.0),
        (1.0, 1.0, 0.0, -1e9),
    ]
    rows = side(*[(snr, 20.0) for snr in (1, 2, 3, 4, 5)])
    (frame,), counters = read("sdk", [(1, floats(*wild, ONE)), (7, rows)])
    assert [point.snr_db for point in frame.points] == [5.0]
    assert counters["bad_points"] == 4


@pytest.mark.parametrize("units", [(math.nan,) * 5, (math.inf,) * 5, (1.0, 1.0, 1.0, 1e30, 1.0)])
def test_units_that_cannot_be_make_no_points(units: tuple[float, ...]) -> None:
    (frame,), counters = read("pc3d_4x", [(6, compressed((1, 1, 1, 1, 1), units=units))])
    assert (frame.points, counters["bad_points"]) == ((), 1)


def test_a_header_that_counts_other_points_than_come_is_counted() -> None:
    whole = built("sdk", 1, (1, floats(ONE, TWO)))
    liar = whole[:28] + struct.pack("<I", 9) + whole[32:]
    deframer = Deframer(921_600)
    reader, numbering = FrameReader(deframer.counters), Numbering(deframer.counters)
    for data in (whole, liar):
        (raw,) = deframer.receive(data, 1.0)
        assert len(reader.read(raw, numbering.take(raw.number), 1.0).points) == 2
    assert deframer.counters["count_lies"] == 1


@pytest.mark.parametrize("kind", [1, 1000, 1010, 1011, 1020, 301])
def test_a_part_of_length_zero_is_an_empty_one(kind: int) -> None:
    (frame,), counters = read("sdk", [(kind, b"")])
    assert (frame.points, frame.targets) == ((), ())
    assert not [name for name in +counters if name.startswith(("bad", "other"))]


# What is passed over


@pytest.mark.parametrize(
    ("variant", "kind", "size"),
    [
        (variant, kind, part.row * (part.exactly or 2) or 77)
        for variant, parts in PARTS.items()
        for kind, part in parts.items()
        if part.role is Role.PASSED_OVER
    ],
)
def test_what_does_not_concern_us_is_passed_over_by_its_name(variant: str, kind: int, size: int) -> None:
    (frame,), counters = read(variant, [(kind, bytes(size))])
    assert (frame.points, frame.targets) == ((), ())
    assert counters[f"skipped_{PARTS[variant][kind].name}"] == 1


def test_presence_and_height_have_names() -> None:
    _, counters = read("sdk", [(1012, struct.pack("<Iff", 3, 1.8, 0.1)), (1021, struct.pack("<I", 1))])
    assert (counters["skipped_height"], counters["skipped_presence"]) == (1, 1)
    _, counters = read("pc3d_4x", [(11, struct.pack("<I", 1))])
    assert counters["skipped_presence"] == 1


def test_a_foreign_part_six_of_128_bytes_is_never_taken_for_statistics() -> None:
    _, counters = read("sdk", [(6, bytes(128))])
    assert (counters["bad_tlv_length"], counters["skipped_stats"]) == (1, 0)


@pytest.mark.parametrize(
    ("variant", "kind", "size"),
    [
        ("sdk", 1, 17), ("sdk", 7, 3), ("sdk", 1010, 111), ("sdk", 1020, 21), ("sdk", 301, 29),
        ("sdk", 9, 27), ("sdk", 1020, 19), ("sdk", 1021, 8), ("traffic_monitoring", 6, 20),
        ("traffic_monitoring", 7, 113), ("pc3d_4x", 6, 25), ("pc3d_4x", 7, 28), ("area", 8, 15),
        ("area", 10, 40),
    ],
)  # fmt: skip
def test_a_wrong_length_is_counted_and_the_other_parts_are_read(variant: str, kind: int, size: int) -> None:
    moved = {"sdk": 1000, "traffic_monitoring": 8, "pc3d_4x": 8, "area": 11}[variant]
    (frame,), counters = read(variant, [(kind, bytes(size)), (moved, b""), (777, b"x")])
    assert (counters["bad_tlv_length"], counters["other_tlvs"]) == (1, 1)
    assert (frame.points, frame.targets) == ((), ())


def test_a_second_part_of_a_kind_is_counted_and_left_out() -> None:
    (frame,), counters = read("sdk", [(1, floats(ONE)), (1000, floats(ROUND))])
    assert (len(frame.points), counters["doubled_tlvs"]) == (1, 1)


# Targets


@pytest.mark.parametrize(
    ("variant", "kind"),
    [("sdk", 1010), ("sdk", 308), ("traffic_monitoring", 7), ("pc3d_4x", 7), ("area", 10)],
)
def test_targets_of_112_bytes_are_read_and_turned(variant: str, kind: int) -> None:
    (frame,), _ = read(variant, [(kind, target(12) + target(13, (-4.0, 50.0)))])
    first, second = frame.targets
    assert first == RadarTarget(12, 20.0, -1.0, -3.0, -0.25, exists=pytest.approx(0.9))  # type: ignore[arg-type]
    assert (second.target, second.x_forward_m, second.y_left_m) == (13, 50.0, 4.0)


@pytest.mark.parametrize("size", sorted(LAYOUTS))
def test_other_sizes_are_read_when_the_site_file_says_so(size: int) -> None:
    data = target(12) if size == 112 else short_target(12, size)
    (frame,), _ = read("sdk", [(1010, data)], target_bytes=size)
    (found,) = frame.targets
    assert (found.target, found.x_forward_m, found.y_left_m) == (12, 20.0, -1.0)
    assert (found.vx_forward_mps, found.vy_left_mps) == (-3.0, -0.25)


def test_224_bytes_are_two_targets_and_never_eight() -> None:
    (frame,), _ = read("sdk", [(1010, target(1) + target(2))])
    assert [found.target for found in frame.targets] == [1, 2]
    (frame,), counters = read("sdk", [(1010, short_target(1, 28) * 3)])
    assert (frame.targets, counters["bad_tlv_length"]) == ((), 1)


@pytest.mark.parametrize(
    ("row", "counter"),
    [
        (target(250), "bad_tid"),
        (target(0xFFFFFFFF), "bad_tid"),
        (target(3, (math.nan, 1.0)), "bad_targets"),
        (target(3, speed=(0.0, math.inf)), "bad_targets"),
        (target(3, covariance=(-1.0, *IDENTITY[1:])), "bad_covariance"),
        (target(3, covariance=(1.0, 2.0, 0, 0, 2.0, *IDENTITY[5:])), "bad_covariance"),
        (target(3, covariance=(math.nan, *IDENTITY[1:])), "bad_covariance"),
    ],
)
def test_a_target_that_cannot_be_is_counted_and_the_next_one_read(row: bytes, counter: str) -> None:
    (frame,), counters = read("pc3d_4x", [(7, row + target(4))])
    assert [found.target for found in frame.targets] == [4]
    assert counters[counter] == 1


@pytest.mark.parametrize("confidence", [-0.1, 1.5, math.nan])
def test_a_confidence_out_of_range_is_not_told(confidence: float) -> None:
    (frame,), _ = read("pc3d_4x", [(7, target(4, confidence=confidence))])
    assert frame.targets[0].exists is None


@settings(deadline=None)
@given(st.lists(st.floats(-3, 3), min_size=16, max_size=16), st.floats(1e-4, 1e4))
def test_every_covariance_is_taken_for_one(figures: list[float], scale: float) -> None:
    rows = [figures[i : i + 4] for i in range(0, 16, 4)]
    product = [scale * sum(a * b for a, b in zip(one, other, strict=True)) for one in rows for other in rows]
    in_floats = struct.unpack("<16f", struct.pack("<16f", *product))
    assert covariance_good(in_floats, 4)


def test_a_matrix_with_a_direction_of_negative_spread_is_none() -> None:
    """Every pair of 0.9, -0.9, 0.9 alone could be correlations; all three together cannot."""
    assert not covariance_good((1.0, 0.9, 0.9, 0.9, 1.0, -0.9, 0.9, -0.9, 1.0), 3)
    assert not covariance_good((0.0, 0.5, 0.5, 1.0), 2)
    assert covariance_good((0.0,) * 9, 3)


# Which number is whom


def paths(*places: tuple[float, float] | None, step: int = 1) -> list[int]:
    """Epochs of target 5 at these places in frames one after the other; None: it is not there."""
    frames, _ = read(
        "pc3d_4x", *[[(7, target(5, place, (0.0, 0.0)))] if place else [] for place in places], step=step
    )
    return [found.epoch for frame in frames for found in frame.targets]


def test_a_number_that_stays_is_one_user() -> None:
    assert paths((0.0, 20.0), (0.2, 20.5), (0.4, 21.0)) == [0, 0, 0]


def test_a_number_that_was_away_for_longer_than_a_second_is_another_user() -> None:
    away = [None] * 11
    assert paths((0.0, 20.0), None, (0.2, 20.5), *away, (0.0, 20.0)) == [0, 0, 1]


def test_a_number_that_leaps_is_another_user() -> None:
    assert paths((0.0, 20.0), (0.0, 40.0), (0.0, 40.5)) == [0, 1, 1]


def test_lost_frames_alone_make_no_other_user() -> None:
    assert paths((0.0, 20.0), (0.2, 20.5), step=4) == [0, 0]


def test_a_radar_that_was_restarted_means_other_users() -> None:
    deframer = Deframer(921_600, "pc3d_4x")
    numbering, reader = Numbering(deframer.counters), FrameReader(deframer.counters)
    epochs = []
    for number in (900, 901, 1, 2, 3, 1, 2):
        (raw,) = deframer.receive(built("pc3d_4x", number, (7, target(5))), 1.0)
        epochs += [found.epoch for found in reader.read(raw, numbering.take(number), 1.0).targets]
    assert epochs == [0, 0, 0, 1, 1, 1, 2]  # one odd number is not yet a restart
    assert deframer.counters["resets"] == 2


# The index speaks of the frame before

NUMBERS = {"sdk": (1, 1010, 1011), "traffic_monitoring": (6, 7, 8), "area": (1, 10, 11)}


@pytest.mark.parametrize("variant", sorted(NUMBERS))
def test_a_target_without_points_in_the_frame_before_is_only_carried_on(variant: str) -> None:
    cloud, tracks, index = NUMBERS[variant]
    both = target(5) + target(6, (-5.0, 30.0))
    first = [(cloud, floats(ONE, ONE, TWO)), (tracks, both)]
    second = [(cloud, floats(ONE)), (tracks, both), (index, bytes((5, 253, 255)))]
    frames, counters = read(variant, first, second)
    assert [[found.measured for found in frame.targets] for frame in frames] == [[True, True], [True, False]]
    assert not counters["index_lies"]


def test_an_index_as_long_as_this_frame_and_not_the_one_before_is_a_lie() -> None:
    first = [(1, floats(ONE, ONE, TWO))]
    second = [(1, floats(ONE)), (1010, target(5)), (1011, bytes((255,)))]
    frames, counters = read("sdk", first, second)
    assert frames[1].targets[0].measured
    assert counters["index_lies"] == 1


def test_after_a_lost_frame_the_index_tells_nothing() -> None:
    first = [(1, floats(ONE))]
    second = [(1, floats(ONE)), (1010, target(5)), (1011, bytes((255,)))]
    frames, counters = read("sdk", first, second, step=2)
    assert frames[1].targets[0].measured
    assert not counters["index_lies"]


# Left and right


def test_a_unit_that_changes_left_and_right_is_set_right_by_the_site_file() -> None:
    tlvs = [(1, floats(ONE)), (7, side((25.5, 20.0))), (1010, target(12))]
    (frame,), _ = read("sdk", tlvs, lateral_sign=-1)
    assert (frame.points[0].x_forward_m, frame.points[0].y_left_m, frame.points[0].snr_db) == (
        20.0,
        1.0,
        25.5,
    )
    assert (frame.targets[0].y_left_m, frame.targets[0].vy_left_mps) == (1.0, 0.25)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(PARTS)),
    st.lists(st.tuples(st.integers(0, 12), st.binary(max_size=300)), max_size=6),
)
def test_no_contents_can_raise(variant: str, tlvs: list[Tlv]) -> None:
    frames, _ = read(variant, tlvs, tlvs)
    assert len(frames) == 2
