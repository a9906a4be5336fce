"""Road users as a few tapered boxes each: (from, to) fractions of length, width and height, taper, shade."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """A box: along -0.5 rear to 0.5 front, across -0.5 left to 0.5 right, up 0 to 1; taper of its top."""

    along: tuple[float, float]
    across: tuple[float, float]
    up: tuple[float, float]
    taper: float
    colour: tuple[int, int, int] | None  # None: the user's own paint; BGR otherwise


GLASS, TYRE, SKIN, DARK = (70, 60, 50), (25, 25, 25), (120, 150, 190), (45, 40, 40)
WHEELS = (
    Part((-0.40, -0.22), (-0.52, 0.52), (0.0, 0.30), 1.0, TYRE),
    Part((0.22, 0.40), (-0.52, 0.52), (0.0, 0.30), 1.0, TYRE),
)
RIDER = (
    Part((-0.22, 0.10), (-0.38, 0.38), (0.45, 0.85), 0.9, DARK),
    Part((-0.12, 0.08), (-0.2, 0.2), (0.85, 1.0), 0.9, SKIN),
)
PARTS: dict[str, tuple[Part, ...]] = {
    "car": (
        *WHEELS,
        Part((-0.5, 0.5), (-0.5, 0.5), (0.12, 0.58), 0.96, None),
        Part((-0.40, 0.22), (-0.44, 0.44), (0.58, 0.97), 0.75, GLASS),
        Part((-0.30, 0.10), (-0.40, 0.40), (0.94, 1.0), 0.9, None),
    ),
    "truck": (
        *WHEELS,
        Part((0.22, 0.5), (-0.48, 0.48), (0.12, 0.8), 0.95, None),
        Part((0.40, 0.505), (-0.42, 0.42), (0.48, 0.75), 0.95, GLASS),
        Part((-0.5, 0.2), (-0.5, 0.5), (0.25, 1.0), 1.0, (200, 205, 205)),
    ),
    "bus": (
        *WHEELS,
        Part((-0.5, 0.5), (-0.5, 0.5), (0.1, 1.0), 0.98, None),
        Part((-0.48, 0.505), (-0.505, 0.505), (0.48, 0.82), 1.0, GLASS),
    ),
    "motorcycle": (
        Part((-0.5, -0.2), (-0.12, 0.12), (0.0, 0.38), 1.0, TYRE),
        Part((0.2, 0.5), (-0.12, 0.12), (0.0, 0.38), 1.0, TYRE),
        Part((-0.42, 0.38), (-0.25, 0.25), (0.22, 0.55), 0.8, None),
        *RIDER,
    ),
    "bicycle": (
        Part((-0.5, -0.12), (-0.06, 0.06), (0.0, 0.40), 1.0, TYRE),
        Part((0.12, 0.5), (-0.06, 0.06), (0.0, 0.40), 1.0, TYRE),
        Part((-0.25, 0.35), (-0.1, 0.1), (0.25, 0.5), 0.7, None),
        *RIDER,
    ),
    "tricycle": (
        *WHEELS,
        Part((-0.5, 0.05), (-0.5, 0.5), (0.15, 0.75), 1.0, None),
        Part((0.05, 0.5), (-0.3, 0.3), (0.15, 0.5), 0.9, DARK),
        Part((0.05, 0.28), (-0.25, 0.25), (0.5, 1.0), 0.8, SKIN),
    ),
    "cart": (
        *WHEELS,
        Part((-0.5, 0.5), (-0.5, 0.5), (0.12, 0.95), 0.92, None),
        Part((0.3, 0.505), (-0.4, 0.4), (0.5, 0.85), 0.95, GLASS),
        Part((-0.05, 0.05), (-0.1, 0.1), (0.95, 1.0), 1.0, DARK),
    ),
    "pedestrian": (
        Part((-0.3, 0.3), (-0.35, 0.35), (0.0, 0.48), 0.9, DARK),
        Part((-0.4, 0.4), (-0.5, 0.5), (0.46, 0.83), 0.85, None),
        Part((-0.25, 0.25), (-0.22, 0.22), (0.84, 1.0), 0.9, SKIN),
    ),
}
PAINTS = (
    (235, 235, 235),
    (60, 60, 60),
    (30, 30, 150),
    (150, 90, 30),
    (160, 160, 165),
    (40, 120, 40),
    (40, 160, 220),
    (120, 60, 110),
)
# Corners of a box: bottom four then top four, counter-clockwise from rear left.
FACES = ((0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7))
NORMALS = np.array([[-1.0, 0, 0], [0, 1.0, 0], [1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])


def corners(part: Part, size: tuple[float, float, float]) -> Array:
    """Eight corners in the user's own frame: forward, right, up."""
    length, width, height = size
    (a, b), (c, d), (low, high) = part.along, part.across, part.up
    middle, half_a = (a + b) / 2, (b - a) / 2
    across, half_c = (c + d) / 2, (d - c) / 2
    points = []
    for up, taper in ((low, 1.0), (high, part.taper)):
        for f, s in ((-1, -1), (-1, 1), (1, 1), (1, -1)):
            forward = middle + f * half_a * taper
            right = across + s * half_c * taper
            points.append((forward * length, right * width, up * height))
    return np.array(points)


def rotation(heading_deg: float) -> Array:
    """Rows: forward and right of a heading, in east and north."""
    angle = math.radians(heading_deg)
    return np.array([[math.sin(angle), math.cos(angle)], [math.cos(angle), -math.sin(angle)]])


def to_world(points: Array, x: float, y: float, heading_deg: float) -> Array:
    """Points of the user's frame in east, north, up."""
    flat = points[:, :2] @ rotation(heading_deg)
    return np.column_stack([flat[:, 0] + x, flat[:, 1] + y, points[:, 2]])
