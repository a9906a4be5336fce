"""A camera's pose and lens, the rig's own: metres east-north-up to pixels and back to the ground.

yaw_deg is that of the optical axis, clockwise from north; pitch_deg positive looks down; roll_deg turns the
picture clockwise; the principal point is the picture's centre.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Bend = tuple[float, ...]  # k1 k2 p1 p2 k3; empty: none
Maps = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
TURNS = 40  # of the iteration that takes a distortion back
CLOSE_PX = 0.02
WIDEST = 50.0  # slopes beyond this are beside the lens
MOST_MARGIN = 2.0  # of the picture: a lens that needs more around it is no lens of a camera on a pole


@dataclass(frozen=True)
class View:
    """Where a camera stands and what its picture is. distortion: k1 k2 p1 p2 k3 (Brown), empty for none."""

    x: float
    y: float
    height_m: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    focal_px: float
    width: int
    height: int
    distortion: Bend = ()

    def axes(self) -> Array:
        """Rows: the camera's right, down and forward in east, north, up."""
        yaw, pitch, roll = (math.radians(a) for a in (self.yaw_deg, self.pitch_deg, self.roll_deg))
        forward = np.array(
            [math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), -math.sin(pitch)]
        )
        right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
        down = np.cross(forward, right)
        turned_right = right * math.cos(roll) + down * math.sin(roll)
        turned_down = down * math.cos(roll) - right * math.sin(roll)
        return np.array([turned_right, turned_down, forward])

    @property
    def centre(self) -> Array:
        """The principal point, px."""
        return np.array([self.width / 2, self.height / 2])

    def project(self, points: Array) -> tuple[Array, Array]:
        """Pixels (n, 2) and depths (n,) of points (n, 3); what lies behind has a depth below zero."""
        relative = points - np.array([self.x, self.y, self.height_m])
        seen = relative @ self.axes().T
        depth = np.where(np.abs(seen[:, 2]) < 1e-6, 1e-6, seen[:, 2])
        slopes = _put(seen[:, :2] / depth[:, None], self.distortion)
        return slopes * self.focal_px + self.centre, seen[:, 2]

    def slopes(self, pixels: Array) -> Array:
        """Slopes right and down (n, 2) of the rays of pixels (n, 2)."""
        seen = (pixels - self.centre) / self.focal_px
        return unbent(seen, self.distortion) if self.distortion else seen

    def ground_homography(self) -> Array:
        """3x3 from ground metres (east, north, 1) to pixels; without the lens's distortion."""
        axes = self.axes()
        eye = np.array([self.x, self.y, self.height_m])
        lens = np.array([[self.focal_px, 0, self.width / 2], [0, self.focal_px, self.height / 2], [0, 0, 1]])
        outer = np.column_stack([axes[:, 0], axes[:, 1], -axes @ eye])
        homography: Array = lens @ outer
        return homography

    def flat(self) -> View:
        """The same without distortion, so wide that all of this picture is in it. Raises ValueError."""
        if not self.distortion:
            return self
        across, down = _margins(self.focal_px, self.width, self.height, self.distortion)
        return replace(self, width=self.width + 2 * across, height=self.height + 2 * down, distortion=())

    def through(self, flat: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """A picture of `flat()` as the lens shows it."""
        if not self.distortion:
            return flat
        maps = _maps(self.focal_px, self.width, self.height, self.distortion)
        return np.asarray(cv2.remap(flat, *maps, cv2.INTER_LINEAR), np.uint8)


def bent(slopes: Array, distortion: Bend) -> Array:
    """Brown's model, as the rig writes it: ray slopes (n, 2) to where the lens puts them."""
    k1, k2, p1, p2, k3 = distortion
    x, y = slopes.T
    r2 = (slopes**2).sum(axis=1)
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    dx = 2 * p1 * x * y + p2 * (r2 + 2 * x**2)
    dy = p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
    return np.column_stack([x * radial + dx, y * radial + dy])


def unbent(slopes: Array, distortion: Bend) -> Array:
    """The other way, by walking there."""
    found = slopes.copy()
    for _ in range(TURNS):
        found += slopes - bent(found, distortion)
    return found


def _put(slopes: Array, distortion: Bend) -> Array:
    """Like `bent`; rays so wide that the formula would fold them back go on outwards as the last one did."""
    if not distortion:
        return slopes
    wide = np.maximum(np.hypot(slopes[:, 0], slopes[:, 1]), 1e-9)
    beyond = np.maximum(1.0, wide / _edge(distortion))[:, None]
    return bent(slopes / beyond, distortion) * beyond


@functools.lru_cache(maxsize=8)
def _edge(distortion: Bend) -> float:
    """The slope where r (1 + k1 r^2 + k2 r^4 + k3 r^6) stops growing."""
    k1, k2, _, _, k3 = distortion
    r = np.linspace(0.0, WIDEST, 50_001)
    growth = 1 + 3 * k1 * r**2 + 5 * k2 * r**4 + 7 * k3 * r**6
    folds = np.flatnonzero(growth <= 0)
    return float(r[folds[0]]) if len(folds) else WIDEST


def _seen(focal_px: float, width: int, height: int, distortion: Bend) -> Array:
    """Slopes (height, width, 2) of every pixel. Raises ValueError where the lens cannot show one."""
    u, v = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    seen = (np.stack([u, v], -1).reshape(-1, 2) - [width / 2, height / 2]) / focal_px
    with np.errstate(all="ignore"):
        slopes = unbent(seen, distortion)
        off = np.abs(bent(slopes, distortion) - seen).max() * focal_px
    if not off < CLOSE_PX or np.hypot(*slopes.T).max() > _edge(distortion):
        raise ValueError(
            f"lens.distortion {list(distortion)}: this lens folds before the corner of a picture of "
            f"{width}x{height} px at {focal_px:g} px focal length; give a milder one or a longer focal length"
        )
    return slopes.reshape(height, width, 2)


@functools.lru_cache(maxsize=4)
def _margins(focal_px: float, width: int, height: int, distortion: Bend) -> tuple[int, int]:
    """Pixels to add on each side, across and down."""
    slopes = np.abs(_seen(focal_px, width, height, distortion)) * focal_px
    across, down = (
        max(0, math.ceil(slopes[..., axis].max() - side / 2) + 2) for axis, side in enumerate((width, height))
    )
    if across > MOST_MARGIN * width or down > MOST_MARGIN * height:
        raise ValueError(f"lens.distortion {list(distortion)}: bends the picture's edge by {across} px")
    return across, down


@functools.lru_cache(maxsize=4)
def _maps(focal_px: float, width: int, height: int, distortion: Bend) -> Maps:
    """For every pixel of the bent picture, where it is in the flat one."""
    across, down = _margins(focal_px, width, height, distortion)
    spots = _seen(focal_px, width, height, distortion) * focal_px
    spots += [width / 2 + across, height / 2 + down]
    return spots[..., 0].astype(np.float32), spots[..., 1].astype(np.float32)
