"""What one sensor measured at one instant, on the ground: the only thing that fusion is fed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from rsu_agent.world.road_user import UserClass

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """n places of one camera picture, or of one radar cycle.

    points: (n, 2) metres east and north; covariances: (n, 2, 2); measured_s: monotonic instant.
    kind: `camera` and `radar` tell a user once; `returns` are a radar's bare echoes, several of one body;
    `v2x` is what vehicles say of themselves.
    dopplers_mps: (n,) radial velocities, away from `origin` (2,) positive; None: none were measured.
    classes, scores: of detections, scores (n,) in 0..1; None: nothing is said of the kind.
    tracks: of `v2x`, the numbers of the tracks that the places are of.
    """

    sensor: str
    kind: Literal["camera", "radar", "returns", "v2x"]
    measured_s: float
    points: Array
    covariances: Array
    dopplers_mps: Array | None = None
    origin: Array | None = None
    classes: tuple[UserClass, ...] | None = None
    scores: Array | None = None
    tracks: tuple[int, ...] = ()

    def rays(self) -> Array:
        """Unit vectors from the sensor to the points, (n, 2)."""
        assert self.origin is not None
        off = self.points - self.origin
        return np.asarray(off / np.maximum(1.0, np.hypot(off[:, 0], off[:, 1]))[:, None], np.float64)
