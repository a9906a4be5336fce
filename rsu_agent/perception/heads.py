"""What a detector's outputs mean: our own centre-point head."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.onnx import Model, ModelRefused
from rsu_agent.world.road_user import UserClass

OURS = "rsu_centre_point"
MOST_PEAKS = 80
PILLAR_M = 1.8
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Detection:
    """One user in a picture; box and ground point in pixels of that picture."""

    kind: UserClass
    score: float
    box: tuple[float, float, float, float]
    ground: tuple[float, float]


class CentrePointDetector:
    """Inputs `image` [1, 3, H, W] and `radar` [1, 2, H/4, W/4]; outputs `cls` [1, C, H/8, W/8] and `reg`."""

    def __init__(self, path: Path, allow: Collection[str] = ()) -> None:
        self._model = Model(path, allow)
        if self._model.metadata.get("head") != OURS or set(self._model.inputs) != {"image", "radar"}:
            raise ModelRefused(
                f"{path.name}: no known head; inputs {self._model.inputs}, outputs {self._model.outputs}"
            )
        self.classes = tuple(UserClass(name) for name in self._model.metadata["classes"].split(","))
        self._height, self._width = self._model.inputs["image"][2:]
        self._stride = int(self._model.metadata["stride"])
        self._scale = float(self._model.metadata["scale"])
        self.provider = self._model.provider

    def detect(self, image: Array, radar: Array | None, threshold: float) -> list[Detection]:
        """Users in a BGR picture of any size. radar: uint8 (2, H/4, W/4), None = no radar."""
        size = (self._width, self._height)
        picture = cv2.dnn.blobFromImage(image, 1 / 255, size, (127.5, 127.5, 127.5), swapRB=True)
        returns = np.zeros((1, 2, self._height // 4, self._width // 4), np.float32)
        if radar is not None:
            returns[0] = radar.astype(np.float32) / 255
        cls, reg = self._model.run({"image": picture, "radar": returns})
        across, up = image.shape[1] / self._width, image.shape[0] / self._height
        return self._decode(cls[0], reg[0], threshold, across, up)

    def _decode(self, cls: Array, reg: Array, threshold: float, across: float, up: float) -> list[Detection]:
        scores = 1.0 / (1.0 + np.exp(-cls))
        strong = scores.max(axis=0) > threshold
        if not strong.any():
            return []
        kernel = np.ones((3, 3), np.uint8)
        peaks = np.stack([(plane == cv2.dilate(plane, kernel)) & (plane > threshold) for plane in scores])
        kinds, rows, columns = np.nonzero(peaks)
        order = np.argsort(-scores[kinds, rows, columns])[:MOST_PEAKS]
        found = []
        for kind, row, column in zip(kinds[order], rows[order], columns[order], strict=True):
            x = column * self._stride + self._stride / 2
            y = row * self._stride + self._stride / 2
            left, top, right, bottom, gx, gy = (float(v) for v in reg[:, row, column] * self._scale)
            box = ((x - left) * across, (y - top) * up, (x + right) * across, (y + bottom) * up)
            ground = ((x + gx) * across, (y + gy) * up)
            found.append(Detection(self.classes[kind], float(scores[kind, row, column]), box, ground))
        return _without_doubles(found)


def _without_doubles(found: list[Detection]) -> list[Detection]:
    """One user under two class names is one: the weaker of two boxes that share most of their area goes."""
    kept: list[Detection] = []
    for item in found:
        if all(_overlap(item.box, other.box) < 0.6 for other in kept):
            kept.append(item)
    return kept


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)
