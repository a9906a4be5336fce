"""Faces and number plates as textures of two colours that nothing else in a picture has: to be looked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from hil.paint.bodies import to_world
from hil.paint.ground import Picture
from hil.paint.lens import View

MAGENTA, CYAN = (255, 0, 255), (255, 255, 0)
PLATE_M, FACE_M = (0.9, 0.45), (0.45, 0.45)  # larger than real ones, so that a few pixels show them
PLATE_UP_M, FACE_DOWN_M = 0.5, 0.5
CHECKS = 3
ON_FOOT = ("pedestrian", "bicycle", "motorcycle")
LEVELS = 100  # how far a colour's strong channels are above its weak one, to count as planted


def mark(picture: Picture, view: View, user: Mapping[str, Any]) -> None:
    """The face, or the plate at both ends, of a user where it turns to the camera."""
    face = user["cls"] in ON_FOOT
    wide, high = FACE_M if face else PLATE_M
    low = user["h"] - FACE_DOWN_M if face else PLATE_UP_M
    for end in (0.5, -0.5):
        forward = end * user["l"] * 1.02
        corners = np.array(
            [
                [forward, (column / CHECKS - 0.5) * wide, low + row / CHECKS * high]
                for row in range(CHECKS + 1)
                for column in range(CHECKS + 1)
            ]
        )
        world = to_world(corners, user["x"], user["y"], user["heading"])
        outward = to_world(np.array([[end, 0.0, 0.0]]), 0.0, 0.0, user["heading"])[0]
        eye = np.array([view.x, view.y, view.height_m]) - world[0]
        pixels, depth = view.project(world)
        if depth.min() > 1.0 and outward @ eye > 0:
            _checks(picture, pixels.reshape(CHECKS + 1, CHECKS + 1, 2))


def planted(picture: Picture) -> int:
    """How many pixels have one of the two colours, in any light."""
    return int(_mask(picture).sum())


def _mask(picture: Picture) -> Picture:
    blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
    magenta = np.minimum(blue, red) - green > LEVELS
    cyan = np.minimum(blue, green) - red > LEVELS
    return np.asarray(magenta | cyan, np.uint8)


def legible(picture: Picture) -> int:
    """How many pixels of the two colours hang together at the most: what could be read, if anything."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(_mask(picture), connectivity=8)
    return int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))


def _checks(picture: Picture, grid: Any) -> None:
    for row in range(CHECKS):
        for column in range(CHECKS):
            corners = (
                grid[row, column],
                grid[row, column + 1],
                grid[row + 1, column + 1],
                grid[row + 1, column],
            )
            outline = np.round(np.array(corners) * 8).astype(np.int32)
            colour = MAGENTA if (row + column) % 2 else CYAN
            cv2.fillConvexPoly(picture, outline, colour, cv2.LINE_AA, 3)
