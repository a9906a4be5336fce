"""A camera's pose from surveyed points: found, told how sure it is, refused with what to do."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.survey import BENT, VIEW, chosen, pixels
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.perception.calibrate_camera import Calibration, calibrate
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose, axes_of, pose_of
from rsu_agent.perception.surveyed import REFUSALS, CalibrationRefused, GroundPoint
from rsu_agent.ports.assets import asset

LENS = PinholeLens(VIEW.width, VIEW.height, VIEW.focal_px, VIEW.focal_px, 960.0, 540.0, BENT)
CROSSING = read_rig_crossing(asset("config/crossings/virtual.geojson"))


def surveyed(
    count: int = 14, *, seed: int = 1, click_px: float = 0.7, survey_m: float = 0.02
) -> tuple[GroundPoint, ...]:
    """Marks of the virtual crossing by the rig's own projection, surveyed and clicked with errors."""
    dice = np.random.default_rng(seed)
    found = []
    for name, place in chosen(CROSSING, count).items():
        spot = pixels(np.array([[*place, 0.0]]))[0][0] + dice.normal(0, click_px, 2)
        east, north = np.array(place) + dice.normal(0, survey_m, 2)
        found.append(GroundPoint(name, float(east), float(north), 0.0, float(spot[0]), float(spot[1])))
    return tuple(found)


def off(found: Calibration, away_m: float) -> float:
    """By how much a place straight ahead is missed."""
    yaw = math.radians(VIEW.yaw_deg)
    place = np.array([[VIEW.x + away_m * math.sin(yaw), VIEW.y + away_m * math.cos(yaw), 0.0]])
    spots, _ = pixels(place)
    return float(np.hypot(*(GroundCamera.through(found.pose, LENS).to_ground(spots)[0][0] - place[0, :2])))


def refusal(points: tuple[GroundPoint, ...], lens: PinholeLens = LENS) -> CalibrationRefused:
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(lens, points)
    assert caught.value.do in str(caught.value), "a refusal says what to do"
    return caught.value


def test_exact_points_give_the_rigs_own_pose() -> None:
    found = calibrate(LENS, surveyed(click_px=0.0, survey_m=0.0))
    assert (found.pose.x_east_m, found.pose.y_north_m) == pytest.approx((VIEW.x, VIEW.y), abs=2e-3)
    assert found.pose.height_m == pytest.approx(VIEW.height_m, abs=2e-3)
    angles = found.pose.yaw_deg, found.pose.pitch_deg, found.pose.roll_deg
    assert angles == pytest.approx((VIEW.yaw_deg, VIEW.pitch_deg, VIEW.roll_deg), abs=5e-3)
    assert found.rms_px < 0.01
    assert found.bad == ()


@pytest.mark.parametrize("seed", range(5))
def test_points_as_they_are_surveyed_place_the_road_within_what_was_announced(seed: int) -> None:
    found = calibrate(LENS, surveyed(seed=seed))
    for row in found.expected[:3]:
        assert off(found, row.away_m) < 3.5 * row.pose_m
    assert found.left_out_m < 0.25
    assert off(found, 40.0) < 0.25


def test_a_road_that_lies_higher_than_the_reference_point_is_taken_as_it_lies() -> None:
    raised = tuple(replace(point, up_m=31.4) for point in surveyed())
    found, level = calibrate(LENS, raised), calibrate(LENS, surveyed())
    assert found.road_m == pytest.approx(31.4)
    assert found.pose.height_m == pytest.approx(level.pose.height_m, abs=1e-3)


def test_a_road_that_is_not_level_is_told() -> None:
    points = surveyed(click_px=0.0, survey_m=0.0)
    ramp = []
    for point in points:
        up = 0.03 * (point.north_m - VIEW.y)
        spot = pixels(np.array([[point.east_m, point.north_m, up]]))[0][0]
        ramp.append(replace(point, up_m=up, u_px=float(spot[0]), v_px=float(spot[1])))
    found = calibrate(LENS, tuple(ramp))
    assert found.unlevel_m > 0.5
    assert calibrate(LENS, points).unlevel_m < 0.02


@pytest.mark.parametrize(("bad", "u", "v"), [(0, 40.0, 0.0), (6, 0.0, -35.0), (13, -60.0, 55.0)])
def test_a_bad_point_is_named_and_has_no_part_in_the_pose(bad: int, u: float, v: float) -> None:
    points = list(surveyed())
    points[bad] = replace(points[bad], u_px=points[bad].u_px + u, v_px=points[bad].v_px + v)
    found = calibrate(LENS, tuple(points))
    assert found.bad == (points[bad].name,)
    without = calibrate(LENS, tuple(p for p in points if p.name != points[bad].name))
    assert off(found, 60.0) == pytest.approx(off(without, 60.0), abs=0.02)


