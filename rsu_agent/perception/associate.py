"""Which detection belongs to which track: gates, costs, one global nearest neighbour."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from rsu_agent.perception.near import pairs_near

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
GATE = 11.8  # chi-square of two degrees of freedom, 99.7 %
GATE_WITH_DOPPLER = 14.2  # of three
FAR = 1e6
MARGIN = 1.001  # of rounding


@dataclass(frozen=True, slots=True)
class Costs:
    """What pairs of tracks (rows) and detections (columns) cost, (p,) each; what is no pair is not in it."""

    rows: Rows
    columns: Rows
    cost: Array

    def table(self, shape: tuple[int, int]) -> Array:
        """All pairs (tracks, detections), FAR where they are none."""
        table = np.full(shape, FAR)
        table[self.rows, self.columns] = self.cost
        return table

    def only(self, mask: npt.NDArray[np.bool_]) -> Costs:
        """These of the pairs."""
        return Costs(self.rows[mask], self.columns[mask], self.cost[mask])


def costs(
    mean: Array,
    covariance: Array,
    points: Array,
    spreads: Array,
    doppler: tuple[Array, Array, float] | None = None,
) -> Costs:
    """Squared Mahalanobis distance plus log-determinant of the pairs within the gate.

    mean (n, 4), covariance (n, 4, 4) of tracks; points (m, 2), spreads (m, 2, 2) of detections.
    doppler: (unit rays (m, 2), radial velocities away (m,), their standard deviation).
    """
    gate = GATE if doppler is None else GATE_WITH_DOPPLER
    rows, columns = within_reach(mean, covariance, points, spreads, gate)
    a, b, d = (covariance[rows, i, j] + spreads[columns, i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
    dx, dy = points[columns, 0] - mean[rows, 0], points[columns, 1] - mean[rows, 1]
    determinant = a * d - b * b
    distance = (d * dx * dx - 2 * b * dx * dy + a * dy * dy) / determinant
    cost = distance + np.log(determinant)
    if doppler is not None:
        rays, radial_mps, sd_mps = doppler
        ray = rays[columns]
        off = radial_mps[columns] - np.einsum("pi,pi->p", mean[rows, 2:], ray)
        spread = sd_mps**2 + np.einsum("pi,pij,pj->p", ray, covariance[rows, 2:, 2:], ray)
        apart = off * off / spread
        distance, cost = distance + apart, cost + apart + np.log(spread)
    within = distance < gate
    return Costs(rows[within], columns[within], cost[within])


def within_reach(
    mean: Array, covariance: Array, points: Array, spreads: Array, gate: float
) -> tuple[Rows, Rows]:
    """Pairs (rows, columns) that may lie in the gate, which is no wider than the variance along an axis."""
    if not len(mean) or not len(points):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    east, north = (
        MARGIN * math.sqrt(gate * (np.fmax.reduce(covariance[:, i, i]) + np.fmax.reduce(spreads[:, i, i])))
        for i in (0, 1)
    )
    return pairs_near(mean, points, (east, north))


def assign(costs: Costs) -> tuple[Rows, Rows]:
    """Global nearest neighbour: (rows, columns) of the pairs that are made.

    A row and a column that are near each other only are a pair in any case; the rest is weighed together.
    """
    rows, columns = costs.rows, costs.columns
    if not len(rows):
        return rows, columns
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    if alone.all():
        return rows, columns
    rest = costs.only(~alone)
    more_rows, row_of = np.unique(rest.rows, return_inverse=True)
    more_columns, column_of = np.unique(rest.columns, return_inverse=True)
    small = Costs(row_of, column_of, rest.cost).table((len(more_rows), len(more_columns)))
    first, second = linear_sum_assignment(small)
    good = small[first, second] < FAR
    return (
        np.concatenate([rows[alone], more_rows[first[good]]]),
        np.concatenate([columns[alone], more_columns[second[good]]]),
    )
