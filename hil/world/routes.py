"""Ways through the virtual crossing: entry lane, box and exit lane as one line with a stop line on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hil.world.crossing_read import Line, RigCrossing

STEP_M = 0.5


@dataclass(frozen=True)
class Route:
    """A line sampled every half metre. stop_m: where its stop line is; None groups are not signalled."""

    name: str
    use: str
    entry: int
    exit: int
    turn: str
    group: int | None
    points: Line
    headings: Line
    stop_m: float
    end_m: float
    wait_m: float | None = None
    wait_group: int | None = None

    def at(self, along_m: float) -> tuple[float, float, float]:
        """(x, y, heading in degrees clockwise from north) so far along."""
        place = min(max(along_m / STEP_M, 0.0), len(self.points) - 1.001)
        i, part = int(place), place - int(place)
        x, y = self.points[i] * (1 - part) + self.points[i + 1] * part
        return float(x), float(y), float(self.headings[i])


def sampled(line: Line) -> Line:
    """The same line, a point every half metre."""
    lengths = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.arange(0.0, along[-1], STEP_M)
    return np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])])


def make_route(name: str, parts: list[Line], **fields: object) -> Route:
    """A route of joined lines."""
    points = sampled(np.vstack(parts))
    steps = np.diff(points, axis=0)
    headings = np.degrees(np.arctan2(steps[:, 0], steps[:, 1])) % 360.0
    headings = np.append(headings, headings[-1])
    end_m = (len(points) - 1) * STEP_M
    return Route(name=name, points=points, headings=headings, end_m=end_m, **fields)  # type: ignore[arg-type]


def routes_of(crossing: RigCrossing) -> list[Route]:
    """Every connection as a whole route."""
    routes = []
    for way in crossing.ways:
        entry, leave = crossing.lanes[way.from_lane], crossing.lanes[way.to_lane]
        stop_m = float(np.hypot(*np.diff(entry.points, axis=0).T).sum())
        waiting = crossing.waiting.get(way.from_lane) if way.turn == "left" else None
        wait_m = None
        if waiting is not None:
            far = waiting[1][len(waiting[1]) // 2]
            wait_m = stop_m + float(np.hypot(*(far - entry.points[-1]))) - 1.0
        routes.append(
            make_route(
                f"{way.from_lane}-{way.to_lane}",
                [entry.points, way.points[1:-1], leave.points],
                use=entry.use,
                entry=way.from_lane,
                exit=way.to_lane,
                turn=way.turn,
                group=way.group,
                stop_m=stop_m - 1.0,
                wait_m=wait_m,
                wait_group=waiting[0] if waiting else None,
            )
        )
    return routes


def walk_routes(crossing: RigCrossing, offset_m: float, *, back: bool, before_m: float = 7.0) -> list[Route]:
    """Pedestrians' lines over each crosswalk, moved sideways by some metres; stop_m is the kerb."""
    routes = []
    for walk in crossing.walks:
        a, b = walk.axis[::-1] if back else walk.axis
        along = (b - a) / np.hypot(*(b - a))
        side = np.array([along[1], -along[0]]) * offset_m
        line = np.array([a - along * before_m + side, a + side, b + side, b + along * before_m + side])
        routes.append(
            make_route(
                f"walk-{walk.arm}-{'back' if back else 'out'}",
                [line],
                use="walk",
                entry=0,
                exit=0,
                turn="walk",
                group=walk.group,
                stop_m=before_m - 0.6,
            )
        )
    return routes
