"""Two tracks in one body that move alike are one user: which of them goes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.measured import Array
from rsu_agent.perception.motion import Rows
from rsu_agent.perception.near import pairs_near
from rsu_agent.perception.tracks import Tracks

SAME_SPEED_MPS = 2.5
MARGIN_M = 0.7
SHORT_M, LONG_M = 3.0, 9.0  # one short and one long may be two bodies; two boxes in a long one are one: a bus
APART_S = 2.0
LEAST_APART_M, APART_BY_LENGTH = 0.8, 0.42
APART_BY_WIDTH = 0.7  # across the longer one: who stand abreast in two lanes are two


def doubles(tracks: Tracks, mean: Array, alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(n,) of tracks that another one stands for and inherits. mean: (n, 4)."""
    gone = np.zeros(len(tracks), bool)
    for i, j in zip(*(each.tolist() for each in _pairs(tracks, mean, alive)), strict=True):
        if gone[i] or gone[j]:
            continue
        stays, goes = (i, j) if _worth(tracks, i) >= _worth(tracks, j) else (j, i)
        gone[goes] = True
        if tracks.odds[goes].any():
            tracks.told(np.array([stays]), np.exp(tracks.odds[[goes]]))
    return gone


def _worth(tracks: Tracks, row: int) -> tuple[bool, int, float]:
    """Which of two stays: the confirmed one, the one that cameras know, the older."""
    return bool(tracks.confirmed[row]), min(int(tracks.camera_hits[row]), 4), -float(tracks.born_s[row])


def _pairs(tracks: Tracks, mean: Array, alive: npt.NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Two and two of which one lies in the other's outline and moves as it does."""
    sizes = tracks.sizes()
    reach_m = sizes[:, 0] / 2 + MARGIN_M
    large, small = pairs_near(mean, mean, (reach_m, reach_m))
    longer = sizes[large, 0] - sizes[small, 0]
    once = (longer > 0) | ((longer == 0) & (large > small))
    large, small = large[once], small[once]
    dx, dy, dvx, dvy = (mean[small] - mean[large]).T
    apart, (length, width, _) = np.hypot(dx, dy), sizes[large].T
    angle = np.radians(tracks.heading_deg[large])  # NaN compares false: no outline without a heading
    sine, cosine = np.sin(angle), np.cos(angle)
    along, across = np.abs(dx * sine + dy * cosine), np.abs(dx * cosine - dy * sine)
    same = apart < np.maximum(LEAST_APART_M, APART_BY_LENGTH * sizes[small, 0])
    same &= ~(across > np.maximum(LEAST_APART_M, APART_BY_WIDTH * width))
    same |= (along < length / 2 + MARGIN_M) & (across < width / 2 + MARGIN_M / 2)
    same &= (np.hypot(dvx, dvy) <= SAME_SPEED_MPS) & alive[large] & alive[small]
    large, small = large[same], small[same]
    two = ((sizes[small, 0] < SHORT_M) | (sizes[large, 0] < LONG_M)) & _told_apart(tracks, large, small)
    return large[~two], small[~two]


def _told_apart(tracks: Tracks, first: Rows, second: Rows) -> npt.NDArray[np.bool_]:
    """Whether one sensor gave both of two tracks something in one frame of its own."""
    one, other = tracks.frames_s[first, :, :, None], tracks.frames_s[second, :, None]
    same = (one == other) & (one > tracks.motion.at_s - APART_S)
    return np.asarray(same.any(axis=(1, 2, 3)), np.bool_)
