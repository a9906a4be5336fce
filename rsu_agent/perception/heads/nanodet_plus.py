"""NanoDet-Plus: class scores and four distributions of distances in one row a cell. Recalled."""

from __future__ import annotations

from collections.abc import Sequence

from rsu_agent.perception.heads.detection import Array, Candidates
from rsu_agent.perception.heads.gfl import USUAL, boxed, sure_rows
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import STRIDES, STRIDES_64, Head, NotThis, Told, must_be_scores

NAME = "nanodet_plus"


def recognise(told: Told, said: Sidecar) -> Head | None:
    """Facts/perception 2, row 4b: [1, A, C+32]. YOLOX has as many rows; its columns after the box are all
    scores, and it was asked before."""
    value = told.single
    if value is None or value.ndim != 2:
        return None
    grids = [strides for strides in (STRIDES, STRIDES_64) if sum(told.cells(strides)) == value.shape[0]]
    if not grids:
        return None
    classes = value.shape[1] - USUAL
    if classes < 1:
        raise NotThis(f"{value.shape[1]} columns are not {USUAL} and at least one class")
    must_be_scores(value[:, :classes], "class scores")
    cells, sizes = told.grid(grids[0])

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        table = outputs[0].reshape(-1, classes + USUAL)
        scores, sure = sure_rows(table[:, :classes], threshold)
        return boxed(scores, table[sure, classes:], cells[sure], sizes[sure], said.centre)

    why = f"one output of {len(value)} cells with {classes} + {USUAL} columns"
    return Head(why, decode, classes, recalled="class scores stand before the distances of NanoDet-Plus")
