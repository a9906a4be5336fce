"""How road users move: two models at once, straight on and turning (IMM), for all tracks in arrays.

State rows [x, y, vx, vy, turn rate]: metres and metres a second east and north, radians a second to the left.
The first model keeps the turn rate at zero. Interacting multiple models after Blom and Bar-Shalom (1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

STRAIGHT, TURNING = 0, 1
STAYS_S = np.array([8.0, 2.0])  # how long users go on straight, and on turning
BEGINS = np.array([0.9, 0.1])
SPEED_SD_MPS, TURN_SD = 6.5, 0.3  # of a user just met
TURN_NOISE = 0.35  # rad/s a root second, while turning
NO_TURN_SD = 0.02
SLOW_MPS = 1.5  # slower ones may go any way: their noise has no direction
DOPPLER_GATE = 16.0  # squared: a return off another part of the road
SURE_OF_A_MODEL = 0.02  # the least any model is believed
OBSERVED = np.eye(2, 5)


@dataclass(slots=True)
class Agility:
    """Spectral densities of acceleration, (m/s^2)^2 s, along and across the way, one a track."""

    along: Array
    across: Array


class Motion:
    """All states at `at_s`: mean (n, 2, 5), covariance (n, 2, 5, 5), weight (n, 2) of the two models."""

    def __init__(self) -> None:
        self.mean: Array = np.zeros((0, 2, 5))
        self.covariance: Array = np.zeros((0, 2, 5, 5))
        self.weight: Array = np.zeros((0, 2))
        self.at_s = 0.0
        self._combined: tuple[Array, Array] | None = None  # until something changes

    def __len__(self) -> int:
        return len(self.mean)

    def copy(self) -> Motion:
        """The same, for going back to it."""
        other = Motion()
        other.mean, other.covariance = self.mean.copy(), self.covariance.copy()
        other.weight, other.at_s = self.weight.copy(), self.at_s
        return other

    def add(self, points: Array, covariances: Array, velocities: Array | None = None) -> None:
        """New users at these places, (n, 2) and (n, 2, 2), at rest unless a velocity is known."""
        count = len(points)
        mean, covariance = np.zeros((count, 2, 5)), np.zeros((count, 2, 5, 5))
        mean[:, :, :2] = points[:, None]
        if velocities is not None:
            mean[:, :, 2:4] = velocities[:, None]
        covariance[:, :, :2, :2] = covariances[:, None]
        covariance[:, :, 2, 2] = covariance[:, :, 3, 3] = SPEED_SD_MPS**2
        covariance[:, STRAIGHT, 4, 4], covariance[:, TURNING, 4, 4] = NO_TURN_SD**2, TURN_SD**2
        self.mean = np.concatenate([self.mean, mean])
        self.covariance = np.concatenate([self.covariance, covariance])
        self.weight = np.concatenate([self.weight, np.tile(BEGINS, (count, 1))])
        self._combined = None

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drop the others."""
        self.mean, self.covariance, self.weight = self.mean[mask], self.covariance[mask], self.weight[mask]
        self._combined = None

    def predict(self, at_s: float, agility: Agility) -> None:
        """Move all states forward; time never goes back."""
        dt = at_s - self.at_s
        self.at_s = max(at_s, self.at_s)
        if dt <= 0 or not len(self):
            return
        self._mix(dt)
        self._combined = None
        moved, jacobian = _turned(self.mean[:, TURNING], dt)
        straight = np.eye(5)
        straight[0, 2] = straight[1, 3] = dt
        straight[4, 4] = 0.0
        self.mean[:, STRAIGHT] = self.mean[:, STRAIGHT] @ straight.T
        self.mean[:, TURNING] = moved
        noise = _noise(self.combined()[0], agility, dt)
        ahead = straight @ self.covariance[:, STRAIGHT] @ straight.T + noise
        ahead[:, 4, 4] = NO_TURN_SD**2
        turning = jacobian @ self.covariance[:, TURNING] @ jacobian.swapaxes(1, 2) + noise
        turning[:, 4, 4] += TURN_NOISE**2 * dt
        self.covariance = np.stack([ahead, turning], axis=1)
        self._combined = None

    def _mix(self, dt: float) -> None:
        leaves = 1.0 - np.exp(-dt / STAYS_S)
        switch = np.array([[1 - leaves[0], leaves[0]], [leaves[1], 1 - leaves[1]]])
        joint = self.weight[:, :, None] * switch  # (n, from, to)
        weight = joint.sum(axis=1)
        share = joint / weight[:, None]
        mean = share.swapaxes(1, 2) @ self.mean
        off = self.mean[:, :, None] - mean[:, None]  # (n, from, to, 5)
        spread = self.covariance[:, :, None] + off[..., :, None] * off[..., None, :]
        self.covariance = (share[..., None, None] * spread).sum(axis=1)
        self.mean, self.weight = mean, weight

    def combined(self) -> tuple[Array, Array]:
        """Mean (n, 4) and covariance (n, 4, 4) over both models."""
        if self._combined is None:
            self._combined = self._both()
        return self._combined

    def _both(self) -> tuple[Array, Array]:
        first, second = self.mean[:, 0, :4], self.mean[:, 1, :4]
        share = self.weight[:, 1, None]
        mean = first + share * (second - first)
        off = second - first
        between = (self.weight[:, 0] * self.weight[:, 1])[:, None, None] * off[:, :, None] * off[:, None, :]
        inside = (self.weight[:, :, None, None] * self.covariance[:, :, :4, :4]).sum(axis=1)
        return mean, inside + between

    def update(self, rows: Rows, points: Array, covariances: Array) -> None:
        """One position each, (m, 2) and (m, 2, 2), for these tracks."""
        if not len(rows):
            return
        mean, prior = self.mean[rows], self.covariance[rows]
        total = prior[..., :2, :2] + covariances[:, None]
        inverse, determinant = _inverse(total)
        gain = prior[..., :, :2] @ inverse
        off = points[:, None] - mean[..., :2]
        self.mean[rows] = mean + (gain @ off[..., None])[..., 0]
        self.covariance[rows] = _symmetric(prior - gain @ prior[..., :2, :])
        distance = np.einsum("nmi,nmij,nmj->nm", off, inverse, off)
        self._reweigh(
            rows, np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True))) / np.sqrt(determinant)
        )

    def update_doppler(self, rows: Rows, rays: Array, dopplers_mps: Array, sd_mps: float) -> None:
        """One radial velocity each, away positive, along unit vectors (m, 2); what is far off is left out."""
        if not len(rows):
            return
        mean, prior = self.mean[rows], self.covariance[rows]
        towards = np.einsum("nmij,nj->nmi", prior[..., 2:4], rays)  # covariance times the row (0, 0, ray, 0)
        total = np.einsum("nmi,ni->nm", towards[..., 2:4], rays) + sd_mps**2
        off = dopplers_mps[:, None] - np.einsum("nmi,ni->nm", mean[..., 2:4], rays)
        good = ((off * off) <= DOPPLER_GATE * total).any(axis=1)
        rows, mean, prior, towards, total, off = (
            each[good] for each in (rows, mean, prior, towards, total, off)
        )
        self.mean[rows] = mean + towards * (off / total)[..., None]
        self.covariance[rows] = prior - towards[..., :, None] * (towards / total[..., None])[..., None, :]
        distance = off * off / total
        self._reweigh(rows, np.exp(-0.5 * (distance - distance.min(axis=1, keepdims=True))) / np.sqrt(total))

    def _reweigh(self, rows: Rows, likelihood: Array) -> None:
        self._combined = None
        weight = self.weight[rows] * likelihood
        weight = np.maximum(weight / weight.sum(axis=1, keepdims=True), SURE_OF_A_MODEL)
        self.weight[rows] = weight / weight.sum(axis=1, keepdims=True)


