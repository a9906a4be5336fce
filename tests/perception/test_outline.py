"""Outlines of tracked bodies are where the painter paints them, also where the picture's border cuts them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hil.paint.lens import View
from hil.paint.scene import labels
from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.outline import outlines
from rsu_agent.perception.still import EVERY_S, FILL, LEAST_PICTURES, StillMaker
from rsu_agent.world.road_user import RoadUser, UserClass
from tests.perception.posed import Pose

EYE = GroundCamera(Pose(pitch_deg=14.0), 430.0, 640, 384)
VIEW = View(-16.0, -19.0, 8.0, 45.0, 14.0, 0.0, 430.0, 640, 384)


def body(x: float, y: float, heading: float | None, size: tuple[float, float, float]) -> RoadUser:
    return RoadUser(1, UserClass.CAR, x, y, 0, 0, 0, heading, *size, 0.2, ("cam",), 0.0)


def painted(x: float, y: float, heading: float, size: tuple[float, float, float]) -> Any:
    row = {"id": 1, "cls": "bus", "x": x, "y": y, "heading": heading, "shade": 0}
    row |= dict(zip(("l", "w", "h"), size, strict=True))
    return labels(VIEW, [row])[0].box


@pytest.mark.parametrize(
    ("x", "y", "heading"), [(0.0, 0.0, 90.0), (10.0, 12.0, 225.0), (-6.0, 9.0, 30.0), (22.0, -4.0, 0.0)]
)
def test_the_outline_is_where_the_painter_paints(x: float, y: float, heading: float) -> None:
    size = (11.0, 2.5, 3.1)
    (box,) = outlines(EYE, [body(x, y, heading, size)])
    assert box == pytest.approx(painted(x, y, heading, size), abs=8.0)


def test_who_is_behind_or_beside_the_camera_is_not_in_its_picture() -> None:
    assert outlines(EYE, [body(-40.0, -40.0, 0.0, (4.5, 1.8, 1.5)), body(-40, 10, 0, (4.5, 1.8, 1.5))]) == []


def test_whom_the_border_cuts_is_outlined_beyond_it() -> None:
    (box,) = outlines(EYE, [body(-9.5, -12.5, 45.0, (11.0, 2.5, 3.1))])
    assert box[1] < 384 < box[3]


def test_one_whose_heading_nobody_knows_is_outlined_for_every_heading() -> None:
    (square,) = outlines(EYE, [body(0.0, 0.0, None, (4.5, 1.8, 1.5))])
    for heading in (0.0, 90.0):
        (box,) = outlines(EYE, [body(0.0, 0.0, heading, (4.5, 1.8, 1.5))])
        assert square[0] <= box[0] + 1e-6
        assert square[2] >= box[2] - 1e-6


def test_a_tracked_body_that_no_detector_finds_is_filled_and_the_road_it_has_left_is_not() -> None:
    maker, dice = StillMaker(), np.random.default_rng(1)
    road = dice.integers(90, 120, (384, 640, 3)).astype(np.uint8)
    body_px = (500.0, 300.0, 640.0, 384.0)
    for step in range(LEAST_PICTURES + 1):
        picture = road.copy()
        picture[300:384, 500:640] = 30
        picture[300:384, 560:570] = 220
        gone = (20.0 * step, 100.0, 20.0 * step + 40, 160.0)
        picture[100:160, int(gone[0]) : int(gone[2])] = 10
        picture[120:140, int(gone[0]) : int(gone[2])] = 240
        maker.saw(picture, [body_px, gone], step * EVERY_S)
    still = maker.filled(maker.median(), lambda *_: [])
    assert (still.image[310:380, 510:630] == FILL).all()
    assert not (still.image[100:160] == FILL).all(axis=2).any()
