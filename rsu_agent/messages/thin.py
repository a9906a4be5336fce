"""Thinning a line to the fewest points within a chord error (Douglas and Peucker)."""

from __future__ import annotations

import math

from rsu_agent.world.crossing import Points


def thinned(points: Points, error_m: float) -> Points:
    """The points that remain; the first and the last always do."""
    if len(points) < 3:
        return points
    farthest, at = max((_off(points[i], points[0], points[-1]), i) for i in range(1, len(points) - 1))
    if farthest <= error_m:
        return points[0], points[-1]
    return thinned(points[: at + 1], error_m)[:-1] + thinned(points[at:], error_m)


def _off(point: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance of a point from the segment a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    along = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length2 if length2 else 0.0
    along = max(0.0, min(1.0, along))
    return math.hypot(point[0] - a[0] - along * dx, point[1] - a[1] - along * dy)
