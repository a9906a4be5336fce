"""RT-DETR, D-FINE and DEIM: labels, boxes and scores of a fixed number of queries; nothing overlaps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import Head, NotThis, Told, must_be_scores

SIZES = "orig_target_sizes"  # the input that says in whose pixels boxes come: we ask for the input picture's


def recognise(told: Told, _said: Sidecar) -> Head | None:
    """Facts/perception 2, row 1. Some exports squeeze the batch dimension away; the order is any."""
    if SIZES not in [tensor.name for tensor in told.inputs]:
        return None
    labels, boxes, scores = _order(told.values)
    must_be_scores(told.values[scores], "scores")

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        sure = np.flatnonzero(outputs[scores].reshape(-1) > threshold)
        return Candidates(
            outputs[boxes].reshape(-1, 4)[sure].astype(np.float64),
            outputs[scores].reshape(-1)[sure],
            outputs[labels].reshape(-1)[sure].astype(np.intp),
        )

    return Head(f"an input {SIZES}", decode, None, overlapping=False)


def _order(values: Sequence[Array]) -> tuple[int, int, int]:
    """Which outputs are labels, boxes, scores: whole numbers, four a query, one a query. Raises NotThis."""
    whole = [n for n, value in enumerate(values) if value.dtype.kind in "iu"]
    if len(values) != 3 or len(whole) != 1:
        raise NotThis("labels (whole numbers), boxes and scores were expected")
    queries = values[whole[0]].size
    real = [n for n in range(3) if n != whole[0]]
    boxes = [n for n in real if values[n].shape[-1:] == (4,) and values[n].size == 4 * queries]
    scores = [n for n in real if values[n].size == queries]
    if len(boxes) != 1 or len(scores) != 1:
        raise NotThis(f"boxes of four and one score for each of {queries} labels were expected")
    return whole[0], boxes[0], scores[0]
