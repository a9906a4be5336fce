"""Lenses: a pixel to a ray and back, through distortion, at the rim and beyond it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.survey import BENT, VIEW, bent
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.settings.sections import Lens

LENS = PinholeLens(1920, 1080, 1400.0, 1390.0, 950.0, 545.0, (-0.17, 0.12, 0.001, -0.0005, 0.01))


@dataclass(frozen=True)
class Pose:
    x_east_m: float = 3.0
    y_north_m: float = -4.0
    height_m: float = 7.0
    yaw_deg: float = 120.0
    pitch_deg: float = 14.0
    roll_deg: float = 1.0


def test_distortion_is_opencvs() -> None:
    dice = np.random.default_rng(1)
    slopes = np.column_stack([dice.uniform(-0.6, 0.6, 50), dice.uniform(-0.35, 0.35, 50)])
    theirs, _ = cv2.projectPoints(
        np.column_stack([slopes, np.ones(50)]),
        np.zeros(3),
        np.zeros(3),
        LENS.matrix,
        np.array(LENS.distortion),
    )
    assert LENS.pixels(slopes) == pytest.approx(theirs.reshape(-1, 2), abs=1e-6)


def test_distortion_is_the_rigs() -> None:
    lens = PinholeLens(VIEW.width, VIEW.height, 1.0, 1.0, 0.0, 0.0, BENT)
    slopes = np.random.default_rng(2).uniform(-0.7, 0.7, (50, 2))
    assert lens.pixels(slopes) == pytest.approx(bent(slopes), abs=1e-9)


@given(st.floats(0, 1920), st.floats(0, 1080))
def test_every_pixel_of_the_picture_has_a_ray_that_leads_back(u: float, v: float) -> None:
    slopes, good = LENS.rays(np.array([[u, v]]))
    assert good.all()
    assert LENS.pixels(slopes)[0] == pytest.approx((u, v), abs=1e-2)


def test_what_distortion_cannot_have_made_has_no_ray() -> None:
    barrel = PinholeLens(640, 384, 300.0, 300.0, 320.0, 192.0, (-0.4, 0.0, 0.0, 0.0, 0.0))
    _, good = barrel.rays(np.array([[320.0, 192.0], [5000.0, 192.0]]))
    assert good.tolist() == [True, False]


def test_a_place_far_beside_does_not_fold_back_into_the_picture() -> None:
    barrel = PinholeLens(640, 384, 400.0, 400.0, 320.0, 192.0, (-0.35, 0.0, 0.0, 0.0, 0.0))
    wide = barrel.pixels(np.column_stack([np.linspace(1.0, 60.0, 200), np.zeros(200)]))
    assert not barrel.in_picture(wide).any()
    assert (np.diff(wide[:, 0]) >= -1e-9).all()


def test_ground_points_go_through_the_lens_and_back() -> None:
    eye = GroundCamera.through(Pose(), LENS)
    yaw = math.radians(Pose().yaw_deg)
    places = np.array([
        [3.0 + d * math.sin(yaw + a), -4.0 + d * math.cos(yaw + a), 0.0]
        for d in (15, 40, 80) for a in (-0.3, 0.0, 0.3)
    ])  # fmt: skip
    pixels, depths = eye.to_pixels(places)
    assert (depths > 0).all()
    back, good = eye.to_ground(pixels)
    assert good.all()
    assert back == pytest.approx(places[:, :2], abs=0.02)


def test_a_simple_lens_gives_what_it_always_gave() -> None:
    simple = GroundCamera(Pose(), 430.0, 640, 384)
    through = GroundCamera.through(Pose(), PinholeLens.of(Lens(width_px=640, height_px=384, focal_px=430.0)))
    pixels = np.random.default_rng(3).uniform((0, 150), (640, 384), (40, 2))
    for ours, theirs in zip(simple.to_ground(pixels), through.to_ground(pixels), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_site_files_lens_is_taken_with_all_that_it_says() -> None:
    told = Lens(width_px=1920, height_px=1080, fx_px=1400.0, fy_px=1390.0, cx_px=950.0, cy_px=545.0,
                distortion=[-0.17, 0.12, 0.001, -0.0005, 0.01])  # fmt: skip
    assert PinholeLens.of(told) == LENS
