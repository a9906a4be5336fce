"""All tracks in arrays: constant-velocity Kalman filter in metric east-north, vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Array = npt.NDArray[np.float64]
GATE = 11.8  # chi-square, two degrees of freedom, 99.7 %
FIRST_SPEED_VARIANCE = 40.0
ACCELERATION_VARIANCE = 3.0  # (m/s^2)^2, for vehicles that brake and turn
FAR = 1e6


class Tracks:
    """State rows [x, y, vx, vy]; every array has one entry a track. All at the instant `at_s`."""

    def __init__(self) -> None:
        self.state: Array = np.zeros((0, 4))
        self.covariance: Array = np.zeros((0, 4, 4))
        self.at_s = 0.0

    def __len__(self) -> int:
        return len(self.state)

    def predict(self, at_s: float) -> None:
        """Move all states forward; time never goes back."""
        dt = at_s - self.at_s
        if dt <= 0:
            return
        move = np.eye(4)
        move[0, 2] = move[1, 3] = dt
        self.state = self.state @ move.T
        noise = np.zeros((4, 4))
        noise[0, 0] = noise[1, 1] = dt**3 / 3
        noise[0, 2] = noise[2, 0] = noise[1, 3] = noise[3, 1] = dt**2 / 2
        noise[2, 2] = noise[3, 3] = dt
        self.covariance = move @ self.covariance @ move.T + noise * ACCELERATION_VARIANCE
        self.at_s = at_s

    def add(self, points: Array, covariances: Array) -> None:
        """New tracks at rest with an unknown velocity."""
        count = len(points)
        state = np.zeros((count, 4))
        state[:, :2] = points
        covariance = np.zeros((count, 4, 4))
        covariance[:, :2, :2] = covariances
        covariance[:, 2, 2] = covariance[:, 3, 3] = FIRST_SPEED_VARIANCE
        self.state = np.vstack([self.state, state])
        self.covariance = np.concatenate([self.covariance, covariance])

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drop the others."""
        self.state, self.covariance = self.state[mask], self.covariance[mask]

    def costs(self, points: Array, covariances: Array, lag_s: float) -> Array:
        """Squared Mahalanobis distance plus log-determinant (tracks, points); FAR outside the gate.

        lag_s: how old the measurement is against the states, which are looked at back then.
        """
        if not len(self) or not len(points):
            return np.full((len(self), len(points)), FAR)
        look = _look(lag_s)
        seen = self.state @ look.T
        spread = look @ self.covariance @ look.T
        total = spread[:, None] + covariances[None]
        determinant = total[..., 0, 0] * total[..., 1, 1] - total[..., 0, 1] ** 2
        off = points[None] - seen[:, None]
        dx, dy = off[..., 0], off[..., 1]
        distance = total[..., 1, 1] * dx * dx - 2 * total[..., 0, 1] * dx * dy + total[..., 0, 0] * dy * dy
        distance = distance / determinant
        return np.where(distance < GATE, distance + np.log(determinant), FAR)

    def update(self, rows: npt.NDArray[np.intp], points: Array, covariances: Array, lag_s: float) -> None:
        """Kalman update of some tracks with one position each."""
        if not len(rows):
            return
        look = _look(lag_s)
        prior = self.covariance[rows]
        total = look @ prior @ look.T + covariances
        gain = prior @ look.T @ np.linalg.inv(total)
        off = points - self.state[rows] @ look.T
        self.state[rows] += np.einsum("nij,nj->ni", gain, off)
        self.covariance[rows] = _symmetric((np.eye(4) - gain @ look) @ prior)

    def update_doppler(self, row: int, ray: Array, doppler_mps: float, sd_mps: float) -> None:
        """One radial velocity (away positive) for one track."""
        look = np.array([0.0, 0.0, ray[0], ray[1]])
        prior = self.covariance[row]
        total = float(look @ prior @ look) + sd_mps**2
        off = doppler_mps - float(look @ self.state[row])
        if off * off > 16.0 * total:
            return
        gain = prior @ look / total
        self.state[row] += gain * off
        self.covariance[row] = prior - np.outer(gain, look @ prior)


def assign(costs: Array) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Global nearest neighbour: pairs within the gate."""
    if not costs.size:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    rows, columns = linear_sum_assignment(costs)
    good = costs[rows, columns] < FAR
    return rows[good], columns[good]


def _look(lag_s: float) -> Array:
    look = np.zeros((2, 4))
    look[0, 0] = look[1, 1] = 1.0
    look[0, 2] = look[1, 3] = -lag_s
    return look


def _symmetric(matrix: Any) -> Any:
    return (matrix + np.swapaxes(matrix, 1, 2)) / 2
