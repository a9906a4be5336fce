"""Of boxes that overlap, the strongest: class by class, greedy, in a few array operations."""

from __future__ import annotations

import numpy as np

from rsu_agent.perception.heads.detection import Array

MOST = 300  # of the strongest candidates: more road users are in no picture
OVERLAP = 0.6  # intersection over union from which two boxes of a class are one user


def strongest(scores: Array, most: int = MOST) -> Array:
    """Indices of the strongest, falling."""
    return np.argsort(-scores, kind="stable")[:most]


def suppress(boxes: Array, groups: Array, overlap: float = OVERLAP) -> Array:
    """Indices kept of boxes (n, 4) that stand in falling order of score; only boxes of one group compete."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.maximum(high - low, 0.0).prod(axis=2)
    hides = shared >= overlap * (areas[:, None] + areas[None] - shared)
    hides &= groups[:, None] == groups[None]
    kept = np.ones(len(boxes), bool)
    for n in np.flatnonzero(np.triu(hides, 1).any(axis=1)):
        if kept[n]:
            kept[n + 1 :] &= ~hides[n, n + 1 :]
    return np.flatnonzero(kept)
