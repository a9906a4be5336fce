"""How road users move: straight on, turning or standing, all models at once (IMM), all tracks in arrays.

State rows [x, y, vx, vy, turn rate]: metres and metres a second east and north, radians a second to the left.
Only the second model turns, the third has no speed. Interacting multiple models: Blom, Bar-Shalom (1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

STRAIGHT, TURNING, STANDING = 0, 1, 2
MODELS = 3
# How often a second users change from one (row) to another (column).
CHANGES = np.array([[0.0, 0.12, 0.1], [0.5, 0.0, 0.05], [0.2, 0.0, 0.0]])
BEGINS = np.array([0.7, 0.1, 0.2])
STILL_SD_MPS, STILL_NOISE_M = 0.1, 0.05  # of who stands: its speed, and metres a root second
SPEED_SD_MPS, TURN_SD = 6.5, 0.3  # of a user just met
TURN_NOISE = 0.35  # rad/s a root second, while turning
NO_TURN_SD = 0.02
SLOW_MPS = 1.5  # slower ones may go any way: their noise has no direction
DOPPLER_GATE = 16.0  # squared: a return off another part of the road
SURE_OF_A_MODEL = 0.02  # the least any model is believed


@dataclass(slots=True)
class Agility:
    """Spectral densities of acceleration, (m/s^2)^2 s, along and across the way, one a track."""

    along: Array
    across: Array


class Motion:
    """All states at `at_s` of the models, a column a track, so that arithmetic runs along the tracks.

    mean (models, 5, n), covariance (models, 5, 5, n), weight (models, n).
    """

    def __init__(self) -> None:
        self.mean: Array = np.zeros((MODELS, 5, 0))
        self.covariance: Array = np.zeros((MODELS, 5, 5, 0))
        self.weight: Array = np.zeros((MODELS, 0))
        self.at_s = 0.0
        self._means: Array | None = None  # both until something changes
        self._combined: tuple[Array, Array] | None = None

    def __len__(self) -> int:
        return int(self.mean.shape[-1])

    def copy(self) -> Motion:
        """The same, for going back to it."""
        other = Motion()
        other.mean, other.covariance = self.mean.copy(), self.covariance.copy()
        other.weight, other.at_s = self.weight.copy(), self.at_s
        return other

    def add(self, points: Array, covariances: Array, velocities: Array | None = None) -> None:
        """New users at these places, (n, 2) and (n, 2, 2), at rest unless a velocity is known."""
        count = len(points)
        mean, covariance = np.zeros((MODELS, 5, count)), np.zeros((MODELS, 5, 5, count))
        mean[:, :2] = points.T
        if velocities is not None:
            mean[:STANDING, 2:4] = velocities.T
        covariance[:, :2, :2] = _last(covariances)
        covariance[:, 2, 2] = covariance[:, 3, 3] = SPEED_SD_MPS**2
        covariance[:, 4, 4], covariance[TURNING, 4, 4] = NO_TURN_SD**2, TURN_SD**2
        self.mean = np.concatenate([self.mean, mean], axis=-1)
        self.covariance = np.concatenate([self.covariance, covariance], axis=-1)
        self.weight = np.concatenate([self.weight, np.tile(BEGINS[:, None], (1, count))], axis=-1)
        self._changed()

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drop the others."""
        rows = np.flatnonzero(mask)
        self.mean, self.covariance, self.weight = (
            each.take(rows, axis=-1) for each in (self.mean, self.covariance, self.weight)
        )
        self._changed()

    def predict(self, at_s: float, agility: Agility) -> None:
        """Move all states forward; time never goes back."""
        dt = at_s - self.at_s
        self.at_s = max(at_s, self.at_s)
        if dt <= 0 or not len(self):
            return
        self._mix(dt)
        straight, ahead = self.mean[STRAIGHT], self.covariance[STRAIGHT]
        straight[:2] += dt * straight[2:4]
        straight[4] = 0.0
        ahead[:2] += dt * ahead[2:4]
        ahead[:, :2] += dt * ahead[:, 2:4]
        ahead[4] = ahead[:, 4] = 0.0
        ahead[4, 4] = NO_TURN_SD**2
        self.mean[TURNING], jacobian = _turned(self.mean[TURNING], dt)
        turning = np.einsum("ijn,jkn->ikn", jacobian, self.covariance[TURNING])
        self.covariance[TURNING] = np.einsum("ijn,kjn->ikn", turning, jacobian)
        self.covariance[TURNING, 4, 4] += TURN_NOISE**2 * dt
        self.covariance[:STANDING, :4, :4] += _noise(self.means(), agility, dt)
        self._stand(dt)
        self._changed()

    def _stand(self, dt: float) -> None:
        """Who stands has no speed, and moves hardly from where it is."""
        mean, covariance = self.mean[STANDING], self.covariance[STANDING]
        mean[2:] = 0.0
        covariance[2:] = covariance[:, 2:] = 0.0
        covariance[2, 2] = covariance[3, 3] = STILL_SD_MPS**2
        covariance[4, 4] = NO_TURN_SD**2
        covariance[0, 0] += STILL_NOISE_M**2 * dt
        covariance[1, 1] += STILL_NOISE_M**2 * dt

    def _mix(self, dt: float) -> None:
        joint = self.weight[:, None] * _switches(dt)[:, :, None]  # (from, to, n)
        weight = joint.sum(axis=0)
        share = joint / weight
        mean = np.einsum("ijn,ian->jan", share, self.mean)
        square = np.einsum("ijn,iabn->jabn", share, self.covariance + _squares(self.mean))
        self.mean, self.covariance, self.weight = mean, square - _squares(mean), weight
        self._changed()

    def combined(self) -> tuple[Array, Array]:
        """Mean (n, 4) and covariance (n, 4, 4) over all models."""
        if self._combined is None:
            self._combined = self.means().T, self._all().transpose(2, 0, 1)
        return self._combined

    def _changed(self) -> None:
        self._means = self._combined = None

    def means(self) -> Array:
        """Of all models together (4, n)."""
        if self._means is None:
            self._means = np.einsum("in,ian->an", self.weight, self.mean[:, :4])
        return self._means

    def place_variances(self) -> Array:
        """Of the places east and north, over all models (2, n)."""
        off = self.mean[:, :2] - self.means()[:2]
        within = np.stack([self.covariance[:, 0, 0], self.covariance[:, 1, 1]], axis=1)
        return np.asarray(np.einsum("in,ian->an", self.weight, within + off * off), np.float64)

    def _all(self) -> Array:
        square = self.covariance[:, :4, :4] + _squares(self.mean[:, :4])
        return np.asarray(np.einsum("in,iabn->abn", self.weight, square) - _squares(self.means()), np.float64)

    def update(self, rows: Rows, points: Array, covariances: Array) -> None:
        """One position each, (m, 2) and (m, 2, 2), for these tracks."""
        if not len(rows):
            return
        mean, prior = self.mean.take(rows, axis=-1), self.covariance.take(rows, axis=-1)
        (a, b, d), determinant = _inverse(prior[:, :2, :2] + _last(covariances))
        x, y = prior[:, 0], prior[:, 1]
        first, second = a[:, None] * x + b[:, None] * y, b[:, None] * x + d[:, None] * y  # the gain
        dx, dy = points[:, 0] - mean[:, 0], points[:, 1] - mean[:, 1]
        self.mean[..., rows] = mean + first * dx[:, None] + second * dy[:, None]
        prior -= first[:, :, None] * x[:, None] + second[:, :, None] * y[:, None]
        self.covariance[..., rows] = prior
        self._reweigh(rows, a * dx * dx + 2 * b * dx * dy + d * dy * dy, determinant)

    def update_doppler(self, rows: Rows, rays: Array, dopplers_mps: Array, sd_mps: float) -> None:
        """One radial velocity each, away positive, along unit vectors (m, 2); what is far off is left out."""
        if not len(rows):
            return
        mean, prior = self.mean.take(rows, axis=-1), self.covariance.take(rows, axis=-1)
        ux, uy = rays.T
        towards = prior[:, :, 2] * ux + prior[:, :, 3] * uy  # covariance times the row (0, 0, ray, 0)
        total = towards[:, 2] * ux + towards[:, 3] * uy + sd_mps**2
        off = dopplers_mps - (mean[:, 2] * ux + mean[:, 3] * uy)
        good = np.flatnonzero(((off * off) <= DOPPLER_GATE * total).any(axis=0))
        rows = rows[good]
        mean, prior, towards, total, off = (each[..., good] for each in (mean, prior, towards, total, off))
        self.mean[..., rows] = mean + towards * (off / total)[:, None]
        self.covariance[..., rows] = prior - towards[:, :, None] * (towards / total[:, None])[:, None]
        self._reweigh(rows, off * off / total, total)

    def _reweigh(self, rows: Rows, distance: Array, determinant: Array) -> None:
        """By how well each model had foretold what was measured: squared distances, their determinants."""
        self._changed()
        likelihood = np.exp(-0.5 * (distance - distance.min(axis=0))) / np.sqrt(determinant)
        weight = self.weight[:, rows] * likelihood
        weight = np.maximum(weight / weight.sum(axis=0), SURE_OF_A_MODEL)
        self.weight[:, rows] = weight / weight.sum(axis=0)


