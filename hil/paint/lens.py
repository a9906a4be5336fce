"""A camera's pose and pinhole lens, the rig's own: metres east-north-up to pixels and back to the ground.

yaw_deg is that of the optical axis, clockwise from north; pitch_deg positive looks down; roll_deg turns the
picture clockwise; the principal point is the picture's centre.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """Where a camera stands and what its picture is."""

    x: float
    y: float
    height_m: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    focal_px: float
    width: int
    height: int

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

    def project(self, points: Array) -> tuple[Array, Array]:
        """Pixels (n, 2) and depths (n,) of points (n, 3); what lies behind has a depth below zero."""
        relative = points - np.array([self.x, self.y, self.height_m])
        seen = relative @ self.axes().T
        depth = np.where(np.abs(seen[:, 2]) < 1e-6, 1e-6, seen[:, 2])
        pixels = seen[:, :2] / depth[:, None] * self.focal_px + np.array([self.width / 2, self.height / 2])
        return pixels, seen[:, 2]

    def ground_homography(self) -> Array:
        """3x3 from ground metres (east, north, 1) to pixels."""
        axes = self.axes()
        eye = np.array([self.x, self.y, self.height_m])
        lens = np.array([[self.focal_px, 0, self.width / 2], [0, self.focal_px, self.height / 2], [0, 0, 1]])
        outer = np.column_stack([axes[:, 0], axes[:, 1], -axes @ eye])
        homography: Array = lens @ outer
        return homography
