"""The painted picture agrees with its labels, with the lens and with the lamps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.paint.bodies import PARTS, corners, to_world
from hil.paint.ground import Ground, paint_ground
from hil.paint.lens import View
from hil.paint.scene import FLASH_HZ, LAMP_COLOURS, Look, labels, paint
from hil.world.crossing_read import RigHead, read_rig_crossing
from hil.world.user import SIZES
from rsu_agent.ports.assets import asset

VIEW = View(0.0, 0.0, 7.0, 0.0, 16.0, 0.0, 480.0, 640, 384)  # looks north
PLAIN = Look(noise=0.0, sun_height=0.0)
FRINGE_PX = 5  # wheels and panes stand out of the body by some per cent, and its edges are smoothed


@pytest.fixture(scope="module")
def ground() -> Ground:
    return paint_ground(read_rig_crossing(asset("config/crossings/virtual.geojson")), 3)


def row(number: int, cls: str, x: float, y: float, heading: float = 0.0) -> dict[str, Any]:
    length, width, height = SIZES[cls]
    place = {"x": x, "y": y, "vx": 0.0, "vy": 0.0, "heading": heading}
    return {
        "id": number,
        "cls": cls,
        **place,
        "l": length,
        "w": width,
        "h": height,
        "shade": 0,
        "brake": False,
    }


@pytest.mark.parametrize("cls", sorted(SIZES))
@pytest.mark.parametrize("heading", [0.0, 37.0, 90.0, 200.0])
def test_a_user_is_painted_where_its_label_says_and_nowhere_else(
    ground: Ground, cls: str, heading: float
) -> None:
    users = [row(1, cls, 1.5, 25.0, heading)]
    empty = paint(VIEW, ground, [], [], {}, PLAIN)
    painted = paint(VIEW, ground, users, [], {}, PLAIN)
    rows, columns = np.nonzero((painted != empty).any(axis=2))
    (label,) = labels(VIEW, users)
    left, top, right, bottom = label.box
    assert len(rows) > 20
    assert columns.min() >= left - FRINGE_PX
    assert columns.max() <= right + FRINGE_PX
    assert rows.min() >= top - FRINGE_PX
    assert rows.max() <= bottom + FRINGE_PX
    share = len(rows) / ((right - left) * (bottom - top))
    assert share > 0.2, "the box is that of the body, not of the picture"


@given(x=st.floats(-8, 8), y=st.floats(15, 60), heading=st.floats(0, 360))
def test_a_ground_point_lies_under_the_body_and_comes_back_to_its_metres(
    x: float, y: float, heading: float
) -> None:
    (label,) = labels(VIEW, [row(1, "car", x, y, heading)])
    back = np.linalg.inv(VIEW.ground_homography()) @ [*label.ground, 1.0]
    assert back[:2] / back[2] == pytest.approx((x, y), abs=1e-6)
    left, top, right, bottom = label.box
    assert left < label.ground[0] < right
    assert top < label.ground[1] < bottom


def test_who_stands_behind_a_bus_is_labelled_as_hidden_and_who_is_beside_it_as_seen() -> None:
    bus = row(1, "bus", 0.0, 20.0, 90.0)
    found = {
        item.id: item.visible
        for item in labels(VIEW, [bus, row(2, "pedestrian", 0.0, 23.0), row(3, "car", 12.0, 22.0)])
    }
    assert found[1] > 0.9
    assert found[2] < 0.05
    assert found[3] > 0.9


def test_who_is_behind_the_camera_is_neither_painted_nor_labelled(ground: Ground) -> None:
    behind = [row(1, "bus", 0.0, -20.0)]
    assert labels(VIEW, behind) == []
    empty, painted = (paint(VIEW, ground, users, [], {}, PLAIN) for users in ([], behind))
    assert np.array_equal(empty, painted)


def test_the_same_look_paints_the_same_picture_and_another_seed_other_noise(ground: Ground) -> None:
    users = [row(1, "car", 0.0, 20.0)]
    one, same, other = (paint(VIEW, ground, users, [], {}, Look(noise=3.0, seed=seed)) for seed in (5, 5, 6))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def lamp_pixel(ground: Ground, facing: float, colour: str, which: int, t: float = 0.0) -> tuple[int, ...]:
    """What is painted in the middle of a head's lamp (0 red, 1 yellow, 2 green)."""
    head = RigHead(4, 0.0, 14.0, 5.5, facing, "round")
    up = (0.35, 0.0, -0.35)[which]
    pixels, _ = VIEW.project(np.array([[head.x, head.y, head.height_m + up]]))
    picture = paint(VIEW, ground, [], [head], {4: colour}, PLAIN, t)
    return tuple(int(v) for v in picture[int(pixels[0, 1]), int(pixels[0, 0])])


@pytest.mark.parametrize(("colour", "which"), [("red", 0), ("yellow", 1), ("green", 2)])
def test_the_lamp_that_shines_is_the_one_that_is_lit(ground: Ground, colour: str, which: int) -> None:
    for spot in range(3):
        lit = lamp_pixel(ground, 180.0, colour, spot) == LAMP_COLOURS[("red", "yellow", "green")[spot]]
        assert lit == (spot == which)


def test_red_and_yellow_shine_together_and_a_dark_head_not_at_all(ground: Ground) -> None:
    assert lamp_pixel(ground, 180.0, "red_yellow", 0) == LAMP_COLOURS["red"]
    assert lamp_pixel(ground, 180.0, "red_yellow", 1) == LAMP_COLOURS["yellow"]
    assert not {lamp_pixel(ground, 180.0, "dark", spot) for spot in range(3)} & set(LAMP_COLOURS.values())


def test_a_head_that_looks_away_shows_no_colour(ground: Ground) -> None:
    assert lamp_pixel(ground, 0.0, "green", 2) != LAMP_COLOURS["green"]


def test_a_flashing_lamp_is_lit_half_of_the_time(ground: Ground) -> None:
    times = [n / FLASH_HZ / 10 for n in range(20)]
    lit = [lamp_pixel(ground, 180.0, "green_flash", 2, t) == LAMP_COLOURS["green"] for t in times]
    assert sum(lit) == 10
    assert lit[0]
    assert not lit[5]


def test_night_is_darker_and_its_headlights_are_not(ground: Ground) -> None:
    users = [row(1, "car", 0.0, 22.0, 180.0)]
    day = paint(VIEW, ground, users, [], {}, PLAIN)
    night = paint(VIEW, ground, users, [], {}, Look(night=True, noise=0.0))
    assert night.mean() < 0.5 * day.mean()
    assert night.max() > 200


@given(cls=st.sampled_from(sorted(PARTS)), heading=st.floats(0, 360))
def test_no_part_of_a_body_lies_far_outside_the_size_that_the_truth_tells(cls: str, heading: float) -> None:
    size = SIZES[cls]
    for part in PARTS[cls]:
        world = to_world(corners(part, size), 10.0, -5.0, heading)
        reach = math.hypot(size[0], size[1]) / 2 * 1.06
        assert np.hypot(world[:, 0] - 10.0, world[:, 1] + 5.0).max() <= reach
        assert world[:, 2].min() >= 0.0
        assert world[:, 2].max() <= size[2] * 1.001
