"""Ultralytics' exports of YOLOv8 to v11: boxes that still overlap, or rows that need no suppression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates, centred
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import STRIDES, Head, NotThis, Told, must_be_scores

DENSE, END_TO_END = "ultralytics", "ultralytics_end_to_end"
MOST_FOUND = 300  # rows of an end-to-end export
TRUE = ("true", "1", "yes")


def marked(told: Told) -> bool:
    """Whether Ultralytics' own metadata are there. Raises NotThis where they tell of another task."""
    task = told.metadata.get("task", "")
    if not task or "stride" not in told.metadata:
        return False
    if task != "detect":
        raise NotThis(f"metadata say task {task}; only detect finds road users")
    return True


def recognise(told: Told, said: Sidecar) -> Head | None:
    """Facts/perception 2, row 2: [1, 4+C, A], centre and size in pixels, C sigmoid scores, no objectness."""
    value = told.single
    if value is None or value.ndim != 2:
        return None
    by_metadata = marked(told)
    rows, cells = value.shape
    if said.head != DENSE and not by_metadata and cells != sum(told.cells(STRIDES)):
        return None
    if not 5 <= rows < cells:
        raise NotThis(f"[{rows}, {cells}] is not [4 + classes, cells]")
    if told.names and len(told.names) != rows - 4:
        raise NotThis(f"{rows} rows are not 4 and the {len(told.names)} names of the metadata")
    must_be_scores(value[4:], "class scores")

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        table = outputs[0].reshape(rows, -1)
        sure = np.flatnonzero(table[4:].max(axis=0) > threshold)
        part = table[:, sure]
        kinds = part[4:].argmax(axis=0)
        return Candidates(centred(part[:2].T, part[2:4].T), part[4 + kinds, np.arange(len(sure))], kinds)

    why = "metadata stride and task" if by_metadata else f"one output of 4 + {rows - 4} rows, {cells} cells"
    return Head(why, decode, rows - 4)


def recognise_end_to_end(told: Told, said: Sidecar) -> Head | None:
    """Row 2b: [1, 300, 6], edges in pixels, score, class. Recalled: not tried on a real file."""
    value = told.single
    if value is None or value.ndim != 2 or value.shape[1] != 6:
        return None
    marks = marked(told) and told.metadata.get("end2end", "").lower() in TRUE
    if said.head != END_TO_END and not marks and value.shape[0] != MOST_FOUND:
        return None
    must_be_scores(value[:, 4], "scores")

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        table = outputs[0].reshape(-1, 6)
        table = table[(table[:, 4] > threshold) & np.isfinite(table).all(axis=1)]
        return Candidates(table[:, :4].astype(np.float64), table[:, 4], table[:, 5].astype(np.intp))

    why = "metadata end2end" if marks else f"one output of {value.shape[0]} rows of 6"
    recalled = "end-to-end rows are left, top, right, bottom, score, class"
    classes = len(told.names) or None
    return Head(why, decode, classes, overlapping=False, recalled=recalled)
