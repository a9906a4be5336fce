"""What a net is fed with: the picture, and the other inputs that some families have."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from rsu_agent.perception.heads.detection import Array
from rsu_agent.perception.heads.rt_detr import SIZES
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.model_refused import ModelRefused
from rsu_agent.perception.onnx import Tensor

LEAST_PX, MOST_PX = 32, 4096
RADAR = "radar"
REAL = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
WHOLE = {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(float)": "float32"}


class Feeds:
    """The inputs of one file. Raises ModelRefused for inputs that nobody knows how to feed."""

    def __init__(
        self, inputs: tuple[Tensor, ...], said: Sidecar, metadata: Mapping[str, str], file: str
    ) -> None:
        self._file = file
        image = self._image(inputs)
        self.image, self.dtype = image.name, REAL[image.kind]
        self.width, self.height = self._size(image, said, metadata)
        self._others = {t.name: self._other(t) for t in inputs if t.name != image.name}
        self.radar = RADAR in self._others

    def of(self, blob: Array, radar: Array | None = None) -> dict[str, Any]:
        """blob: (1, 3, H, W); radar: uint8 (2, H/4, W/4), None = nothing was seen by radar."""
        feeds = {self.image: blob, **self._others}
        if radar is not None and self.radar:
            feeds[RADAR] = radar[None].astype(np.float32) / 255
        return feeds

    def grey(self) -> dict[str, Any]:
        """A plain picture to try the net with."""
        return self.of(np.full((1, 3, self.height, self.width), 1, self.dtype))

    def _image(self, inputs: tuple[Tensor, ...]) -> Tensor:
        pictures = [t for t in inputs if len(t.shape) == 4 and t.name != RADAR]
        if len(pictures) != 1:
            raise ModelRefused(f"{self._file}: one picture input [1, 3, H, W] is needed; {_listed(inputs)}")
        (image,) = pictures
        batch, channels = image.shape[:2]
        if image.kind not in REAL or (isinstance(channels, int) and channels != 3):
            kinds = ", ".join(kind[7:-1] for kind in REAL)
            raise ModelRefused(
                f"{self._file}: input {image}: [1, 3, H, W] of {kinds} is needed; export it channels first"
            )
        if isinstance(batch, int) and batch not in (0, 1):
            raise ModelRefused(f"{self._file}: input {image}: export it with batch 1, not {batch}")
        return image

    def _size(self, image: Tensor, said: Sidecar, metadata: Mapping[str, str]) -> tuple[int, int]:
        """(width, height): fixed in the file, else of the sidecar, else `imgsz` (height, width)."""
        high, wide = image.shape[2:]
        fixed = (wide, high) if isinstance(wide, int) and isinstance(high, int) and wide > 0 < high else None
        if fixed and said.size and fixed != said.size:
            raise ModelRefused(f"{self._file}: model.toml: size {said.size}, but the file takes only {fixed}")
        size = fixed or said.size or _imgsz(metadata)
        if size is None:
            raise ModelRefused(
                f"{self._file}: input {image} has no fixed size; write size = [WIDTH, HEIGHT] into model.toml"
            )
        if not all(LEAST_PX <= side <= MOST_PX for side in size):
            raise ModelRefused(f"{self._file}: a picture of {size[0]} x {size[1]} pixels cannot be meant")
        return size

    def _other(self, tensor: Tensor) -> Array:
        if tensor.name == SIZES and tensor.kind in WHOLE:
            return np.array([[self.width, self.height]], WHOLE[tensor.kind])
        if tensor.name == RADAR and tensor.kind == "tensor(float)":
            return np.zeros((1, 2, self.height // 4, self.width // 4), np.float32)
        raise ModelRefused(f"{self._file}: nobody knows what to feed to input {tensor}; export it without")


def _imgsz(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    try:
        found = ast.literal_eval(metadata.get("imgsz", ""))
        high, wide = (found, found) if isinstance(found, int) else found
        return int(wide), int(high)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _listed(inputs: tuple[Tensor, ...]) -> str:
    return "it has " + "; ".join(map(str, inputs))
