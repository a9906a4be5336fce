"""What a detector finds in a picture: candidates of the net's own picture, detections of the camera's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rsu_agent.world.road_user import UserClass

Array = npt.NDArray[Any]
Box = tuple[float, float, float, float]

FARTHEST_PX = 1e6  # nothing in a picture reaches so far beyond it; not a number is not nearer


@dataclass(frozen=True, slots=True)
class Detection:
    """One user in a picture; box (left, top, right, bottom) and ground point in pixels of that picture.

    grounded: the net itself gave the ground point, under the body's middle; else it is the middle of the
    box's bottom edge, near the body's nearest corner (see footprint.py).
    """

    kind: UserClass
    score: float
    box: Box
    ground: tuple[float, float]
    grounded: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a head decoded: boxes (n, 4) left, top, right, bottom in pixels of the net's input picture,
    scores (n,), classes (n,) as numbered in the file, and ground points (n, 2) where the net gives them."""

    boxes: Array
    scores: Array
    classes: Array
    grounds: Array | None = None

    def pick(self, chosen: Array) -> Candidates:
        """Some of them, by index or mask, in that order."""
        grounds = None if self.grounds is None else self.grounds[chosen]
        return Candidates(self.boxes[chosen], self.scores[chosen], self.classes[chosen], grounds)

    def sound(self) -> Array:
        """(n,) whether a candidate is made of numbers and its box is one."""
        boxes = self.boxes
        good = (np.abs(boxes) < FARTHEST_PX).all(axis=1) & np.isfinite(self.scores)
        good &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        return good if self.grounds is None else good & (np.abs(self.grounds) < FARTHEST_PX).all(axis=1)


def centred(centres: Array, sizes: Array) -> Array:
    """Boxes (n, 4) of centres (n, 2) and sizes (n, 2)."""
    half = np.asarray(sizes, np.float64) / 2
    middle = np.asarray(centres, np.float64)
    return np.concatenate([middle - half, middle + half], axis=1)


def nothing() -> Candidates:
    """No candidates."""
    return Candidates(np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.intp))
