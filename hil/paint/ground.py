"""The ground seen from above: carriageway, lane lines, crosswalks, patches and noise, ten pixels a metre."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from hil.world.crossing_read import RigCrossing

PIXELS_A_METRE = 10
HALF_M = 72.0
SIDE = int(2 * HALF_M * PIXELS_A_METRE)
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Ground:
    """A bird's-eye picture and the homography from metres to its pixels."""

    picture: Picture
    to_pixels: npt.NDArray[np.float64]


def _pixels(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    scaled = np.column_stack([points[:, 0] + HALF_M, HALF_M - points[:, 1]]) * PIXELS_A_METRE
    return np.round(scaled).astype(np.int32)


def paint_ground(crossing: RigCrossing, seed: int) -> Ground:
    """A texture of the crossing; another seed gives other colours, wear and noise."""
    random = np.random.default_rng(seed)
    verge = random.integers(60, 120, 3)
    picture = np.empty((SIDE, SIDE, 3), np.uint8)
    picture[:] = verge
    _blobs(picture, random, 60, 40)
    road = int(random.integers(55, 105))
    asphalt = (road + int(random.integers(-4, 5)), road, road + int(random.integers(-4, 5)))
    for lane in crossing.lanes.values():
        width = int((lane.width_m + 1.2) * PIXELS_A_METRE)
        cv2.polylines(picture, [_pixels(lane.points)], False, asphalt, width)
    hull = cv2.convexHull(np.vstack([_pixels(walk.outline) for walk in crossing.walks]))
    cv2.fillConvexPoly(picture, hull, asphalt)
    _patches(picture, random, road)
    _lines(picture, crossing, int(random.integers(170, 245)))
    noise = cv2.resize(random.normal(0, 7, (SIDE // 4, SIDE // 4, 1)).astype(np.float32), (SIDE, SIDE))
    fine = random.normal(0, 5, (SIDE, SIDE)).astype(np.float32)
    noisy = picture.astype(np.float32) + (noise + fine)[:, :, None]
    scale = np.array(
        [
            [PIXELS_A_METRE, 0, HALF_M * PIXELS_A_METRE],
            [0, -PIXELS_A_METRE, HALF_M * PIXELS_A_METRE],
            [0, 0, 1],
        ]
    )
    return Ground(np.clip(noisy, 0, 255).astype(np.uint8), scale)


def _blobs(picture: Picture, random: np.random.Generator, count: int, spread: int) -> None:
    for _ in range(count):
        x, y = random.integers(0, SIDE, 2)
        shift = random.integers(-spread, spread) + random.integers(-8, 9, 3)
        shade = np.clip(picture[y, x].astype(int) + shift, 0, 255)
        axes = random.integers(20, 160, 2)
        cv2.ellipse(picture, (int(x), int(y)), (int(axes[0]), int(axes[1])), 0, 0, 360, shade.tolist(), -1)


def _patches(picture: Picture, random: np.random.Generator, road: int) -> None:
    """Repairs and manholes in the carriageway."""
    for _ in range(40):
        x, y = random.integers(SIDE // 4, 3 * SIDE // 4, 2)
        shade = int(np.clip(road + random.integers(-18, 18), 20, 200))
        w, h = random.integers(4, 40, 2)
        if abs(int(picture[y, x, 1]) - road) < 10:
            cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), (shade, shade, shade), -1)


def _lines(picture: Picture, crossing: RigCrossing, white: int) -> None:
    paint = (white, white, white)
    for lane in crossing.lanes.values():
        a, b = lane.points[0], lane.points[-1]
        along = (b - a) / np.hypot(*(b - a))
        side = np.array([along[1], -along[0]]) * lane.width_m / 2
        for sign in (-1, 1):
            ends = _pixels(np.array([a + side * sign, b + side * sign]))
            cv2.line(picture, tuple(map(int, ends[0])), tuple(map(int, ends[1])), paint, 1)
        if lane.role == "entry":
            ends = _pixels(np.array([b - side, b + side]))
            cv2.line(picture, tuple(map(int, ends[0])), tuple(map(int, ends[1])), paint, 4)
    for walk in crossing.walks:
        _zebra(picture, walk.axis, paint)


def _zebra(picture: Picture, axis: npt.NDArray[np.float64], paint: tuple[int, int, int]) -> None:
    a, b = axis
    length = float(np.hypot(*(b - a)))
    along = (b - a) / length
    side = np.array([along[1], -along[0]]) * 1.9
    for start in np.arange(0.3, length - 0.5, 0.95):
        p, q = a + along * start, a + along * (start + 0.45)
        cv2.fillConvexPoly(picture, _pixels(np.array([p - side, q - side, q + side, p + side])), paint)
