"""A lens that bends: straight lines go where the formula says, bodies, heads and labels with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hil.devices.camera import view_of
from hil.paint.ground import HALF_M, PIXELS_A_METRE, SIDE, Ground, paint_ground
from hil.paint.lens import View, bent, unbent
from hil.paint.scene import LAMP_COLOURS, Look, head_outline, labels, paint
from hil.world.crossing_read import RigHead, read_rig_crossing
from hil.world.user import SIZES
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.ports.assets import asset

FLAT = View(0.0, 0.0, 7.0, 0.0, 16.0, 0.0, 480.0, 640, 384)  # looks north
BARREL = (-0.25, 0.06, 0.0, 0.0, 0.0)
CUSHION = (0.12, 0.02, 0.001, -0.002, 0.0)
PLAIN = Look(noise=0.0, sun_height=0.0)
FRINGE_PX = 5  # wheels and panes stand out of the body by some per cent, and its edges are smoothed
KERB_NORTH_M = 14.0


def striped() -> Ground:
    """A black ground with one white line from west to east, a pixel of the texture wide."""
    plain = paint_ground(read_rig_crossing(asset("config/crossings/virtual.geojson")), 3)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[round((HALF_M - KERB_NORTH_M) * PIXELS_A_METRE)] = 255
    return Ground(picture, plain.to_pixels)


def by_the_formula(east_m: float, distortion: tuple[float, ...]) -> tuple[float, float]:
    """Pixel of a place on the line, step by step: turn into the camera, divide, bend, scale."""
    pitch = np.radians(FLAT.pitch_deg)
    away, below = KERB_NORTH_M, FLAT.height_m
    forward = away * np.cos(pitch) + below * np.sin(pitch)
    down = below * np.cos(pitch) - away * np.sin(pitch)
    x, y = east_m / forward, down / forward
    r2 = x * x + y * y
    k1, k2, p1, p2, k3 = distortion
    radial = 1 + k1 * r2 + k2 * r2 * r2 + k3 * r2**3
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    v = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return 320 + 480 * u, 192 + 480 * v


@pytest.mark.parametrize("distortion", [BARREL, CUSHION])
def test_a_straight_line_is_bent_as_the_formula_says(distortion: tuple[float, ...]) -> None:
    picture = paint(replace(FLAT, distortion=distortion), striped(), [], [], {}, PLAIN)
    below = picture[150:, :, 1].astype(float)  # no sky
    found, told = [], []
    for east_m in np.linspace(-7.5, 7.5, 31):
        u, v = by_the_formula(float(east_m), distortion)
        column = below[:, round(u)]
        assert column.max() > 60, f"no line in column {u:.0f}"
        found.append(150 + float((column * np.arange(len(column))).sum() / column.sum()))
        told.append(v)
    assert np.abs(np.array(found) - told).max() < 0.8
    bow_px = abs(np.mean([found[0], found[-1]]) - found[len(found) // 2])
    assert bow_px > 2.0, "the line in this picture is not straight"


def row(cls: str, x: float, y: float, heading: float) -> dict[str, Any]:
    length, width, height = SIZES[cls]
    user = {"id": 1, "cls": cls, "x": x, "y": y, "vx": 0.0, "vy": 0.0, "heading": heading}
    return {**user, "l": length, "w": width, "h": height, "shade": 0, "brake": False}


@pytest.mark.parametrize("distortion", [BARREL, CUSHION])
@pytest.mark.parametrize(("cls", "x", "y"), [("car", 7.5, 15.0), ("bus", -9.0, 22.0), ("pedestrian", 5, 10)])
def test_a_label_holds_the_bent_body(distortion: tuple[float, ...], cls: str, x: float, y: float) -> None:
    view = replace(FLAT, distortion=distortion)
    ground = paint_ground(read_rig_crossing(asset("config/crossings/virtual.geojson")), 3)
    users = [row(cls, x, y, 37.0)]
    changed = (paint(view, ground, users, [], {}, PLAIN) != paint(view, ground, [], [], {}, PLAIN)).any(
        axis=2
    )
    rows, columns = np.nonzero(changed)
    (label,) = labels(view, users)
    left, top, right, bottom = label.box
    assert len(rows) > 20
    assert columns.min() >= left - FRINGE_PX
    assert columns.max() <= right + FRINGE_PX
    assert rows.min() >= top - FRINGE_PX
    assert rows.max() <= bottom + FRINGE_PX
    assert len(rows) / ((right - left) * (bottom - top)) > 0.2
    (straight,) = labels(FLAT, users)
    assert np.hypot(label.ground[0] - straight.ground[0], label.ground[1] - straight.ground[1]) > 2.0


@pytest.mark.parametrize("distortion", [BARREL, CUSHION])
def test_a_lamp_shines_where_its_outline_says(distortion: tuple[float, ...]) -> None:
    view = replace(FLAT, distortion=distortion)
    ground = paint_ground(read_rig_crossing(asset("config/crossings/virtual.geojson")), 3)
    head = RigHead(4, 7.0, 14.0, 5.5, 180.0, "round")
    outline = head_outline(view, head)
    assert outline is not None
    picture = paint(view, ground, [], [head], {4: "green"}, PLAIN)
    lit = (np.abs(picture.astype(int) - LAMP_COLOURS["green"]).sum(axis=2)) < 60
    rows, columns = np.nonzero(lit)
    assert (columns.mean(), rows.mean()) == pytest.approx(tuple(outline.lamps[2]), abs=1.0)


def test_pixels_agree_with_the_products_own_reading_of_a_lens() -> None:
    dice = np.random.default_rng(4)
    places = np.column_stack([dice.uniform(-8, 8, 200), dice.uniform(12, 60, 200), dice.uniform(0, 4, 200)])
    for distortion in (BARREL, CUSHION):
        view = replace(FLAT, distortion=distortion)
        seen = (places - [0.0, 0.0, FLAT.height_m]) @ view.axes().T
        theirs = PinholeLens(640, 384, 480.0, 480.0, 320.0, 192.0, distortion).pixels(
            seen[:, :2] / seen[:, 2:]
        )
        assert np.abs(view.project(places)[0] - theirs).max() < 1e-6


def test_a_ray_comes_back_through_the_lens() -> None:
    slopes = np.random.default_rng(5).uniform(-0.6, 0.6, (300, 2))
    for distortion in (BARREL, CUSHION):
        assert np.abs(unbent(bent(slopes, distortion), distortion) - slopes).max() < 1e-6


def test_what_is_far_beside_a_barrel_lens_is_not_folded_back_into_the_picture() -> None:
    view = replace(FLAT, distortion=BARREL)
    pixels, depth = view.project(np.array([[60.0, 6.0, 0.0], [400.0, 6.0, 0.0]]))
    assert (depth > 0).all()
    assert pixels[0, 0] > view.width
    assert pixels[1, 0] > pixels[0, 0]


def test_a_lens_that_cannot_show_its_own_corner_is_refused() -> None:
    with pytest.raises(ValueError, match="folds before the corner"):
        replace(FLAT, distortion=(-2.0, 0.0, 0.0, 0.0, 0.0)).flat()


def test_the_site_files_lens_is_the_cameras() -> None:
    pose = {"x_east_m": 1.0, "y_north_m": 2.0, "height_m": 7.0, "yaw_deg": 30.0}
    lens = {"focal_px": 430.0, "width_px": 640, "height_px": 384}
    assert view_of({"pose": pose, "lens": lens}).distortion == ()
    assert view_of({"pose": pose, "lens": {**lens, "distortion": [*BARREL]}}).distortion == BARREL
