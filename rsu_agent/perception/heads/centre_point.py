"""Our own centre-point head: peaks of class maps, box edges and the ground point of each."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates, nothing
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import Head, NotThis, Told

OURS = "rsu_centre_point"
MOST_PEAKS = 80
STRIDE, SCALE = 8, 32.0
EDGES = 6  # left, top, right, bottom, ground right, ground down


def recognise(told: Told, said: Sidecar) -> Head | None:
    """Facts/perception 2, rows 0 and 6: inputs `image` [1, 3, H, W], `radar` [1, 2, H/4, W/4]; outputs `cls`
    [1, C, H/8, W/8] (logits) and `reg` [1, 6, H/8, W/8]; the names are ours."""
    marked = OURS in (told.metadata.get("head"), said.head)
    ours = {t.name for t in told.inputs} == {"image", "radar"} and {t.name for t in told.outputs} == {
        "cls",
        "reg",
    }
    if not ours:
        if marked:
            raise NotThis("inputs image and radar, outputs cls and reg were expected")
        return None
    at = {tensor.name: number for number, tensor in enumerate(told.outputs)}
    cls, reg = at["cls"], at["reg"]
    stride, scale = _figures(told)
    shape = told.values[cls].shape
    grid = (-(-told.height // stride), -(-told.width // stride))
    if len(shape) != 4 or shape[2:] != grid or told.values[reg].shape != (1, EDGES, *grid):
        raise NotThis(f"cls {shape} and reg {told.values[reg].shape} are no maps of {grid} cells")

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        return peaks(outputs[cls][0], outputs[reg][0], threshold, stride, scale)

    names = tuple(filter(None, told.metadata.get("classes", "").split(",")))
    return Head("its metadata" if marked else "inputs image and radar", decode, shape[1], names=names)


def _figures(told: Told) -> tuple[int, float]:
    """Stride of a cell and pixels of one unit of `reg`. Raises NotThis."""
    try:
        stride, scale = int(told.metadata.get("stride", STRIDE)), float(told.metadata.get("scale", SCALE))
    except ValueError as error:
        raise NotThis(f"metadata stride and scale are no numbers: {error}") from None
    if not (1 <= stride <= 64 and 0 < scale < 1e4):
        raise NotThis(f"metadata stride {stride} and scale {scale} cannot be")
    return stride, scale


def peaks(cls: Array, reg: Array, threshold: float, stride: int, scale: float) -> Candidates:
    """Cells that are the strongest of their 3 x 3 neighbours; cls (C, h, w) logits, reg (6, h, w)."""
    scores = 1.0 / (1.0 + np.exp(-cls))
    if not (scores.max(axis=0) > threshold).any():
        return nothing()
    kernel = np.ones((3, 3), np.uint8)
    found = np.stack([(plane == cv2.dilate(plane, kernel)) & (plane > threshold) for plane in scores])
    kinds, rows, columns = np.nonzero(found)
    order = np.argsort(-scores[kinds, rows, columns], kind="stable")[:MOST_PEAKS]
    kinds, rows, columns = kinds[order], rows[order], columns[order]
    centres = np.stack([columns, rows], axis=1) * stride + stride / 2
    away = (reg[:, rows, columns].T * scale).astype(np.float64)
    boxes = np.concatenate([centres - away[:, :2], centres + away[:, 2:4]], axis=1)
    return Candidates(boxes, scores[kinds, rows, columns], kinds, centres + away[:, 4:6])