def _squares(mean: Array) -> Array:
    """(..., k, n) to (..., k, k, n). Sums with it are good to 1e-10 m^2 within a kilometre."""
    return np.asarray(mean[..., :, None, :] * mean[..., None, :, :], np.float64)


def _switches(dt: float) -> Array:
    """(from, to) chance of each change within dt."""
    leaves = 1.0 - np.exp(-dt * CHANGES)
    return np.asarray(leaves + np.diag(1.0 - leaves.sum(axis=1)), np.float64)


def _turned(mean: Array, dt: float) -> tuple[Array, Array]:
    """Where a constant turn rate leads (5, n), and its derivatives by the state (5, 5, n)."""
    _, _, vx, vy, rate = mean
    angle = rate * dt
    sine, cosine = np.sin(angle), np.cos(angle)
    small = np.abs(angle) < 1e-4
    safe = np.where(small, 1.0, rate)
    along = np.where(small, dt, sine / safe)
    across = np.where(small, angle * dt / 2, (1 - cosine) / safe)
    moved = mean.copy()
    moved[0] += along * vx - across * vy
    moved[1] += across * vx + along * vy
    moved[2], moved[3] = cosine * vx - sine * vy, sine * vx + cosine * vy
    jacobian = np.zeros((5, 5, mean.shape[-1]))
    jacobian[0, 0] = jacobian[1, 1] = jacobian[4, 4] = 1.0
    jacobian[0, 2] = jacobian[1, 3] = along
    jacobian[0, 3], jacobian[1, 2] = -across, across
    jacobian[2, 2] = jacobian[3, 3] = cosine
    jacobian[2, 3], jacobian[3, 2] = -sine, sine
    half = dt * dt / 2  # by the turn rate, to the second order of dt
    jacobian[0, 4], jacobian[1, 4] = -half * vy, half * vx
    jacobian[2, 4], jacobian[3, 4] = -dt * moved[3], dt * moved[2]
    return moved, jacobian


