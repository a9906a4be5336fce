"""Areas: whether a point lies in a polygon, and where on its way somebody goes over an edge."""

from __future__ import annotations

from collections.abc import Callable

from rsu_agent.world.crossing import Points

HALVINGS = 14  # of the way of one tick: to a ten-thousandth of it


def inside(polygon: Points, x: float, y: float) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    odd = False
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            odd = not odd
    return odd


class Area:
    """A polygon in its box: most questions end at the box."""

    def __init__(self, polygon: Points) -> None:
        self._polygon = polygon
        xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
        self._west, self._east, self._south, self._north = min(xs), max(xs), min(ys), max(ys)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        boxed = self._west <= x <= self._east and self._south <= y <= self._north
        return boxed and inside(self._polygon, x, y)


def edge_share(
    holds: Callable[[float, float], bool], start: tuple[float, float], end: tuple[float, float]
) -> float:
    """The share of a straight way at which its answer changes; 1 end must be held and the other not."""
    first, low, high = holds(*start), 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        x, y = (a + (b - a) * middle for a, b in zip(start, end, strict=True))
        low, high = (middle, high) if holds(x, y) == first else (low, middle)
    return (low + high) / 2
