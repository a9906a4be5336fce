"""A still with the crossing drawn over it as the calibrated camera sees it: what the technician signs off."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.surveyed import GroundPoint
from rsu_agent.world.crossing import Crossing, Lane, LaneRole, Points

Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]
STEP_M = 0.5  # straight lines are bent by a lens: they are drawn in such pieces
NEAREST_M = 1.0
ARCS_M = (20.0, 40.0, 60.0)
LANE, STOP, WALK, ARC = (255, 200, 60), (60, 60, 255), (60, 220, 255), (230, 230, 230)  # blue, green, red
GOOD, BAD, INK = (90, 255, 90), (70, 70, 255), (0, 0, 0)


def drawn(
    still: Image,
    camera: GroundCamera,
    crossing: Crossing,
    points: Sequence[GroundPoint],
    bad: Collection[str],
) -> Image:
    """The picture. A ring is where a point should be, a cross where it was clicked; red: does not fit."""
    picture = np.ascontiguousarray(still.copy())
    thick = max(1, round(still.shape[1] / 900))
    for radius in ARCS_M:
        _line(picture, camera, _arc(camera.eye, radius), ARC, 1)
        _label(picture, camera, _ahead(camera, radius), f"{radius:.0f} m", thick)
    for lane in crossing.lanes:
        for edge in _edges(lane):
            _line(picture, camera, edge, LANE, thick)
    for walk in crossing.crosswalks:
        _line(picture, camera, (*walk.points, walk.points[0]), WALK, thick)
    for lane in crossing.lanes:
        if lane.role is LaneRole.ENTRY:
            _line(picture, camera, _stop(lane), STOP, 2 * thick)
    for number, point in enumerate(points, 1):
        _point(picture, camera, point, str(number), BAD if point.name in bad else GOOD, thick)
    return picture


def _edges(lane: Lane) -> Iterator[Points]:
    """Both edges of a lane."""
    for side in (-0.5, 0.5):
        yield tuple(_beside(a, b, at, side * lane.width_m) for a, b in pairwise(lane.points) for at in (a, b))


def _stop(lane: Lane) -> Points:
    a, b = lane.points[-2], lane.points[-1]
    return _beside(a, b, b, -lane.width_m / 2), _beside(a, b, b, lane.width_m / 2)


def _beside(
    a: tuple[float, float], b: tuple[float, float], at: tuple[float, float], off_m: float
) -> tuple[float, float]:
    """The place so far to the right of `at`, looking from a to b."""
    length = math.dist(a, b) or 1.0
    return at[0] + (b[1] - a[1]) / length * off_m, at[1] - (b[0] - a[0]) / length * off_m


def _arc(eye: Array, radius: float) -> Points:
    angles = np.radians(np.arange(0, 361, 2))
    return tuple((eye[0] + radius * math.sin(a), eye[1] + radius * math.cos(a)) for a in angles)


def _ahead(camera: GroundCamera, away_m: float) -> tuple[float, float]:
    yaw = math.radians(camera.yaw_deg)
    return camera.eye[0] + away_m * math.sin(yaw), camera.eye[1] + away_m * math.cos(yaw)


def _line(picture: Image, camera: GroundCamera, points: Points, colour: tuple[int, ...], thick: int) -> None:
    """A line on the ground, piece by piece; pieces behind the camera or outside the picture are left out."""
    fine = [points[0]]
    for a, b in pairwise(points):
        pieces = max(1, math.ceil(math.dist(a, b) / STEP_M))
        fine += [
            (a[0] + (b[0] - a[0]) * k / pieces, a[1] + (b[1] - a[1]) * k / pieces)
            for k in range(1, pieces + 1)
        ]
    pixels, depths = camera.to_pixels(np.array([(x, y, 0.0) for x, y in fine]))
    seen = (depths > NEAREST_M) & camera.lens.in_picture(pixels, -50.0)
    spots = np.round(np.where(seen[:, None], pixels, 0.0) * 8).astype(np.int32)
    for k in np.flatnonzero(seen[:-1] & seen[1:]):
        p, q = (tuple(map(int, spot)) for spot in spots[k : k + 2])
        cv2.line(picture, p, q, colour, thick, cv2.LINE_AA, 3)


def _label(picture: Image, camera: GroundCamera, place: tuple[float, float], text: str, thick: int) -> None:
    pixels, depths = camera.to_pixels(np.array([(*place, 0.0)]))
    if depths[0] > NEAREST_M and camera.lens.in_picture(pixels)[0]:
        _text(picture, (int(pixels[0, 0]) + 4, int(pixels[0, 1]) - 4), text, ARC, thick)


def _point(
    picture: Image, camera: GroundCamera, point: GroundPoint, number: str, colour: tuple[int, ...], thick: int
) -> None:
    expected, depths = camera.to_pixels(np.array([(point.east_m, point.north_m, 0.0)]))
    size = 5 * thick
    u, v = round(point.u_px), round(point.v_px)
    for ink, wide in ((INK, thick + 2), (colour, thick)):
        cv2.line(picture, (u - size, v), (u + size, v), ink, wide)
        cv2.line(picture, (u, v - size), (u, v + size), ink, wide)
        if depths[0] > NEAREST_M and camera.lens.in_picture(expected)[0]:
            cv2.circle(
                picture, (round(expected[0, 0]), round(expected[0, 1])), size + 2, ink, wide, cv2.LINE_AA
            )
    name = f"{number} {point.name}" if point.name.isascii() else number  # the font has Latin letters only
    _text(picture, (u + size + 3, v - size), name, colour, thick)


def _text(picture: Image, at: tuple[int, int], text: str, colour: tuple[int, ...], thick: int) -> None:
    for ink, wide in ((INK, thick + 2), (colour, thick)):
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45 * thick, ink, wide, cv2.LINE_AA)
