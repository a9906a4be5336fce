"""YOLOv5 and YOLOv7 with decoded boxes: three anchors a cell. Recalled: not tried on a real file."""

from __future__ import annotations

from collections.abc import Sequence

from rsu_agent.perception.heads.detection import Array, Candidates, centred
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import STRIDES, STRIDES_64, Head, NotThis, Told, must_be_scores
from rsu_agent.perception.heads.yolox import scored

NAME, ANCHORS = "yolov5", 3


def recognise(told: Told, _said: Sidecar) -> Head | None:
    """Facts/perception 2, row 3b: [1, 3 A, 5+C]: centre and size in pixels, objectness, classes."""
    value = told.single
    known = [ANCHORS * sum(told.cells(strides)) for strides in (STRIDES, STRIDES_64)]
    if value is None or value.ndim != 2 or value.shape[0] not in known:
        return None
    width = value.shape[1]
    if width < 6:
        raise NotThis(f"{width} columns are not 5 and at least one class")
    must_be_scores(value[:, 4:], "objectness and class scores")

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        table = outputs[0].reshape(-1, width)
        sure, scores, kinds = scored(table, threshold)
        return Candidates(centred(table[sure, :2], table[sure, 2:4]), scores, kinds)

    why = f"one output of {len(value)} rows, three a cell, with 5 + {width - 5} columns"
    recalled = "three anchors a cell are YOLOv5 or v7 with boxes in pixels, RGB, centred letterbox"
    return Head(why, decode, width - 5, recalled=recalled)
