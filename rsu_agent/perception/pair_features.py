"""What is known of a pair of track and detection, as numbers: the inputs of the learnt association.

Training reads the same function (models/association.py), so that run time and training never part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsu_agent.perception import kinds
from rsu_agent.perception.associate import within_reach
from rsu_agent.perception.life import DOPPLER_SD_MPS
from rsu_agent.perception.measured import Array, Measured
from rsu_agent.perception.motion import Rows
from rsu_agent.perception.tracks import Tracks

WIDE_GATE = 20.0  # chi-square of two degrees of freedom: one true pair in 22,000 lies outside
MOST_SD = 10.0  # a Doppler farther off says no more
SLOW_MPS = 1.0  # slower tracks have no course; their innovation is taken along east
ALONE = 20.0  # the margin of who has no rival
FEATURES = (
    "along",  # innovation along the track's course, in its own standard deviations, without sign
    "across",
    "distance",  # squared Mahalanobis distance of place
    "log_determinant",  # of the innovation's covariance, m^4
    "has_doppler",
    "doppler",  # Doppler innovation in standard deviations, without sign; 0 without Doppler
    "kind",  # log of how likely the name is for what the track is; 0 where nothing is named
    "score",  # of the detection; 1 of a radar's
    "since_s",  # the track was last seen
    "hits",  # log(1 + hits)
    "speed_mps",
    "confirmed",
    "camera",
    "rivals_of_track",  # other detections within its wide gate
    "rivals_of_place",  # other tracks in whose wide gate the detection lies
    "margin_of_track",  # how much less this pair costs than its track's best other one; cost: see `pairs`
    "margin_of_place",
    "elder",  # log(1 + hits) less the most that another track in reach of the detection has
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Tracks (rows) and detections (columns), (p,) each, and their features (p, len(FEATURES)) float32."""

    rows: Rows
    columns: Rows
    features: npt.NDArray[np.float32]


def pairs(tracks: Tracks, measured: Measured, told: Array | None) -> Pairs:
    """All pairs within the wide gate. told: likelihoods of the kinds (m, kinds), None where none is named.

    The cost that margins compare is that of the classical gate: squared distances of place and Doppler, log
    determinant, less twice the log-likelihood of the kind.
    """
    mean, covariance = tracks.motion.combined()
    rows, columns = within_reach(mean, covariance, measured.points, measured.covariances, WIDE_GATE)
    off = measured.points[columns] - mean[rows, :2]
    spread = covariance[rows, :2, :2] + measured.covariances[columns]
    determinant = spread[:, 0, 0] * spread[:, 1, 1] - spread[:, 0, 1] ** 2
    distance = _distance(off, spread, determinant)
    near = distance < WIDE_GATE
    rows, columns, off, spread = rows[near], columns[near], off[near], spread[near]
    distance, log_determinant = distance[near], np.log(determinant[near])
    doppler = _doppler(mean, covariance, measured, rows, columns)
    kind = np.zeros(len(rows))
    if told is not None:
        kind = np.log(np.einsum("pk,pk->p", kinds.shares(tracks.odds)[rows], told[columns]))
    cost = distance + log_determinant + doppler**2 - 2 * kind
    score = np.ones(len(rows)) if measured.scores is None else measured.scores[columns]
    table = (
        *_along_across(mean[rows, 2:], off, spread),
        distance,
        log_determinant,
        np.full(len(rows), measured.dopplers_mps is not None, float),
        doppler,
        kind,
        score,
        measured.measured_s - tracks.seen_s[rows],
        np.log1p(tracks.hits[rows]),
        np.hypot(mean[rows, 2], mean[rows, 3]),
        tracks.confirmed[rows].astype(float),
        np.full(len(rows), measured.kind == "camera", float),
        np.bincount(rows, minlength=len(tracks))[rows] - 1.0,
        np.bincount(columns, minlength=len(measured.points))[columns] - 1.0,
        _margin(rows, cost, len(tracks)),
        _margin(columns, cost, len(measured.points)),
        _margin(columns, -np.log1p(tracks.hits[rows]), len(measured.points)),
    )
    return Pairs(rows, columns, np.stack(table, axis=1).astype(np.float32))


def _distance(off: Array, spread: Array, determinant: Array) -> Array:
    dx, dy = off.T
    squares = spread[:, 1, 1] * dx * dx - 2 * spread[:, 0, 1] * dx * dy + spread[:, 0, 0] * dy * dy
    return np.asarray(squares / determinant, np.float64)


def _doppler(mean: Array, covariance: Array, measured: Measured, rows: Rows, columns: Rows) -> Array:
    if measured.dopplers_mps is None:
        return np.zeros(len(rows))
    rays = measured.rays()[columns]
    off = measured.dopplers_mps[columns] - np.einsum("pi,pi->p", mean[rows, 2:], rays)
    variance = np.einsum("pi,pij,pj->p", rays, covariance[rows, 2:, 2:], rays)
    sd = np.sqrt(DOPPLER_SD_MPS[measured.kind] ** 2 + variance)
    return np.asarray(np.minimum(np.abs(off) / sd, MOST_SD), np.float64)


def _along_across(velocity: Array, off: Array, spread: Array) -> tuple[Array, Array]:
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    course = np.where(
        (speed > SLOW_MPS)[:, None], velocity / np.maximum(speed, SLOW_MPS)[:, None], (1.0, 0.0)
    )
    left = np.column_stack([-course[:, 1], course[:, 0]])
    along, across = (
        np.abs(np.einsum("pi,pi->p", off, axis)) / np.sqrt(np.einsum("pi,pij,pj->p", axis, spread, axis))
        for axis in (course, left)
    )
    return along, across


def _margin(owner: Rows, cost: Array, count: int) -> Array:
    """By how much each pair's cost lies below the least of its owner's others; ALONE bounds it both ways."""
    order = np.lexsort((cost, owner))
    sorted_owner = owner[order]
    first = np.searchsorted(sorted_owner, np.arange(count))
    ranked = np.append(cost[order], np.inf)
    least = ranked[np.minimum(first, len(order))]
    has_second = np.bincount(owner, minlength=count) > 1
    second = np.where(has_second, ranked[np.minimum(first + 1, len(order))], np.inf)
    best = np.zeros(len(owner), bool)
    best[order[first[np.unique(owner)]]] = True
    other = np.where(best, second[owner], least[owner])
    return np.asarray(np.clip(other - cost, -ALONE, ALONE), np.float64)