def _noise(state: Array, agility: Agility, dt: float) -> Array:
    """White acceleration, more of it along the way than across for those who move (4, 4, n)."""
    _, _, vx, vy = state
    speed = np.hypot(vx, vy)
    moves = speed > SLOW_MPS
    safe = np.where(moves, speed, 1.0)
    ux, uy = np.where(moves, vx / safe, 1.0), np.where(moves, vy / safe, 0.0)
    along, across = agility.along, np.where(moves, agility.across, agility.along)
    block = np.empty((2, 2, len(speed)))
    block[0, 0] = along * ux * ux + across * uy * uy
    block[1, 1] = along * uy * uy + across * ux * ux
    block[0, 1] = block[1, 0] = (along - across) * ux * uy
    noise = np.empty((4, 4, len(speed)))
    noise[:2, :2] = block * (dt**3 / 3)
    noise[:2, 2:] = noise[2:, :2] = block * (dt**2 / 2)
    noise[2:, 2:] = block * dt
    return noise


def _inverse(matrix: Array) -> tuple[tuple[Array, Array, Array], Array]:
    """Of symmetric (k, 2, 2, n): of the inverse (0, 0), (0, 1), (1, 1); the determinant; (k, n) each."""
    a, b, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1]
    determinant = a * d - b * b
    return (d / determinant, -b / determinant, a / determinant), determinant


def _last(matrices: Array) -> Array:
    """(n, 2, 2) as (2, 2, n)."""
    return np.ascontiguousarray(matrices.transpose(1, 2, 0))
