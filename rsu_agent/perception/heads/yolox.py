"""YOLOX: one row a cell; box offsets from the cell, or already in pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates, centred
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import STRIDES, Head, NotThis, Told, must_be_scores

NAME = "yolox"
LARGEST_EXPONENT = 20.0  # exp(20) strides is no size of a box: beyond it, sizes are pixels already


def recognise(told: Told, said: Sidecar) -> Head | None:
    """Facts/perception 2, row 3: [1, A, 5+C]: xy = (o + cell) stride, wh = exp(o) stride, scores."""
    value = told.single
    if value is None or value.ndim != 2 or value.shape[0] != sum(told.cells(STRIDES)):
        return None
    if value.shape[1] < 6:
        raise NotThis(f"{value.shape[1]} columns are not 5 and at least one class")
    must_be_scores(value[:, 4:], "objectness and class scores")
    decoded = said.decoded
    if decoded is None:
        decoded = bool(np.nanmax(value[:, 2:4]) > LARGEST_EXPONENT)
    cells, strides = told.grid(STRIDES)
    width = value.shape[1]

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        table = outputs[0].reshape(-1, width)
        sure, scores, kinds = scored(table, threshold)
        centres, sizes = table[sure, :2], table[sure, 2:4]
        if not decoded:
            centres = (centres + cells[sure]) * strides[sure]
            sizes = np.exp(sizes.astype(np.float64)) * strides[sure]
        return Candidates(centred(centres, sizes), scores, kinds)

    how = "boxes already in pixels" if decoded else "boxes as offsets from their cells"
    return Head(f"one output of {len(value)} cells with 5 + {width - 5} columns, {how}", decode, width - 5)


def scored(table: Array, threshold: float) -> tuple[Array, Array, Array]:
    """Rows whose score, objectness times best class, is above the threshold; their scores and classes.

    A score is never above its objectness, so most rows are dropped by that column alone.
    """
    likely = np.flatnonzero(table[:, 4] > threshold)
    part = table[likely, 4:]
    kinds = part[:, 1:].argmax(axis=1)
    scores = part[:, 0] * part[np.arange(len(likely)), 1 + kinds]
    sure = scores > threshold
    return likely[sure], scores[sure], kinds[sure]
