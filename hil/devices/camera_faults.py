"""What befalls a camera on a pole: out of focus, dirt on the glass, knocked aside, too few pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hil.paint.ground import Picture
from hil.paint.lens import View

SOFT_PX = 2.0  # of a picture 640 wide
KNOCK_DEG = 1.5
SLOWER = 4  # so many times fewer pictures
MUD_BGR = (70.0, 85.0, 95.0)
MUD_OPAQUE, MUD_EDGE = 0.92, 0.022  # how much of the light it takes; how soft its rim is, of the width
SPOTS = ((0.23, 0.52, 0.10), (0.66, 0.68, 0.13), (0.47, 0.86, 0.08))  # x, y, radius, of width and height


@dataclass
class Mishaps:
    """Those that are on; set while the camera runs."""

    defocus: bool = False
    dirt: bool = False
    shift: bool = False
    slow: bool = False

    def obey(self, name: str, on: Any) -> bool:
        """Whether this was one of them."""
        if name not in ("defocus", "dirt", "shift", "slow"):
            return False
        setattr(self, name, bool(on))
        return True

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
