"""Lines of sight: whose view of a user another user's box blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def occluded(eye: Array, xy: Array, heading_deg: Array, size: Array) -> Flags:
    """(n,): whether the line from the eye (x, y, height) to the middle of each body meets another's box.

    xy (n, 2) middles; heading clockwise from north; size (n, 3) length, width, height of boxes on the road.
    The line falls all the way, so it is lowest in a box where it leaves the box's outline.
    """
    if not len(xy):
        return np.zeros(0, bool)
    angle = np.radians(heading_deg)
    forward = np.column_stack([np.sin(angle), np.cos(angle)])
    right = np.column_stack([np.cos(angle), -np.sin(angle)])
    begin = eye[:2] - xy  # of the line, seen from each blocker's middle
    line = xy - eye[:2]  # to each target
    enters, leaves = np.zeros((len(xy), len(xy))), np.ones((len(xy), len(xy)))
    for axis, half in ((forward, size[:, 0] / 2), (right, size[:, 1] / 2)):
        start = (begin * axis).sum(axis=1)  # (blockers,)
        pace = line @ axis.T  # (targets, blockers)
        safe = np.where(np.abs(pace) < 1e-9, 1e-9, pace)
        one, other = (-half - start) / safe, (half - start) / safe
        enters = np.maximum(enters, np.minimum(one, other))
        leaves = np.minimum(leaves, np.maximum(one, other))
    lowest = eye[2] - (eye[2] - size[:, 2] / 2)[:, None] * leaves
    blocked = (enters < leaves) & (lowest < size[None, :, 2])
    np.fill_diagonal(blocked, False)
    return np.asarray(blocked.any(axis=1), np.bool_)
