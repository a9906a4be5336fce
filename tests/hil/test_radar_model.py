"""The virtual radar's model: axes and signs, what vanishes, how often and how far off it sees."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.radar import AZIMUTH_SD, CLUTTER, DETECTS, RANGE_SD_M, RadarModel
from hil.devices.ti_codec import Point

HEIGHT_M, RANGE_M, HALF_DEG = 6.0, 75.0, 50.0
SLOW_CLUTTER_SNR = 12.0  # clutter has 6 to 12 dB
FRAMES = 600


def pose(yaw_deg: float = 0.0, x: float = 0.0, y: float = 0.0) -> dict[str, float]:
    return {"x_east_m": x, "y_north_m": y, "height_m": HEIGHT_M, "yaw_deg": yaw_deg}


def radar(seed: int = 1, **where: float) -> RadarModel:
    return RadarModel(pose(**where), {"range_m": RANGE_M, "half_angle_deg": HALF_DEG}, seed)


def user(x: float, y: float, vx: float = 0.0, vy: float = 0.0, cls: str = "pedestrian") -> dict[str, Any]:
    length, width, height = {
        "pedestrian": (0.5, 0.5, 1.7),
        "car": (4.6, 1.8, 1.5),
        "bus": (12.0, 2.5, 3.2),
    }[cls]
    heading = math.degrees(math.atan2(vx, vy)) % 360
    return {
        "id": 1, "cls": cls, "x": x, "y": y, "vx": vx, "vy": vy, "heading": heading,
        "l": length, "w": width, "h": height,
    }  # fmt: skip


def seen(model: RadarModel, users: list[dict[str, Any]], frames: int = FRAMES) -> list[list[Point]]:
    return [model.points(users) for _ in range(frames)]


def close(points: list[Point], x: float, y: float, reach_m: float = 2.5) -> list[Point]:
    return [point for point in points if math.hypot(point[0] - x, point[1] - y) < reach_m]


def mean(values: list[float]) -> float:
    return statistics.fmean(values)


@pytest.mark.parametrize(
    ("yaw_deg", "east", "north", "right", "forward"),
    [
        (0, 10, 30, 10, 30),
        (90, 30, 10, -10, 30),
        (45, 30, 30, 0, 30 * math.sqrt(2)),
        (180, 10, -30, -10, 30),
        (270, -30, -10, -10, 30),
    ],
)
def test_points_are_right_and_forward_of_a_radar_that_looks_clockwise_from_north(
    yaw_deg: float, east: float, north: float, right: float, forward: float
) -> None:
    points = [
        p
        for frame in seen(radar(yaw_deg=yaw_deg), [user(east, north, 1.0, 1.0)])
        for p in close(frame, right, forward)
    ]
    assert len(points) > FRAMES / 2
    assert mean([p[0] for p in points]) == pytest.approx(right, abs=0.15)
    assert mean([p[1] for p in points]) == pytest.approx(forward, abs=0.2)


def test_the_place_of_the_radar_is_taken_off_and_up_is_positive() -> None:
    frames = seen(radar(x=-24.0, y=-24.0), [user(-24.0, 6.0, 0.0, 1.0)])
    points = [p for frame in frames for p in close(frame, 0, 30)]
    assert mean([p[1] for p in points]) == pytest.approx(30, abs=0.2)
    assert mean([p[2] for p in points]) == pytest.approx(0.85 - HEIGHT_M, abs=0.05)


@pytest.mark.parametrize(("vx", "vy", "away"), [(0, 8, 8), (0, -8, -8), (8, 0, 0)])
def test_doppler_is_positive_for_what_moves_away(vx: float, vy: float, away: float) -> None:
    points = [p for frame in seen(radar(), [user(0, 30, vx, vy)]) for p in close(frame, 0, 30)]
    assert statistics.median(p[3] for p in points) == pytest.approx(away, abs=0.1)  # clutter is in there too


def test_noise_is_that_of_the_sensor() -> None:
    points = [p for frame in seen(radar(), [user(0, 40, 0, 5)], 3000) for p in close(frame, 0, 40)]
    moving = [p for p in points if abs(p[3] - 5) < 1]
    ranges = [math.hypot(p[0], p[1]) for p in moving]
    bearings = [math.atan2(p[0], p[1]) for p in moving]
    assert statistics.stdev(ranges) == pytest.approx(RANGE_SD_M, rel=0.25)  # and a body 0.5 m deep
    assert statistics.stdev(bearings) == pytest.approx(AZIMUTH_SD, rel=0.15)


@settings(deadline=None)
@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2), st.integers(0, 1000))
def test_what_stands_still_vanishes(vx: float, vy: float, seed: int) -> None:
    with_it, without = radar(seed), radar(seed)
    assert with_it.points([user(5, 30, vx, vy, "car")]) == without.points([])


@pytest.mark.parametrize(("x", "y"), [(0, 80), (40, 10), (-40, 10), (0, -30), (0, 2)])
def test_what_lies_outside_the_field_is_not_seen(x: float, y: float) -> None:
    assert radar(3).points([user(x, y, 0, 5, "bus")]) == radar(3).points([])


@pytest.mark.parametrize("cls", ["pedestrian", "car", "bus"])
def test_each_kind_is_detected_as_often_as_its_size_allows(cls: str) -> None:
    frames = seen(radar(), [user(0, 40, 0, 5, cls)], 2000)
    share = sum(bool([p for p in close(f, 0, 40, 8) if abs(p[3] - 5) < 0.8]) for f in frames) / len(frames)
    assert share == pytest.approx(DETECTS[cls], abs=0.03)


def test_a_vehicle_gives_one_to_five_points_over_its_body() -> None:
    counts, offsets = set(), []
    for frame in seen(radar(), [user(0, 40, 0, 5, "bus")]):
        points = [p for p in close(frame, 0, 40, 8) if abs(p[3] - 5) < 0.8]
        counts.add(len(points))
        offsets += [p[1] - 40 for p in points]
    assert {1, 2, 3, 4, 5} <= counts
    assert min(offsets) < -4
    assert max(offsets) > 3


def test_a_pedestrian_behind_a_bus_is_seen_far_less_often() -> None:
    walker, bus = user(0, 40, 1.5, 0), user(0, 30, 0, 5, "bus")

    def share(users: list[dict[str, Any]]) -> float:
        frames = seen(radar(), users, 1500)
        return sum(bool([p for p in close(f, 0, 40, 1.5) if abs(p[3]) < 0.8]) for f in frames) / len(frames)

    assert share([walker, bus]) < 0.5 * share([walker])
    assert share([walker, user(20, 30, 0, 5, "bus")]) == pytest.approx(share([walker]), abs=0.06)


def test_an_empty_road_gives_clutter_only() -> None:
    frames = seen(radar(), [], 3000)
    counts = [len(frame) for frame in frames]
    assert mean([float(count) for count in counts]) == pytest.approx(CLUTTER, abs=0.15)
    assert statistics.pvariance(counts) == pytest.approx(CLUTTER, rel=0.15)  # Poisson
    points = [point for frame in frames for point in frame]
    assert all(point[4] <= SLOW_CLUTTER_SNR for point in points)
    assert max(math.hypot(p[0], p[1]) for p in points) < RANGE_M + 5 * RANGE_SD_M


def test_ghosts_are_rare_and_stand_behind_with_the_doppler_of_their_maker() -> None:
    frames = seen(radar(), [user(0, 40, 0, 8)], 4000)
    ghosts = [p for f in frames for p in close(f, 0, 52, 2.5) if abs(p[3] - 8) < 0.8]
    hits = [p for f in frames for p in close(f, 0, 40, 2.5) if abs(p[3] - 8) < 0.8]
    assert 0.01 < len(ghosts) / len(hits) < 0.03


def test_the_same_seed_sees_the_same() -> None:
    users = [user(0, 30, 0, 5, "car"), user(10, 40, 1, 1)]
    assert seen(radar(9), users, 20) == seen(radar(9), users, 20) != seen(radar(8), users, 20)
