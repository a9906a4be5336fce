"""What befalls a camera on a pole: out of focus, dirt, a knock, too few pictures, sun, a stingy encoder."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hil.paint.ground import Picture
from hil.paint.lens import View
from hil.paint.scene import Look

SOFT_PX = 2.0  # of a picture 640 wide
KNOCK_DEG = 1.5
SLOWER = 4  # so many times fewer pictures
MUD_BGR = (70.0, 85.0, 95.0)
MUD_OPAQUE, MUD_EDGE = 0.92, 0.022  # how much of the light it takes; how soft its rim is, of the width
SUN_ASIDE_DEG, SUN_UP_DEG = 9.0, 9.0  # of the glare: beside the optical axis, above the horizon
POOR_QUALITY = 12  # of JPEG: blocks of 8x8 px are plain to see
SWITCHED = ("defocus", "dirt", "rain", "shift", "slow")
SPOTS = ((0.23, 0.52, 0.10), (0.66, 0.68, 0.13), (0.47, 0.86, 0.08))  # x, y, radius, of width and height


@dataclass
class Mishaps:
    """Those that are on; set while the camera runs."""

    defocus: bool = False
    dirt: bool = False
    shift: bool = False
    slow: bool = False
    rain: bool = False
    glare: float = 0.0  # 0..1
    compression: int | None = None  # JPEG quality 1..100; None: the camera's own

    def obey(self, name: str, on: Any) -> bool:
        """Whether this was one of them. glare takes a strength 0..1, compression a quality 2..100."""
        if name == "glare":
            self.glare = min(1.0, max(0.0, float(on)))
        elif name == "compression":
            self.compression = _quality(on)
        elif name in SWITCHED:
            setattr(self, name, bool(on))
        else:
            return False
        return True

    def look(self, look: Look, view: View) -> Look:
        """Light and weather now: glare is a low sun ahead of the camera, wherever that looks."""
        if self.rain:
            look = replace(look, rain=True)
        if not self.glare:
            return look
        shadows_deg = (view.yaw_deg + SUN_ASIDE_DEG + 180.0) % 360.0
        length = 1.0 / math.tan(math.radians(SUN_UP_DEG))
        return replace(look, glare=self.glare, sun_deg=shadows_deg, sun_height=length)

    def view(self, view: View) -> View:
        """Where the camera looks now."""
        return replace(view, yaw_deg=view.yaw_deg + KNOCK_DEG) if self.shift else view

    def through(self, picture: Picture) -> Picture:
        """What comes through the lens."""
        if self.dirt:
            picture = dirtied(picture)
        if self.defocus:
            soft = SOFT_PX * picture.shape[1] / 640
            picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), soft), np.uint8)
        return picture

    def exposes(self, tick: int) -> bool:
        """Whether there is a picture at this tick of the camera's."""
        return not self.slow or tick % SLOWER == 0


def _quality(on: Any) -> int | None:
    """Of the encoder: on, off, or a number."""
    if isinstance(on, bool):
        return POOR_QUALITY if on else None
    return round(min(100.0, max(2.0, float(on)))) if on else None


def dirtied(picture: Picture) -> Picture:
    """Mud on the glass, far too near to be sharp."""
    share = mud(picture.shape[1], picture.shape[0])[:, :, None]
    return np.asarray(picture * (1 - share) + share * np.array(MUD_BGR), np.uint8)


def mud(width: int, height: int) -> npt.NDArray[np.float32]:
    """How much of the light each pixel lacks, (height, width), 0..1."""
    share = np.zeros((height, width), np.float32)
    for x, y, radius in SPOTS:
        cv2.circle(share, (round(x * width), round(y * height)), round(radius * width), 1.0, -1)
    return np.asarray(cv2.GaussianBlur(share, (0, 0), MUD_EDGE * width) * MUD_OPAQUE, np.float32)
