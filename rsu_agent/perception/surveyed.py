"""What a technician brings: ground points, surveyed and clicked; and why a calibration is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GroundPoint:
    """One point on the road: metres in the crossing's frame, and where it is in the picture (px)."""

    name: str
    east_m: float
    north_m: float
    up_m: float
    u_px: float
    v_px: float


def places(points: tuple[GroundPoint, ...]) -> Array:
    """East, north, up (n, 3)."""
    return np.array([(p.east_m, p.north_m, p.up_m) for p in points], np.float64).reshape(-1, 3)


def clicks(points: tuple[GroundPoint, ...]) -> Array:
    """Pixels (n, 2)."""
    return np.array([(p.u_px, p.v_px) for p in points], np.float64).reshape(-1, 2)


class CalibrationRefused(Exception):
    """What was brought does not make a calibration. reason: a stable word; do: what to do about it.

    values: the figures in the text, in order, for other languages. so_far: what was worked out before.
    """

    def __init__(self, reason: str, *values: object, so_far: Any = None) -> None:
        text, self.do = REFUSALS[reason]
        self.reason, self.values, self.so_far = reason, tuple(map(str, values)), so_far
        self.text = text.format(*values)
        super().__init__(f"{self.text}: {self.do}")


# reason -> what is wrong, what to do.
REFUSALS = {
    "few_points": (
        "{0} points with a place and a click, of which 6 are the least",
        "survey and click more: ten, better twenty, near and far, left and right",
    ),
    "four_points": (
        "four points always seem to fit and may be metres wrong at 60 m",
        "survey and click more: ten, better twenty, near and far, left and right",
    ),
    "one_line": (
        "the points lie along one line, {0} m wide at most",
        "add points to its left and right: corners of crossings on the other side of the road, other lanes",
    ),
    "near_only": (
        "far points are needed: only {0} lie beyond {1} m from the camera, the farthest at {2} m",
        "add three or more points beyond 40 m: stop-line ends and manholes of the far arm",
    ),
    "one_distance": (
        "the points lie between {0} and {1} m from the camera, which does not tell its height from its tilt",
        "add points at other distances: some at 15 to 20 m, some beyond 40 m",
    ),
    "no_ray": (
        "the lens's distortion cannot be taken back at {0}",
        "check the lens file: is it of this camera, this zoom and this picture size?",
    ),
    "no_pose": (
        "no place above the road from which the points would be seen so",
        "check that u and v, east and north are not exchanged, and that names belong to the right clicks",
    ),
    "two_poses": (
        "two different poses fit equally well ({0} and {1} px)",
        "add points far apart: near and far, left and right",
    ),
    "disagree": (
        "only {0} of {1} points agree with one another; not: {2}",
        "click these again, zoomed in, or survey them again; check that their names are not exchanged",
    ),
    "leave_one_out": (
        "a point left out is missed by {0} m within 40 m, of which 0.25 m are allowed",
        "click again, zoomed in, the points with the largest errors; check the lens file; add points",
    ),
}
