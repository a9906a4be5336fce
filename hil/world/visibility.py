"""Who can be seen: the visible share in each camera's picture, and the free line of sight of each radar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.world.user import User

SAMPLES = 6  # points a side of a user's rectangle in the picture
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Eye:
    """A camera or radar of the site: where it is and what it is declared to see."""

    name: str
    kind: str
    x: float
    y: float
    height_m: float
    yaw_deg: float
    pitch_deg: float
    range_m: float
    half_angle_deg: float
    focal_px: float = 0.0
    width_px: int = 0
    height_px: int = 0

    def holds(self, x: float, y: float, margin_deg: float = 0.0) -> bool:
        """Whether a point lies in the declared field, so many degrees off its sides."""
        away, bearing = math.hypot(x - self.x, y - self.y), self.bearing_deg(x, y)
        return away <= self.range_m and abs(bearing) <= self.half_angle_deg - margin_deg

    def bearing_deg(self, x: float, y: float) -> float:
        """Of a point, off the axis, clockwise, -180 to 180."""
        bearing = math.degrees(math.atan2(x - self.x, y - self.y)) - self.yaw_deg
        return (bearing + 180.0) % 360.0 - 180.0


def eyes_of(site: dict[str, Any]) -> list[Eye]:
    """The sensors of a site file."""
    eyes = []
    for kind in ("cameras", "radars"):
        for entry in site.get(kind, []):
            pose, field, lens = entry["pose"], entry["field"], entry.get("lens", {})
            width, focal = lens.get("width_px", 0), lens.get("focal_px", 0.0)
            half = math.degrees(math.atan(width / 2 / focal)) if focal else field["half_angle_deg"]
            eyes.append(
                Eye(
                    entry["name"],
                    kind[:-1],
                    pose["x_east_m"],
                    pose["y_north_m"],
                    pose["height_m"],
                    pose["yaw_deg"],
                    pose.get("pitch_deg", 0.0),
                    field["range_m"],
                    half,
                    focal,
                    width,
                    lens.get("height_px", 0),
                )
            )
    return eyes


def seen(eye: Eye, users: Sequence[User]) -> dict[int, float]:
    """Visible share (0..1) by user id; users outside the declared field are absent."""
    boxes = []
    for user in users:
        distance = math.hypot(user.x - eye.x, user.y - eye.y)
        bearing = eye.bearing_deg(user.x, user.y)
        if 2.0 < distance < eye.range_m + 8.0 and abs(bearing) < eye.half_angle_deg + 12.0:
            inside = eye.holds(user.x, user.y)
            boxes.append((distance, inside, user.id, _rectangle(eye, user)))
    boxes.sort(key=lambda box: box[0])
    shares: dict[int, float] = {}
    nearer: list[Array] = []
    for _, inside, number, rectangle in boxes:
        if inside:
            shares[number] = _free(rectangle, nearer, eye)
        nearer.append(rectangle)
    return shares


def _rectangle(eye: Eye, user: User) -> Array:
    """(left, right, bottom, top) as angles from the eye, degrees."""
    length, width, height = user.size
    angle = math.radians(user.heading)
    forward, right = (math.sin(angle), math.cos(angle)), (math.cos(angle), -math.sin(angle))
    bearings, lows, highs = [], [], []
    for f in (-0.5, 0.5):
        for s in (-0.5, 0.5):
            dx = user.x + forward[0] * f * length + right[0] * s * width - eye.x
            dy = user.y + forward[1] * f * length + right[1] * s * width - eye.y
            distance = max(0.5, math.hypot(dx, dy))
            bearing = math.degrees(math.atan2(dx, dy)) - eye.yaw_deg
            bearings.append((bearing + 180.0) % 360.0 - 180.0)
            lows.append(math.degrees(math.atan2(-eye.height_m, distance)))
            highs.append(math.degrees(math.atan2(height - eye.height_m, distance)))
    return np.array([min(bearings), max(bearings), min(lows), max(highs)])


def _free(rectangle: Array, nearer: list[Array], eye: Eye) -> float:
    """Share of a rectangle that no nearer one covers and that lies in the picture."""
    part = (np.arange(SAMPLES) + 0.5) / SAMPLES
    across = rectangle[0] + (rectangle[1] - rectangle[0]) * part
    up = rectangle[2] + (rectangle[3] - rectangle[2]) * part
    free = np.ones((SAMPLES, SAMPLES), dtype=bool)
    if eye.focal_px:
        half_up = math.degrees(math.atan(eye.height_px / 2 / eye.focal_px))
        free &= ((up > -eye.pitch_deg - half_up) & (up < -eye.pitch_deg + half_up))[:, None]
        free &= (np.abs(across) < eye.half_angle_deg)[None, :]
    for left, right, low, high in nearer:
        covered = ((up > low) & (up < high))[:, None] & ((across > left) & (across < right))[None, :]
        free &= ~covered
    return float(free.mean())
