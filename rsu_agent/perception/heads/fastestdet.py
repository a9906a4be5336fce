"""FastestDet: one map of cells: objectness, box, classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates, centred
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import Head, NotThis, Told, must_be_scores

NAME = "fastestdet"
FINEST, COARSEST = 8, 64  # pixels of the input a cell may be wide; a map of pixels is no map of boxes


def recognise(told: Told, said: Sidecar) -> Head | None:
    """Facts/perception 2, row 5: [1, 5+C, h, w]; x = (tanh(tx) + column) / w, width = sigmoid(tw), of the
    input; score = objectness^0.6 class^0.4."""
    value = told.single
    if value is None or value.ndim != 3:
        return None
    rows, high, wide = value.shape
    fits = [
        k for k in range(FINEST, COARSEST + 1) if (-(-told.height // k), -(-told.width // k)) == (high, wide)
    ]
    if not fits or rows < 6:
        if said.head == NAME:
            raise NotThis(f"[{rows}, {high}, {wide}] is not [5 + classes, rows, columns of cells]")
        return None
    must_be_scores(value[0], "objectness")
    must_be_scores(value[5:], "class scores")

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        table = outputs[0].reshape(rows, high * wide).astype(np.float64)
        likely = np.flatnonzero(table[0] > threshold ** (1 / 0.6))
        part = table[:, likely]
        kinds = part[5:].argmax(axis=0)
        scores = part[0] ** 0.6 * np.abs(part[5 + kinds, np.arange(len(likely))]) ** 0.4
        centres = np.stack([np.tanh(part[1]) + likely % wide, np.tanh(part[2]) + likely // wide], axis=1)
        sizes = 1.0 / (1.0 + np.exp(-part[3:5].T))
        input_size = np.array([told.width, told.height])
        boxes = centred(centres / (wide, high) * input_size, sizes * input_size)
        return Candidates(boxes, scores, kinds).pick(scores > threshold)

    return Head(f"one map of {high} x {wide} cells with 5 + {rows - 5} planes", decode, rows - 5)
