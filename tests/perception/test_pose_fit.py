"""The best pose of ground points: both mirror solutions, who agrees, and a covariance that keeps its word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.perception.calibrate_camera import calibrate, expected_errors
from rsu_agent.perception.consensus import agreeing, exchanged, point_sds
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose, axes_of
from rsu_agent.perception.pose_fit import Fit, covariance, first_guesses, fits
from rsu_agent.perception.surveyed import CalibrationRefused, GroundPoint

LENS = PinholeLens(1920, 1080, 1400.0, 1400.0, 960.0, 540.0, (-0.17, 0.12, 0.0, 0.0, 0.0))
EYE = np.array([30.0, -40.0, 7.0])
AXES = axes_of(320.0, 14.0, -0.8)
Array = np.ndarray


def seen(places: Array) -> Array:
    """Pixels of the true camera."""
    ahead = (places - EYE) @ AXES.T
    return LENS.pixels(ahead[:, :2] / ahead[:, 2:])


def ground(ahead: Array, aside: Array) -> Array:
    """Places so far ahead of the camera and to its right, on the road."""
    forward = AXES[2, :2] / np.hypot(*AXES[2, :2])
    right = np.array([forward[1], -forward[0]])
    flat = EYE[:2] + np.outer(ahead, forward) + np.outer(aside, right)
    return np.column_stack([flat, np.zeros(len(flat))])


def spread(count: int, seed: int, nearest: float = 15.0, farthest: float = 50.0) -> Array:
    dice = np.random.default_rng(seed)
    return ground(np.linspace(nearest, farthest, count), dice.uniform(-9, 9, count))


def as_points(places: Array, clicks: Array) -> tuple[GroundPoint, ...]:
    rows = zip(places, clicks, strict=True)
    return tuple(GroundPoint(f"P{n}", *map(float, (*p, *c))) for n, (p, c) in enumerate(rows))


def bad_click(count: int, seed: int, bad: int) -> tuple[Array, Array, list[int]]:
    """Points of which some were clicked somewhere else."""
    dice = np.random.default_rng(seed)
    places = spread(count, seed)
    clicks = seen(places) + dice.normal(0, 1.0, (count, 2))
    which = sorted(map(int, dice.choice(count, bad, replace=False)))
    angle = dice.uniform(0, 2 * np.pi, bad)
    clicks[which] += np.column_stack([np.cos(angle), np.sin(angle)]) * dice.uniform(60, 400, (bad, 1))
    return places, clicks, which


@given(st.integers(0, 10_000))
def test_exact_points_give_the_pose_wherever_they_lie(seed: int) -> None:
    places = spread(8, seed)
    best = fits(LENS, places, seen(places))[0]
    assert best.eye == pytest.approx(EYE, abs=0.01)
    assert best.rotation == pytest.approx(AXES, abs=1e-4)
    assert best.rms_px < 0.05


def test_ippe_gives_two_mirror_solutions_and_only_one_of_them_fits_a_wide_layout() -> None:
    places = spread(10, 1)
    slopes, _ = LENS.rays(seen(places))
    assert len(first_guesses(places, slopes)) == 2
    found = fits(LENS, places, seen(places) + np.random.default_rng(1).normal(0, 1, (10, 2)))
    assert all(other.rms_px > 10 * found[0].rms_px for other in found[1:])


def test_points_on_a_line_give_nothing_or_no_pose_that_is_believed() -> None:
    places = ground(np.linspace(15, 50, 8), np.zeros(8))
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(LENS, as_points(places, seen(places)))
    assert caught.value.reason == "one_line"


def test_points_at_one_distance_are_refused() -> None:
    angles = np.linspace(-0.45, 0.45, 9)
    places = ground(40 * np.cos(angles) + np.tile([0.0, 4.0, 0.0], 3), 40 * np.sin(angles))
    with pytest.raises(CalibrationRefused) as caught:
        calibrate(LENS, as_points(places, seen(places)))
    assert caught.value.reason == "one_distance"
    assert "15 to 20 m" in caught.value.do


def test_points_behind_and_before_the_camera_give_no_pose() -> None:
    places = spread(8, 3)
    behind = places.copy()
    behind[::2, :2] = 2 * EYE[:2] - behind[::2, :2]
    with pytest.raises(CalibrationRefused):
        calibrate(LENS, as_points(behind, seen(places)))


def test_clicks_outside_what_the_lens_can_show_are_named() -> None:
    barrel = replace(LENS, distortion=(-0.5, 0.0, 0.0, 0.0, 0.0))
    places = spread(8, 1)
    clicks = seen(places)
    clicks[3] = [9000.0, 9000.0]
    with pytest.raises(CalibrationRefused, match="P3") as caught:
        calibrate(barrel, as_points(places, clicks))
    assert caught.value.reason == "no_ray"


@pytest.mark.parametrize(("count", "bad"), [(8, 1), (10, 2), (10, 3), (16, 5), (30, 10)])
@pytest.mark.parametrize("seed", range(3))
def test_the_bad_clicks_are_those_that_do_not_agree(count: int, bad: int, seed: int) -> None:
    places, clicks, which = bad_click(count, seed, bad)
    found = agreeing(LENS, places, clicks)
    assert found is not None
    assert np.flatnonzero(~found[1]).tolist() == which
    assert found[0].eye == pytest.approx(EYE, abs=0.6)


def test_the_same_points_give_the_same_answer_again() -> None:
    places, clicks, _ = bad_click(25, 5, 6)
    first, second = agreeing(LENS, places, clicks), agreeing(LENS, places, clicks)
    assert first is not None
    assert second is not None
    assert np.array_equal(first[0].turn, second[0].turn)
    assert np.array_equal(first[1], second[1])


def test_fewer_than_four_points_agree_on_nothing() -> None:
    places = spread(3, 1)
    assert agreeing(LENS, places, seen(places)) is None


def test_only_pairs_that_would_fit_each_other_are_told_as_exchanged() -> None:
    places = spread(9, 2)
    clicks = seen(places)
    fit = fits(LENS, places, clicks)[0]
    clicks[[2, 6]] = clicks[[6, 2]]
    clicks[4] += [100.0, 0.0]
    assert exchanged(fit, places, clicks, [2, 4, 6]) == [(2, 6)]
    assert exchanged(fit, places, clicks, [4]) == []


def test_a_near_point_may_lie_farther_off_in_pixels_than_a_far_one() -> None:
    places = ground(np.array([15.0, 45.0]), np.zeros(2))
    near, far = point_sds(true_fit(), places)
    assert near > 1.7 * far > 3.4


def true_fit() -> Fit:
    places = spread(10, 1)
    return fits(LENS, places, seen(places))[0]


def repeated(layout: Callable[[int], Array], up_sd: float = 1.0) -> tuple[Array, Array]:
    """Errors 40 m ahead of many surveys of a layout, and what was announced each time."""
    dice, errors, told = np.random.default_rng(8), [], []
    aim = ground(np.array([40.0]), np.zeros(1))
    for n in range(60):
        places = layout(n)
        clicks = seen(places) + dice.normal(0, 2.0, (len(places), 2))
        surveyed = places + dice.normal(0, 0.05, places.shape) * [1, 1, up_sd]
        fit = fits(LENS, surveyed, clicks)[0]
        errors.append(np.hypot(*(fit.on_plane(seen(aim), np.zeros(1))[0] - aim[0, :2])))
        told.append(expected_errors(fit, surveyed, 0.0)[1].pose_m)
    return np.array(errors), np.array(told)


def test_the_announced_error_is_the_one_that_is_made() -> None:
    errors, told = repeated(lambda n: spread(10, n))
    assert 0.5 < np.mean(errors < told) < 0.9
    assert np.mean(errors < 3 * told) > 0.97


def test_points_that_fit_badly_make_the_announced_error_larger() -> None:
    places = spread(12, 4)
    careful = seen(places)
    careless = careful + np.random.default_rng(2).normal(0, 8.0, (12, 2))
    sds = [np.sqrt(np.trace(covariance(fits(LENS, places, each)[0], places))) for each in (careful, careless)]
    assert sds[1] > 1.8 * sds[0]


def test_more_and_farther_points_are_announced_as_better() -> None:
    few, many, far = (
        expected_errors(fits(LENS, places, seen(places))[0], places, 0.0)[2].pose_m
        for places in (spread(8, 1), spread(24, 1), spread(8, 1, farthest=80.0))
    )
    assert many < few
    assert far < few


def test_what_is_announced_of_a_pixel_and_of_the_pole_is_the_known_rule() -> None:
    """A pixel is slant^2 / (h f) along, the pole's tilt slant^2 / h: field figures for h 7 m, f 1400 px."""
    pose = CameraPose(0.0, 0.0, 7.0, 0.0, 14.0)
    assert pose.height_m == 7.0
    rows = expected_errors(true_fit(), spread(10, 1), 0.0)
    assert [row.away_m for row in rows] == [20.0, 40.0, 60.0, 90.0]
    assert [row.pixel_m / 2 for row in rows] == pytest.approx([0.05, 0.17, 0.38, 0.83], rel=0.12)
    assert [row.tilt_m * 2 for row in rows] == pytest.approx([0.11, 0.41, 0.91, 2.0], rel=0.05)
    assert all(row.total_m >= max(row.pose_m, row.pixel_m, row.tilt_m) for row in rows)


def test_a_place_that_the_camera_does_not_see_is_told_as_such() -> None:
    steep = axes_of(0.0, 40.0, 0.0)
    places = np.array([(x, y, 0.0) for y in (4.0, 7.0, 11.0) for x in (-2.0, 0.0, 2.0)])
    ahead = (places - [0.0, 0.0, 7.0]) @ steep.T
    fit = fits(LENS, places, LENS.pixels(ahead[:, :2] / ahead[:, 2:]))[0]
    assert [row.in_picture for row in expected_errors(fit, places, 0.0)] == [True, False, False, False]