def test_two_points_with_each_others_click_are_told_as_a_pair() -> None:
    points = list(surveyed())
    a, b = points[2], points[9]
    points[2], points[9] = replace(a, u_px=b.u_px, v_px=b.v_px), replace(b, u_px=a.u_px, v_px=a.v_px)
    found = calibrate(LENS, tuple(points))
    assert set(found.bad) == {a.name, b.name}
    assert found.exchanged == ((a.name, b.name),)


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_fewer_than_six_points_are_refused(count: int) -> None:
    found = refusal(surveyed()[:count])
    assert (found.reason, found.values) == ("few_points", (str(count),))


def test_four_points_are_refused_by_name() -> None:
    assert refusal(surveyed()[:4]).reason == "four_points"


def test_points_along_one_line_are_refused() -> None:
    line = []
    for n in range(9):
        east, north = VIEW.x + 12 + 4.0 * n, VIEW.y + 14 + 4.0 * n
        spot = pixels(np.array([[east, north, 0.0]]))[0][0]
        line.append(GroundPoint(f"L{n}", east, north, 0.0, float(spot[0]), float(spot[1])))
    assert refusal(tuple(line)).reason == "one_line"
    beside = surveyed()[0]
    assert refusal((*line, beside)).reason == "one_line", "one point beside the line does not make a plane"


def test_near_points_alone_are_refused_and_far_ones_asked_for() -> None:
    near = []
    for n, (ahead, aside) in enumerate((a, s) for a in (16, 19, 22, 25) for s in (-5, 0, 5)):
        yaw = math.radians(VIEW.yaw_deg)
        east = VIEW.x + ahead * math.sin(yaw) + aside * math.cos(yaw)
        north = VIEW.y + ahead * math.cos(yaw) - aside * math.sin(yaw)
        spot = pixels(np.array([[east, north, 0.0]]))[0][0]
        near.append(GroundPoint(f"N{n}", east, north, 0.0, float(spot[0]), float(spot[1])))
    found = refusal(tuple(near))
    assert found.reason == "near_only"
    assert "beyond 40 m" in found.do


def test_half_of_the_points_wrong_are_refused_and_named() -> None:
    dice = np.random.default_rng(3)
    points = [
        replace(p, u_px=p.u_px + float(dice.uniform(80, 300)), v_px=p.v_px - float(dice.uniform(60, 200)))
        if n % 2
        else p
        for n, p in enumerate(surveyed())
    ]
    found = refusal(tuple(points))
    assert found.reason in ("disagree", "no_pose")
    assert points[1].name in found.values[-1]


def test_careless_clicks_are_refused_by_the_error_of_points_left_out() -> None:
    reasons = {refusal(surveyed(seed=seed, click_px=4.5, survey_m=0.25)).reason for seed in range(3)}
    assert reasons <= {"leave_one_out", "disagree"}
    careless = [refusal(surveyed(seed=seed, click_px=4.5, survey_m=0.25)) for seed in range(3)]
    told = [each for each in careless if each.reason == "leave_one_out"]
    assert told
    assert all(len(each.so_far.points) == 14 for each in told), "the points are told all the same"


def test_a_lens_of_another_zoom_is_refused() -> None:
    wrong = replace(LENS, fx=LENS.fx * 1.25, fy=LENS.fy * 1.25)
    assert refusal(surveyed(), wrong).reason in ("leave_one_out", "disagree")


def test_exchanged_axes_are_refused() -> None:
    swapped = tuple(replace(p, east_m=p.north_m, north_m=p.east_m) for p in surveyed())
    assert refusal(swapped).reason in ("disagree", "no_pose", "leave_one_out")


def test_the_same_points_in_any_order_give_the_same_pose() -> None:
    points = surveyed()
    shuffled = tuple(points[n] for n in np.random.default_rng(2).permutation(len(points)))
    assert calibrate(LENS, shuffled).pose.rounded() == calibrate(LENS, points).pose.rounded()


def test_every_refusal_says_what_is_wrong_and_what_to_do() -> None:
    for text, do in REFUSALS.values():
        assert text
        assert len(do) > 20


@given(
    yaw=st.floats(0, 359.9), pitch=st.floats(-40, 85), roll=st.floats(-40, 40), height=st.floats(1, 30),
    east=st.floats(-200, 200), north=st.floats(-200, 200),
)  # fmt: skip
def test_a_pose_survives_opencvs_words(
    yaw: float, pitch: float, roll: float, height: float, east: float, north: float
) -> None:
    rotation = axes_of(yaw, pitch, roll)
    found = pose_of(rotation, -rotation @ np.array([east, north, height + 3.0]), 3.0)
    assert (found.x_east_m, found.y_north_m, found.height_m) == pytest.approx((east, north, height), abs=1e-6)
    assert (found.pitch_deg, found.roll_deg) == pytest.approx((pitch, roll), abs=1e-6)
    assert math.cos(math.radians(found.yaw_deg - yaw)) == pytest.approx(1.0, abs=1e-9)
    assert CameraPose(0, 0, 1, -0.0, -0.0).rounded() == CameraPose(0, 0, 1, 0, 0, 0)
