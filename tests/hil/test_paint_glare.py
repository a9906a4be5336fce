"""A low sun: contrast goes towards it and hardly elsewhere; the camera's faults glare and compression."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from hil.devices.camera_faults import POOR_QUALITY, SUN_UP_DEG, Mishaps
from hil.devices.fault_table import FAULTS, checked
from hil.paint.glare import STREAK, THICKEST, glared, sun_towards, veil
from hil.paint.ground import Picture
from hil.paint.lens import View
from hil.paint.scene import Look

VIEW = View(0.0, 0.0, 7.0, 45.0, 12.0, 0.0, 430.0, 640, 384)
LOW = 1.0 / math.tan(math.radians(9.0))  # shadows of a sun nine degrees above the horizon
DICE = np.random.default_rng(2)
PICTURE: Picture = DICE.integers(60, 160, (384, 640, 3), np.uint8)


def facing(bearing_deg: float) -> tuple[float, float]:
    """sun_deg and sun_height of a low sun in this direction."""
    return (bearing_deg + 180.0) % 360.0, LOW


def contrast(picture: Picture, u: float, v: float) -> float:
    """Of what was the same noise everywhere, around a pixel: from one pixel to the next."""
    patch = picture[max(0, int(v) - 8) : int(v) + 8, max(0, int(u) - 8) : int(u) + 8].astype(float)
    return float(np.diff(patch, axis=1).std())


def test_the_sun_stands_where_shadows_point_away_from() -> None:
    east, north, up = sun_towards(180.0, 1.0)
    assert (east, north) == pytest.approx((0.0, math.cos(math.pi / 4)), abs=1e-9)
    assert up == pytest.approx(math.sin(math.pi / 4))


def test_contrast_falls_towards_the_sun_and_hardly_at_the_far_side() -> None:
    sun = VIEW.project(np.array([[0.0, 0.0, 7.0]]) + 1e6 * sun_towards(*facing(70.0)))[0][0]
    assert 320 < sun[0] < 640, "this sun is in the right half of the picture"
    hazy = glared(PICTURE, VIEW, *facing(70.0), 1.0)
    near, far = contrast(hazy, sun[0], max(20, sun[1])), contrast(hazy, 30, 350)
    before = contrast(PICTURE, 320, 192)
    assert near < 0.25 * before
    assert far > 0.8 * before
    assert hazy.mean() > PICTURE.mean()


def test_the_thickest_place_is_the_suns_own_and_it_thins_with_the_angle() -> None:
    share = veil(VIEW, *facing(60.0))
    assert share is not None
    (u, v) = VIEW.project(np.array([[0.0, 0.0, 7.0]]) + 1e6 * sun_towards(*facing(60.0)))[0][0]
    top = np.unravel_index(int(share.argmax()), share.shape)
    assert (top[1], max(0.0, top[0])) == pytest.approx((u, max(0.0, v)), abs=8.0)
    level = share[int(max(0, v)) + 60, :]
    assert level[int(u) - 40] > level[int(u) - 150] > level[int(u) - 300]
    assert share.max() <= THICKEST + STREAK
    assert share.max() <= 1.0


def test_a_streak_runs_through_the_sun() -> None:
    share = veil(VIEW, *facing(45.0))
    assert share is not None
    line = share[150]
    peak = int(line.argmax())
    assert line[peak] > 1.2 * max(line[peak - 40], line[peak + 40])


@pytest.mark.parametrize("aside_deg", [110.0, 180.0, 250.0])
def test_a_sun_behind_the_glass_does_nothing(aside_deg: float) -> None:
    assert glared(PICTURE, VIEW, *facing(VIEW.yaw_deg + aside_deg), 1.0) is PICTURE


def test_the_farther_the_sun_is_aside_the_less_the_whole_picture_suffers() -> None:
    means = []
    for aside_deg in (10.0, 40.0, 70.0, 85.0):
        share = veil(VIEW, *facing(VIEW.yaw_deg + aside_deg))
        assert share is not None
        means.append(float(share.mean()))
    assert means == sorted(means, reverse=True)
    assert means[-1] < 0.05 * means[0]


def test_half_the_strength_is_half_the_veil() -> None:
    flat = np.full((384, 640, 3), 50, np.uint8)
    whole, half = (glared(flat, VIEW, *facing(45.0), strength).astype(float) - 50 for strength in (1.0, 0.5))
    assert np.abs(half - whole / 2).max() <= 1.0


def test_the_fault_puts_a_low_sun_ahead_of_the_camera_wherever_it_looks() -> None:
    mishaps = Mishaps()
    assert mishaps.look(Look(), VIEW) == Look()
    assert mishaps.obey("glare", True)
    for yaw in (0.0, 45.0, 300.0):
        view = View(0.0, 0.0, 7.0, yaw, 12.0, 0.0, 430.0, 640, 384)
        look = mishaps.look(Look(), view)
        sun = sun_towards(look.sun_deg, look.sun_height)
        assert math.degrees(math.asin(sun[2])) == pytest.approx(SUN_UP_DEG)
        (u, v), depth = (part[0] for part in view.project(np.array([[0.0, 0.0, 7.0]]) + 1e6 * sun))
        assert depth > 0
        assert 0 < u < 640
        assert -30 < v < 60
    assert mishaps.obey("glare", 0.4)
    assert mishaps.look(Look(), VIEW).glare == pytest.approx(0.4)
    assert mishaps.obey("glare", 7.0)
    assert mishaps.glare == 1.0
    assert mishaps.obey("glare", math.nan)
    assert mishaps.glare == 0.0
    assert mishaps.obey("glare", False)
    assert mishaps == Mishaps()


def test_the_encoder_gets_stingy_and_generous_again() -> None:
    mishaps = Mishaps()
    for said, quality in (
        (True, POOR_QUALITY),
        (30.0, 30),
        (1000.0, 100),
        (0.5, 2),
        (math.nan, 2),
        (math.inf, 100),
        (False, None),
    ):
        assert mishaps.obey("compression", said)
        assert mishaps.compression == quality
    sizes = [len(cv2.imencode(".jpg", PICTURE, [cv2.IMWRITE_JPEG_QUALITY, q])[1]) for q in (POOR_QUALITY, 85)]
    assert sizes[0] < 0.4 * sizes[1]


@pytest.mark.parametrize("name", ["glare", "compression"])
def test_the_table_knows_them(name: str) -> None:
    assert name in FAULTS["camera"]
    assert checked("camera", name) == ("camera", name)
