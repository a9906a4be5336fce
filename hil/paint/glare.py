"""A low sun into the lens: a veil that is thickest towards the sun, and a streak through it."""

from __future__ import annotations

import functools
import math

import cv2
import numpy as np
import numpy.typing as npt

from hil.paint.ground import Picture
from hil.paint.lens import Array, View

LIGHT_BGR = (215.0, 240.0, 255.0)
THICKEST = 0.97  # of the picture that the veil takes where the sun itself stands
HALF_DEG = 14.0  # so far from the sun half of the veil is left; falls as 1/angle^2, as light strays in glass
STREAK, STREAK_DEG, STREAK_REACH_DEG = 0.5, 0.6, 30.0  # its share, half its width, how far it reaches
STREAK_LEANS = 0.35  # right for each down: along the wiper's and the dust's strokes
COARSE = 4  # the veil is smooth: worked out for every fourth pixel
Share = npt.NDArray[np.float32]


def sun_towards(sun_deg: float, sun_height: float) -> Array:
    """Unit vector east, north, up to the sun: shadows point to sun_deg, sun_height long for each metre."""
    away = math.radians(sun_deg + 180.0)
    up = math.atan2(1.0, sun_height)
    return np.array([math.sin(away) * math.cos(up), math.cos(away) * math.cos(up), math.sin(up)])


def glared(picture: Picture, view: View, sun_deg: float, sun_height: float, strength: float) -> Picture:
    """What the camera makes of a scene with the sun there. strength: 0 a clean glass, 1 a dusty one."""
    share = veil(view, sun_deg, sun_height)
    if share is None:
        return picture
    taken = (share * min(1.0, strength))[:, :, None]
    return np.asarray(picture * (1 - taken) + taken * np.array(LIGHT_BGR, np.float32), np.uint8)


@functools.lru_cache(maxsize=4)
def veil(view: View, sun_deg: float, sun_height: float) -> Share | None:
    """How much of each pixel is stray light, (height, width), 0..1; None with the sun behind the glass."""
    sun = view.axes() @ sun_towards(sun_deg, sun_height)  # right, down, forward
    if sun[2] <= 0:
        return None
    u, v = np.meshgrid(np.arange(0, view.width, COARSE), np.arange(0, view.height, COARSE))
    slopes = view.slopes(np.stack([u, v], -1).reshape(-1, 2).astype(np.float64))
    rays = np.column_stack([slopes, np.ones(len(slopes))])
    rays /= np.linalg.norm(rays, axis=1)[:, None]
    away_deg = np.degrees(np.arccos(np.clip(rays @ sun, -1.0, 1.0)))
    share = THICKEST / (1.0 + (away_deg / HALF_DEG) ** 2)
    share += (1.0 - share) * STREAK * _streak(rays, sun)
    share *= sun[2]  # what falls on the glass goes with the cosine
    small = share.reshape(u.shape).astype(np.float32)
    return np.asarray(
        cv2.resize(small, (view.width, view.height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _streak(rays: Array, sun: Array) -> Array:
    """A band through the sun's place, fading along it: 1 at the sun."""
    along = np.array([STREAK_LEANS, 1.0, 0.0])
    along -= (along @ sun) * sun
    along /= np.linalg.norm(along)
    across = np.cross(along, sun)
    aside_deg = np.degrees(np.arcsin(np.clip(rays @ across, -1.0, 1.0)))
    far_deg = np.degrees(np.arctan2(np.abs(rays @ along), rays @ sun))
    return np.asarray(np.exp(-0.5 * (aside_deg / STREAK_DEG) ** 2) * np.exp(-far_deg / STREAK_REACH_DEG))
