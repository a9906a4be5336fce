"""Where the road is: for believing a radar-only track, and for the heading of who never moved."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rsu_agent.world.crossing import Crossing, Points
from rsu_agent.world.place import heading_deg

FARTHEST_M = 75.0
VERGE_M = 9.0  # pavements beside the carriageway, where people wait


class Roadway:
    """Lanes, drive paths and crosswalks of a crossing as segments."""

    def __init__(self, crossing: Crossing) -> None:
        starts, ends, widths = [], [], []
        lines: list[tuple[Points, float]] = [(lane.points, lane.width_m) for lane in crossing.lanes]
        lines += [(way.path, 3.5) for lane in crossing.lanes for way in lane.connections]
        lines += [(walk.axis, 4.5) for walk in crossing.crosswalks]
        for points, width in lines:
            for a, b in pairwise(points):
                starts.append(a)
                ends.append(b)
                widths.append(width)
        self._a, self._b = np.array(starts), np.array(ends)
        self._half = np.array(widths) / 2
        self._lanes = sum(len(lane.points) - 1 for lane in crossing.lanes)

    def on_road(self, x: float, y: float) -> bool:
        """Whether a point lies on a lane, a drive path or a crosswalk."""
        return bool((self._away(x, y) <= self._half + 0.3).any())

    def near(self, x: float, y: float) -> bool:
        """Whether a point lies on the road or beside it, not farther out than the lanes are drawn."""
        return math.hypot(x, y) < FARTHEST_M and bool((self._away(x, y) <= self._half + VERGE_M).any())

    def heading(self, x: float, y: float) -> float | None:
        """Direction of the lane under a point, None off the lanes."""
        away = self._away(x, y)[: self._lanes]
        i = int(away.argmin())
        if away[i] > self._half[i] + 0.3:
            return None
        dx, dy = self._b[i] - self._a[i]
        return heading_deg(float(dx), float(dy))

    def _away(self, x: float, y: float) -> npt.NDArray[np.float64]:
        """Distances from all segments."""
        along = self._b - self._a
        off = np.array([x, y]) - self._a
        part = np.clip((off * along).sum(axis=1) / (along * along).sum(axis=1), 0.0, 1.0)
        nearest = off - along * part[:, None]
        return np.asarray(np.hypot(nearest[:, 0], nearest[:, 1]), np.float64)
