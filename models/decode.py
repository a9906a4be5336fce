"""Decoding the net's outputs, the reference in plain numpy: peaks, boxes, ground points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

STRIDE, SCALE, MOST = 8, 32.0, 80


@dataclass(frozen=True)
class Found:
    """One detection in pixels of the net's own picture."""

    cls: int
    score: float
    box: tuple[float, float, float, float]
    ground: tuple[float, float]


def decode(cls: npt.NDArray[Any], reg: npt.NDArray[Any], threshold: float) -> list[Found]:
    """cls [C, h, w] logits, reg [6, h, w]; the strongest peaks above the threshold."""
    scores = 1.0 / (1.0 + np.exp(-cls))
    peaks = np.stack(
        [scores[c] == cv2.dilate(scores[c], np.ones((3, 3), np.uint8)) for c in range(len(scores))]
    )
    classes, rows, columns = np.nonzero(peaks & (scores > threshold))
    order = np.argsort(-scores[classes, rows, columns])[:MOST]
    found = []
    for c, row, column in zip(classes[order], rows[order], columns[order], strict=True):
        x, y = column * STRIDE + STRIDE / 2, row * STRIDE + STRIDE / 2
        left, top, right, bottom, gx, gy = (float(value) for value in reg[:, row, column] * SCALE)
        box = (x - left, y - top, x + right, y + bottom)
        found.append(Found(int(c), float(scores[c, row, column]), box, (x + gx, y + gy)))
    return found
