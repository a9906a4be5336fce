"""Pixels to the ground and back: a camera's pose and lens, and how sure a ground point is.

Pose: metres east and north of the reference point, height over a flat road; yaw of the optical axis clockwise
from north, pitch positive = down, roll turns the picture clockwise.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import axes_of

Array = npt.NDArray[np.float64]
PIXEL_SD = 2.0  # of a ground point in the picture
TILT_SD = math.radians(0.05)  # of the pole; its effect grows with the square of the distance
LEAST_DROP = 0.02  # rays flatter than this (rad-like) meet the road too far away to mean anything


class PoseLike(Protocol):
    """What settings give."""

    @property
    def x_east_m(self) -> float: ...

    @property
    def y_north_m(self) -> float: ...

    @property
    def height_m(self) -> float: ...

    @property
    def yaw_deg(self) -> float: ...

    @property
    def pitch_deg(self) -> float: ...

    @property
    def roll_deg(self) -> float: ...


class GroundCamera:
    """One calibrated camera over a flat road."""

    def __init__(self, pose: PoseLike, focal_px: float, width_px: int, height_px: int) -> None:
        """Through a lens without distortion whose principal point is the picture's centre."""
        self.lens = PinholeLens(width_px, height_px, focal_px, focal_px, width_px / 2, height_px / 2)
        self.yaw_deg = pose.yaw_deg
        self.eye = np.array([pose.x_east_m, pose.y_north_m, pose.height_m])
        self._right, self._down, self._axis = axes_of(pose.yaw_deg, pose.pitch_deg, pose.roll_deg)

    @classmethod
    def through(cls, pose: PoseLike, lens: PinholeLens) -> GroundCamera:
        """Through any lens."""
        camera = cls(pose, lens.fx, lens.width, lens.height)
        camera.lens = lens
        return camera

    def to_ground(self, pixels: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Ground points (n, 2) of pixels (n, 2), and which of them meet the road at all."""
        off, good = self.lens.rays(pixels)
        rays = self._axis + off[:, :1] * self._right + off[:, 1:] * self._down
        drop = -rays[:, 2]
        good = good & (drop > LEAST_DROP)
        reach = self.eye[2] / np.where(good, drop, 1.0)
        return self.eye[:2] + rays[:, :2] * reach[:, None], good

    def to_pixels(self, points: Array) -> tuple[Array, Array]:
        """Pixels (n, 2) and depths (n,) of points (n, 3)."""
        relative = points - self.eye
        depth = relative @ self._axis
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        slopes = np.column_stack([relative @ self._right, relative @ self._down]) / safe[:, None]
        return self.lens.pixels(slopes), depth

    def covariance(self, points: Array) -> Array:
        """(n, 2, 2): along the ray r^2/(h f) a pixel and the pole's tilt, across it r/f a pixel."""
        relative = points - self.eye[:2]
        away = np.maximum(1.0, np.hypot(relative[:, 0], relative[:, 1]))
        height = self.eye[2]
        slant2 = away**2 + height**2
        along = np.hypot(slant2 / (height * self.lens.fy) * PIXEL_SD, slant2 / height * TILT_SD) + 0.15
        across = away / self.lens.fx * PIXEL_SD + 0.12
        return turned(relative / away[:, None], along**2, across**2)


class GroundRadar:
    """One mounted radar: its own frame (forward, left) to east and north."""

    RANGE_SD_M, AZIMUTH_SD = 0.3, math.radians(1.0)

    def __init__(self, pose: PoseLike) -> None:
        self._at = np.array([pose.x_east_m, pose.y_north_m])
        self._height = pose.height_m
        yaw = math.radians(pose.yaw_deg)
        self._forward = np.array([math.sin(yaw), math.cos(yaw)])
        self._left = np.array([-math.cos(yaw), math.sin(yaw)])

    @property
    def place(self) -> Array:
        """Where it stands, (2,)."""
        return self._at

    def to_ground(self, forward: Array, left: Array) -> Array:
        """Ground points (n, 2). The slant range is laid onto the road."""
        slant = np.hypot(forward, left)
        flat = np.sqrt(np.maximum(1.0, slant**2 - self._height**2))
        scale = np.where(slant > self._height, flat / np.maximum(slant, 1e-6), 1.0)
        plane = forward[:, None] * self._forward + left[:, None] * self._left
        return np.asarray(self._at + plane * scale[:, None], np.float64)

    def turned_out(self, velocities: Array) -> Array:
        """Velocities (n, 2) forward and left as east and north."""
        return np.asarray(velocities[:, :1] * self._forward + velocities[:, 1:] * self._left, np.float64)

    def rays(self, points: Array) -> Array:
        """Unit vectors from the radar to the points: what doppler measures along."""
        relative = points - self._at
        away = np.maximum(1.0, np.hypot(relative[:, 0], relative[:, 1]))
        return np.asarray(relative / away[:, None], np.float64)

    def covariance(self, points: Array) -> Array:
        """(n, 2, 2) from polar noise."""
        relative = points - self._at
        away = np.maximum(1.0, np.hypot(relative[:, 0], relative[:, 1]))
        along = np.full_like(away, self.RANGE_SD_M**2)
        return turned(relative / away[:, None], along, (away * self.AZIMUTH_SD) ** 2 + 0.01)


def turned(unit: Array, along: Array, across: Array) -> Array:
    """Covariances with these variances along and across unit vectors."""
    ux, uy = unit[:, 0], unit[:, 1]
    matrix: Any = np.empty((len(unit), 2, 2))
    matrix[:, 0, 0] = along * ux * ux + across * uy * uy
    matrix[:, 1, 1] = along * uy * uy + across * ux * ux
    matrix[:, 0, 1] = matrix[:, 1, 0] = (along - across) * ux * uy
    return np.asarray(matrix, np.float64)
