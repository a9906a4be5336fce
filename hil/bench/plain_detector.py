"""The straightforward way to look at a picture with the bundled net: what the product is measured against."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

Picture = npt.NDArray[Any]
STRIDE, SCALE = 8, 32.0
CPU = ["CPUExecutionProvider"]


def session(path: Path, threads: int = 0) -> ort.InferenceSession:
    """ONNX Runtime's default session; threads: 0 = as many as it likes."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    return ort.InferenceSession(str(path), options, providers=CPU)


def found(net: ort.InferenceSession, picture: Picture, threshold: float) -> list[tuple[float, ...]]:
    """Resize, normalise in numpy, run, look at peaks one by one: (class, score, box, ground point) rows."""
    _, _, height, width = net.get_inputs()[0].shape
    small = cv2.resize(picture, (width, height))[:, :, ::-1].astype(np.float32) / 255.0 - 0.5
    image = np.ascontiguousarray(small.transpose(2, 0, 1)[None])
    radar = np.zeros((1, 2, height // 4, width // 4), np.float32)
    cls, reg = net.run(["cls", "reg"], {"image": image, "radar": radar})
    scores = 1.0 / (1.0 + np.exp(-cls[0]))
    rows = []
    for kind, row, column in np.argwhere(scores > threshold):
        window = scores[kind, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        if scores[kind, row, column] < window.max():
            continue
        x, y = column * STRIDE + STRIDE / 2, row * STRIDE + STRIDE / 2
        left, top, right, bottom, gx, gy = reg[0, :, row, column] * SCALE
        box = (x - left, y - top, x + right, y + bottom)
        rows.append((float(kind), float(scores[kind, row, column]), *map(float, box), x + gx, y + gy))
    return rows
