"""Which detection belongs to which track: gates, costs, one global nearest neighbour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
GATE = 11.8  # chi-square of two degrees of freedom, 99.7 %
GATE_WITH_DOPPLER = 14.2  # of three
FAR = 1e6


def costs(
    mean: Array,
    covariance: Array,
    points: Array,
    spreads: Array,
    doppler: tuple[Array, Array, float] | None = None,
) -> Array:
    """Squared Mahalanobis distance plus log-determinant (tracks, points); FAR outside the gate.

    mean (n, 4), covariance (n, 4, 4) of tracks; points (m, 2), spreads (m, 2, 2) of detections.
    doppler: (unit rays (m, 2), radial velocities away (m,), their standard deviation).
    """
    if not len(mean) or not len(points):
        return np.full((len(mean), len(points)), FAR)
    a = covariance[:, 0, 0, None] + spreads[None, :, 0, 0]
    b = covariance[:, 0, 1, None] + spreads[None, :, 0, 1]
    d = covariance[:, 1, 1, None] + spreads[None, :, 1, 1]
    dx, dy = points[None, :, 0] - mean[:, 0, None], points[None, :, 1] - mean[:, 1, None]
    determinant = a * d - b * b
    distance = (d * dx * dx - 2 * b * dx * dy + a * dy * dy) / determinant
    cost = distance + np.log(determinant)
    gate = GATE
    if doppler is not None:
        rays, radial_mps, sd_mps = doppler
        off = radial_mps[None] - mean[:, 2:] @ rays.T
        spread = sd_mps**2 + np.einsum("mi,nij,mj->nm", rays, covariance[:, 2:, 2:], rays, optimize=True)
        apart = off * off / spread
        distance, cost, gate = distance + apart, cost + apart + np.log(spread), GATE_WITH_DOPPLER
    return np.where(distance < gate, cost, FAR)


def assign(cost: Array) -> tuple[Rows, Rows]:
    """Global nearest neighbour: (rows, columns) of pairs within the gate."""
    if not cost.size:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    near = cost < FAR
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    if not len(rows):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    small = cost[np.ix_(rows, columns)]
    first, second = linear_sum_assignment(small)
    good = small[first, second] < FAR
    return rows[first[good]], columns[second[good]]
