"""A camera's or radar's pose on the south-west pole, to be changed where a test needs another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Pose:
    x_east_m: float = -16.0
    y_north_m: float = -19.0
    height_m: float = 8.0
    yaw_deg: float = 45.0
    pitch_deg: float = 12.0
    roll_deg: float = 0.0
