"""A radar's bare echoes: several lie on one body; each goes to the body it lies on, which moves once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.associate import FAR
from rsu_agent.perception.measured import Array, Measured
from rsu_agent.perception.motion import Rows
from rsu_agent.perception.tracks import Tracks

CLUSTER_M = 2.2  # echoes so near each other begin one track
REACH_M, MOST_UNSURE_M = 0.6, 1.5  # around half a body, and for not knowing where it is
SAME_SPEED_MPS, BY_DOUBT = 1.5, 2.0
NEAR_SIDE = 0.25  # echoes come off the near side: the middle lies so many widths behind
CLUSTER_VARIANCE_M2 = 0.5


@dataclass(frozen=True, slots=True)
class Bodies:
    """What each body that was met got: its track's row, mean place, spread, ray and radial velocity."""

    rows: Rows
    points: Array
    covariances: Array
    rays: Array
    dopplers_mps: Array


@dataclass(frozen=True, slots=True)
class Echoes:
    """Clusters that lie on no track."""

    points: Array
    covariances: Array
    velocities: Array

    @classmethod
    def of(cls, measured: Measured, free: npt.NDArray[np.bool_]) -> Echoes:
        """Each cluster is what lies around its first echo."""
        assert measured.dopplers_mps is not None
        points, spreads, velocities, rays = [], [], [], measured.rays()
        left = np.flatnonzero(free)
        while len(left):
            off = measured.points[left] - measured.points[left[0]]
            near = np.hypot(off[:, 0], off[:, 1]) < CLUSTER_M
            members, left = left[near], left[~near]
            points.append(measured.points[members].mean(axis=0))
            spreads.append(measured.covariances[members[0]] + np.eye(2) * CLUSTER_VARIANCE_M2)
            velocities.append(rays[members[0]] * measured.dopplers_mps[members].mean())
        return cls(
            np.array(points).reshape(-1, 2),
            np.array(spreads).reshape(-1, 2, 2),
            np.array(velocities).reshape(-1, 2),
        )


def on_bodies(tracks: Tracks, measured: Measured) -> tuple[Bodies, npt.NDArray[np.bool_]]:
    """Means over the echoes of each body, and which echoes lie on one."""
    points, dopplers, rays = measured.points, measured.dopplers_mps, measured.rays()
    assert dopplers is not None
    owner, taken = _owners(tracks, points, dopplers, rays)
    rows = np.unique(owner[taken])
    belongs = (owner[None] == rows[:, None]) & taken[None]
    share = belongs / np.maximum(1, belongs.sum(axis=1, keepdims=True))
    length, width, _ = tracks.sizes()[rows].T
    ray = share @ rays
    ray /= np.maximum(1e-9, np.hypot(ray[:, 0], ray[:, 1]))[:, None]
    place = share @ points + ray * (NEAR_SIDE * width)[:, None]
    spread = np.einsum("rm,mij->rij", share, measured.covariances)
    body = (length / 4) ** 2 / np.sqrt(np.maximum(1, belongs.sum(axis=1)))
    spread[:, 0, 0] += body
    spread[:, 1, 1] += body
    return Bodies(rows, place, spread, ray, share @ dopplers), taken


def _owners(
    tracks: Tracks, points: Array, dopplers: Array, rays: Array
) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """The nearest body that each echo may come off, by place and radial velocity."""
    if not len(tracks):
        return np.zeros(len(points), np.intp), np.zeros(len(points), bool)
    mean, covariance = tracks.motion.combined()
    off = points[None] - mean[:, None, :2]
    away = np.hypot(off[..., 0], off[..., 1])
    unsure = np.sqrt(np.maximum(covariance[:, 0, 0], covariance[:, 1, 1])).clip(0, MOST_UNSURE_M)
    reach = REACH_M + tracks.sizes()[:, 0] / 2 + unsure
    loose = np.sqrt(covariance[:, 2, 2] + covariance[:, 3, 3])
    apart = np.abs(mean[:, 2:] @ rays.T - dopplers[None])
    fits = (away < reach[:, None]) & (apart < SAME_SPEED_MPS + BY_DOUBT * loose[:, None])
    return np.where(fits, away, FAR).argmin(axis=0), np.asarray(fits.any(axis=0), bool)