def _turned(mean: Array, dt: float) -> tuple[Array, Array]:
    """Where a constant turn rate leads, and its derivatives by the state (n, 5, 5)."""
    vx, vy, rate = mean[:, 2], mean[:, 3], mean[:, 4]
    angle = rate * dt
    sine, cosine = np.sin(angle), np.cos(angle)
    small = np.abs(angle) < 1e-4
    safe = np.where(small, 1.0, rate)
    along = np.where(small, dt, sine / safe)
    across = np.where(small, angle * dt / 2, (1 - cosine) / safe)
    moved = mean.copy()
    moved[:, 0] += along * vx - across * vy
    moved[:, 1] += across * vx + along * vy
    moved[:, 2], moved[:, 3] = cosine * vx - sine * vy, sine * vx + cosine * vy
    jacobian = np.zeros((len(mean), 5, 5))
    jacobian[:, range(5), range(5)] = 1.0
    jacobian[:, 0, 2] = jacobian[:, 1, 3] = along
    jacobian[:, 0, 3], jacobian[:, 1, 2] = -across, across
    jacobian[:, 2, 2] = jacobian[:, 3, 3] = cosine
    jacobian[:, 2, 3], jacobian[:, 3, 2] = -sine, sine
    half = dt * dt / 2  # by the turn rate, to the second order of dt
    jacobian[:, 0, 4], jacobian[:, 1, 4] = -half * vy, half * vx
    jacobian[:, 2, 4], jacobian[:, 3, 4] = -dt * moved[:, 3], dt * moved[:, 2]
    return moved, jacobian


def _noise(state: Array, agility: Agility, dt: float) -> Array:
    """White acceleration, more of it along the way than across for those who move (n, 5, 5)."""
    vx, vy = state[:, 2], state[:, 3]
    speed = np.hypot(vx, vy)
    moves = speed > SLOW_MPS
    safe = np.where(moves, speed, 1.0)
    ux, uy = np.where(moves, vx / safe, 1.0), np.where(moves, vy / safe, 0.0)
    along, across = agility.along, np.where(moves, agility.across, agility.along)
    block = np.empty((len(state), 2, 2))
    block[:, 0, 0] = along * ux * ux + across * uy * uy
    block[:, 1, 1] = along * uy * uy + across * ux * ux
    block[:, 0, 1] = block[:, 1, 0] = (along - across) * ux * uy
    noise = np.zeros((len(state), 5, 5))
    noise[:, :2, :2] = block * (dt**3 / 3)
    noise[:, :2, 2:4] = noise[:, 2:4, :2] = block * (dt**2 / 2)
    noise[:, 2:4, 2:4] = block * dt
    return noise


def _inverse(matrix: Array) -> tuple[Array, Array]:
    """Inverse and determinant of (..., 2, 2)."""
    a, b, d = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 1, 1]
    determinant = a * d - b * b
    inverse = np.empty_like(matrix)
    inverse[..., 0, 0], inverse[..., 1, 1] = d / determinant, a / determinant
    inverse[..., 0, 1] = inverse[..., 1, 0] = -b / determinant
    return inverse, determinant


def _symmetric(matrix: Array) -> Array:
    return np.asarray((matrix + np.swapaxes(matrix, -1, -2)) / 2, np.float64)
