"""Where tracked bodies are in a camera's picture, also those that its border cuts and no detector finds."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.perception.heads.detection import Box
from rsu_agent.world.road_user import RoadUser

NEAREST_M = 0.5  # in front of the lens; what is nearer lies under the picture
SIDES = np.array([(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (0.0, 1.0)])


def outlines(eye: GroundCamera, users: Sequence[RoadUser]) -> list[Box]:
    """Boxes in pixels around the bodies that reach into the picture; one without a heading is square."""
    boxes = [_outline(eye, user) for user in users]
    return [box for box in boxes if box is not None]


def _outline(eye: GroundCamera, user: RoadUser) -> Box | None:
    width_m = user.length_m if user.heading_deg is None else user.width_m
    along, right, up = (SIDES * (user.length_m, width_m, user.height_m)).T
    angle = math.radians(user.heading_deg or 0.0)
    east = user.x_east_m + along * math.sin(angle) + right * math.cos(angle)
    north = user.y_north_m + along * math.cos(angle) - right * math.sin(angle)
    pixels, depth = eye.to_pixels(np.column_stack([east, north, up]))
    before = pixels[depth > NEAREST_M]
    if not len(before):
        return None
    (left, top), (right_px, bottom) = before.min(axis=0).tolist(), before.max(axis=0).tolist()
    width, height = eye.lens.width, eye.lens.height
    if len(before) < len(pixels):
        bottom = max(bottom, float(height))
    inside = left < width and right_px > 0 and top < height and bottom > 0
    return (left, top, right_px, bottom) if inside else None
