"""What the net shall say of a sample: a heat map a class and six numbers a cell, at stride 8."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hil.paint.scene import Label
from models.scenes import CLASSES, HEIGHT, WIDTH

STRIDE, SCALE = 8, 32.0
ROWS, COLUMNS = HEIGHT // STRIDE, WIDTH // STRIDE
TRAINED_ABOVE = 0.45
Array = npt.NDArray[Any]


def targets(labels: list[Label]) -> tuple[Array, Array, Array]:
    """(heat [classes, rows, columns], reg [6, rows, columns], weight [rows, columns]); large boxes first."""
    heat = np.zeros((len(CLASSES), ROWS, COLUMNS), np.float32)
    reg = np.zeros((6, ROWS, COLUMNS), np.float32)
    weight = np.zeros((ROWS, COLUMNS), np.float32)
    ys, xs = np.mgrid[0:ROWS, 0:COLUMNS] * STRIDE + STRIDE / 2
    for label in sorted(labels, key=lambda item: -_area(item)):
        left, top, right, bottom = _clipped(label)
        cx, cy = (left + right) / 2, (top + bottom) / 2
        sx = max(0.6, 0.16 * (right - left) / STRIDE)
        sy = max(0.6, 0.16 * (bottom - top) / STRIDE)
        column, row = min(COLUMNS - 1, int(cx / STRIDE)), min(ROWS - 1, int(cy / STRIDE))
        gx = (np.arange(COLUMNS) - column) ** 2 / (2 * sx * sx)
        gy = (np.arange(ROWS) - row) ** 2 / (2 * sy * sy)
        bump = np.exp(-(gy[:, None] + gx[None, :])).astype(np.float32)
        plane = heat[CLASSES.index(label.cls)]
        np.maximum(plane, bump, out=plane)
        here = bump > TRAINED_ABOVE
        gxp, gyp = label.ground
        sides = (xs - left, ys - top, right - xs, bottom - ys, gxp - xs, gyp - ys)
        for i, side in enumerate(sides):
            reg[i][here] = (side / SCALE)[here]
        weight[here] = 1.0 / max(1, int(here.sum()))
    return heat, reg, weight


def _clipped(label: Label) -> tuple[float, float, float, float]:
    left, top, right, bottom = label.box
    return max(0.0, left), max(0.0, top), min(WIDTH - 1.0, right), min(HEIGHT - 1.0, bottom)


def _area(label: Label) -> float:
    left, top, right, bottom = label.box
    return (right - left) * (bottom - top)
