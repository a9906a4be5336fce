"""A camera's pose between the site file's words and OpenCV's: place and angles, rotation and translation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CameraPose:
    """As in the site file: metres in the crossing's frame, height over the road, degrees (ground.py)."""

    x_east_m: float
    y_north_m: float
    height_m: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float = 0.0

    def rounded(self) -> CameraPose:
        """To a millimetre and a thousandth of a degree: a quarter of a centimetre at 150 m."""
        metres = (round(each, 3) for each in (self.x_east_m, self.y_north_m, self.height_m))
        degrees = (round(each, 3) + 0.0 for each in (self.yaw_deg, self.pitch_deg, self.roll_deg))
        return CameraPose(*metres, *degrees)


def axes_of(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Array:
    """Rows: the camera's right, down and forward in east, north, up (3, 3)."""
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    ahead = np.array([math.sin(yaw), math.cos(yaw), 0.0])
    forward = ahead * math.cos(pitch) + np.array([0.0, 0.0, -math.sin(pitch)])
    level_right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
    level_down = -ahead * math.sin(pitch) + np.array([0.0, 0.0, -math.cos(pitch)])
    right = level_right * math.cos(roll) + level_down * math.sin(roll)
    down = level_down * math.cos(roll) - level_right * math.sin(roll)
    return np.array([right, down, forward])


def pose_of(rotation: Array, translation: Array, road_m: float = 0.0) -> CameraPose:
    """From x = R X + t (X east, north, up in metres; x right, down, forward). road_m: the road's own up."""
    eye = -rotation.T @ translation.reshape(3)
    right, _, forward = rotation
    yaw = math.atan2(forward[0], forward[1])
    pitch = math.asin(max(-1.0, min(1.0, -float(forward[2]))))
    level_right, level_down, _ = axes_of(math.degrees(yaw), math.degrees(pitch), 0.0)
    roll = math.atan2(float(right @ level_down), float(right @ level_right))
    height = float(eye[2]) - road_m
    angles = math.degrees(yaw) % 360.0, math.degrees(pitch), math.degrees(roll)
    return CameraPose(float(eye[0]), float(eye[1]), height, *angles)
