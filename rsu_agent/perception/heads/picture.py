"""From a camera's picture to a net's input and back: fitting, colours, mean and deviation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from rsu_agent.perception.heads.detection import Array

Resize = Literal["stretch", "letterbox", "letterbox_centred"]
Colour = Literal["rgb", "bgr"]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Preparation:
    """(value - mean) / std of each channel, 0 to 255, in the order of `colour`.

    resize: `stretch` to the input's size, or keep the proportions and fill with `pad`: `letterbox` has the
    picture at the top left, `letterbox_centred` in the middle.
    """

    resize: Resize
    colour: Colour
    mean: Triple
    std: Triple
    pad: int = 114


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in a net's input: input = picture * scale + offset, for x and y."""

    scale: tuple[float, float]
    offset: tuple[float, float]

    def back(self, points: Array) -> Array:
        """Pixels of the picture from pixels of the input; points (n, 2 k) of x and y in turn."""
        times = points.shape[1] // 2
        found: Array = (points - np.tile(self.offset, times)) / np.tile(self.scale, times)
        return found


class Fitting:
    """Pictures into one net's input. Keeps a canvas: one for each thread."""

    def __init__(self, preparation: Preparation, width: int, height: int, dtype: str = "float32") -> None:
        self._way, self._size, self._dtype = preparation, (width, height), np.dtype(dtype)
        self._canvas = np.full((height, width, 3), preparation.pad, np.uint8)
        self._placed: tuple[int, int] | None = None
        params = cv2.dnn.Image2BlobParams()
        params.swapRB = preparation.colour == "rgb"
        if self._dtype == np.uint8:
            params.ddepth = cv2.CV_8U  # the graph itself takes bytes: mean and deviation are in there
        else:
            params.mean = (*preparation.mean, 0.0)
            params.scalefactor = (*(1.0 / std for std in preparation.std), 0.0)
        if preparation.resize == "stretch":
            params.size = self._size
        self._params = params

    def fit(self, image: Array) -> tuple[Array, Placement]:
        """(1, 3, H, W) of a BGR picture (h, w, 3) of any size, and where it lies in there."""
        high, wide = image.shape[:2]
        width, height = self._size
        if self._way.resize == "stretch":
            return self._blob(image), Placement((width / wide, height / high), (0.0, 0.0))
        ratio = min(width / wide, height / high)
        inner = max(1, round(wide * ratio)), max(1, round(high * ratio))
        left, top = 0, 0
        if self._way.resize == "letterbox_centred":
            left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        if self._placed != inner:
            self._canvas[:] = self._way.pad  # a camera's pictures have one size: seldom
            self._placed = inner
        cv2.resize(image, inner, dst=self._canvas[top : top + inner[1], left : left + inner[0]])
        return self._blob(self._canvas), Placement((inner[0] / wide, inner[1] / high), (left, top))

    def _blob(self, image: Array) -> Array:
        blob: Array = cv2.dnn.blobFromImageWithParams(image, self._params)
        return blob if blob.dtype == self._dtype else blob.astype(self._dtype)
