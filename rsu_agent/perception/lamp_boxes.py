"""Boxes around signal heads, what one picture may show in them, and the grid they are sampled on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Layout = Literal["vertical", "horizontal", "pair", "single"]

CELL = 6  # samples across one lamp's square cell
ABOVE, BESIDE = 3, 3  # samples of surroundings before and after, and on either side
ROWS, COLUMNS = 3 * CELL + 2 * ABOVE, CELL + 2 * BESIDE
SPOT_AT = ((0.0, 0.0), (-1.2, 0.0), (1.2, 0.0), (0.0, -1.2), (0.0, 1.2))  # samples from a lamp's middle

# The rows of `masks`. In threes: the first lamp's, the second's, the third's.
LAMPS, LEFT, RIGHT, ENDS = slice(0, 3), slice(3, 6), slice(6, 9), slice(9, 11)
HALOS, SPOTS = slice(11, 14), slice(14, 14 + 3 * len(SPOT_AT))


class Shine(IntEnum):
    """What one picture shows of one head; NOTHING_READ is not darkness."""

    NOTHING_READ = 0
    UNLIT = 1
    RED = 2
    YELLOW = 3
    GREEN = 4
    RED_YELLOW = 5


@dataclass(frozen=True, slots=True)
class HeadBox:
    """A box around one housing, in pixels. vertical: red on top; horizontal: red on the left.

    pair: red above green, as for pedestrians. single: one lamp, whose hue alone says its colour.
    """

    group: int
    left_px: int
    top_px: int
    width_px: int
    height_px: int
    layout: Layout = "vertical"

    @classmethod
    def of(cls, group: int, box: Sequence[int], layout: Layout) -> HeadBox:
        """From a site file's [left, top, width, height]."""
        left_px, top_px, width_px, height_px = box
        return cls(group, left_px, top_px, width_px, height_px, layout)

    def inside(self, width_px: int, height_px: int) -> bool:
        """Whether all of it lies in a picture of this size."""
        right_px, bottom_px = self.left_px + self.width_px, self.top_px + self.height_px
        return self.left_px >= 0 and self.top_px >= 0 and right_px <= width_px and bottom_px <= height_px


def samples(head: HeadBox) -> tuple[Floats, Floats]:
    """Pixel coordinates of a box's samples, (ROWS, COLUMNS) each, the lamps from red down to green."""
    cell = (np.arange(ROWS) - ABOVE + 0.5) / CELL
    along, across = cell / 3, (np.arange(COLUMNS) - BESIDE + 0.5) / CELL
    if head.layout == "single":
        along = cell - 1  # the box is the middle cell
    elif head.layout == "pair":
        along = np.where(cell < 1, cell, np.maximum(1.0, cell - 1)) / 2  # the middle cell has no height
    down, right = np.meshgrid(along, across, indexing="ij")
    if head.layout == "horizontal":
        down, right = right, down
    x, y = head.left_px + right * head.width_px - 0.5, head.top_px + down * head.height_px - 0.5
    return x.astype(np.float32), y.astype(np.float32)


def cells() -> npt.NDArray[np.int8]:
    """Which lamp's rows each sample lies in; -1 above all, 3 below."""
    row = (np.arange(ROWS) - ABOVE) // CELL
    return np.repeat(np.clip(row, -1, 3).astype(np.int8), COLUMNS)


def beside() -> Flags:
    """Samples beside or beyond the housing."""
    column, cell = np.tile(np.arange(COLUMNS), ROWS), cells()
    return (column < BESIDE) | (column >= BESIDE + CELL) | (cell < 0) | (cell > 2)


def masks(*, alone: bool) -> Floats:
    """(masks, samples) weights of the means over parts of a box; alone: one lamp in the middle cell."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] + 0.5
    across = x - COLUMNS / 2
    inner = np.abs(across) < CELL / 2
    lamps, halos, spots, left, right = [], [], [], [], []
    for place in range(3):
        down = y - (ABOVE + (place + 0.5) * CELL)
        rows, away = np.abs(down) < CELL / 2, np.hypot(down, across) / CELL
        lamps.append(away < 0.45)
        halos.append((away > 0.36) & (away < 0.6) & rows & inner)
        spots += [np.hypot(down - dy, across - dx) < 0.22 * CELL for dx, dy in SPOT_AT]
        left.append(rows & (across < -0.5 * CELL - 1))
        right.append(rows & (across > 0.5 * CELL + 1))
    ends = [(y < ABOVE - 1) & inner, (y > ROWS - ABOVE + 1) & inner]
    if alone:  # its own corners stand for unlit lamps; the rows beyond are surroundings
        down, count = y - ROWS / 2, len(SPOT_AT)
        corners = (np.abs(down) < CELL / 2) & inner & (np.hypot(down, across) > 0.52 * CELL)
        lamps = [corners & (down < 0), lamps[1], corners & (down > 0)]
        spots = [lamps[0]] * count + spots[count : 2 * count] + [lamps[2]] * count
        left, right = [left[1]] * 3, [right[1]] * 3
    flat = np.stack([*lamps, *left, *right, *ends, *halos, *spots]).reshape(SPOTS.stop, -1)
    weights: Floats = flat.astype(np.float32) / flat.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)
