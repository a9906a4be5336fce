"""From the near edge of a body, which is what the bottom of a detector's box shows, to its middle.

Nets that do not give the ground point themselves give boxes: the middle of a box's bottom edge lies where the
body's nearest corner touches the road, not under its middle (facts/perception 4: 1.95 m off in the median).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.ground import turned
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.kinds import SIZES
from rsu_agent.perception.roadway import Roadway

Array = npt.NDArray[np.float64]
UNSURE = (
    0.35  # of the reach, one standard deviation: sizes differ, and the body may not stand as its lane goes
)


def to_middles(
    points: Array, covariances: Array, found: Sequence[Detection], eye: Array, roadway: Roadway
) -> tuple[Array, Array]:
    """Places (n, 2) and covariances (n, 2, 2) of bodies' middles. eye: the camera's place, (2,) metres."""
    rows = [row for row, item in enumerate(found) if not item.grounded]
    if not rows:
        return points, covariances
    away = points[rows] - eye
    unit = away / np.maximum(1.0, np.hypot(away[:, 0], away[:, 1]))[:, None]
    reach = np.array(
        [_reach(found[row], points[row], ray, roadway) for row, ray in zip(rows, unit, strict=True)]
    )
    points, covariances = points.copy(), covariances.copy()
    points[rows] += unit * reach[:, None]
    covariances[rows] += turned(unit, (UNSURE * reach) ** 2, np.zeros(len(rows)))
    return points, covariances


def _reach(item: Detection, point: Array, ray: Array, roadway: Roadway) -> float:
    """How far behind its nearest corner a body's middle lies along the ray, in metres."""
    length, width, _ = SIZES[item.kind]
    heading = roadway.heading(float(point[0]), float(point[1]))
    if heading is None:
        return (length + width) / math.pi  # the mean over all ways to stand
    angle = math.radians(heading) - math.atan2(ray[0], ray[1])
    return (length * abs(math.cos(angle)) + width * abs(math.sin(angle))) / 2
