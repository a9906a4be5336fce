"""Drawing the virtual crossing: arms, lanes, paths, walks, in metres around the reference point."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

Point = tuple[float, float]

ARMS = {"N": 0.0, "E": 105.0, "S": 180.0, "W": 270.0}  # E is skewed by 15 degrees
UPSTREAM = {"N": 1, "E": 2, "S": 3, "W": 4}
NEXT_RIGHT = {"N": "W", "E": "N", "S": "E", "W": "S"}
NEXT_LEFT = {"N": "E", "E": "S", "S": "W", "W": "N"}
OPPOSITE = {"N": "S", "E": "W", "S": "N", "W": "E"}
THROUGH = {"N": 1, "E": 2, "S": 3, "W": 4}
LEFT = {"N": 5, "E": 6, "S": 7, "W": 8}
RIGHT = {"N": 9, "E": 10, "S": 11}
BICYCLE = {"N": 13, "E": 14, "S": 15, "W": 16}
WALK = {"N": 17, "E": 18, "S": 19, "W": 20}
BICYCLE_LEFT = {"N": 22, "S": 23}
WAITING, U_TURN, REPEATER = 12, 21, 24

FAR_M, STOP_M, WALK_M, WALK_HALF_M, BOX_M = 100.0, 23.0, 19.0, 2.0, 15.5
MOTOR_W, BICYCLE_W = 3.5, 2.5
ENTRY = {"left": 1.75, "through": 5.25, "right": 8.75, "bicycle": 12.05}  # to the right of the axis, inbound
EXIT = {"inner": -1.75, "outer": -5.25, "bicycle": -9.05}
KERBS = (13.6, -10.6)
CURVE_POINTS = 15


@dataclass
class Drawing:
    """Features in metres: (kind, points, properties, closed)."""

    features: list[tuple[str, list[Point], dict[str, Any], str]] = field(default_factory=list)

    def add(self, kind: str, points: list[Point], geometry: str, **properties: Any) -> None:
        """One feature."""
        self.features.append((kind, points, {"kind": kind, **properties}, geometry))


def at(arm: str, out_m: float, right_m: float) -> Point:
    """The point so far out on an arm's axis and so far to the right of it, looking inbound."""
    bearing = math.radians(ARMS[arm])
    ux, uy = math.sin(bearing), math.cos(bearing)
    return ux * out_m - uy * right_m, uy * out_m + ux * right_m


def lane_number(arm: str, role: str) -> int:
    """1.. by arm: entry left, through, right, bicycle, exit inner, outer, bicycle."""
    roles = [*(f"entry {name}" for name in ENTRY), *(f"exit {name}" for name in EXIT)]
    return list(ARMS).index(arm) * 10 + roles.index(role) + 1


def curve(start: Point, start_dir: Point, end: Point, end_dir: Point, reach: float = 0.45) -> list[Point]:
    """A cubic from one lane's end to another's start, tangent to both."""
    length = math.dist(start, end) * reach
    a = (start[0] + start_dir[0] * length, start[1] + start_dir[1] * length)
    b = (end[0] - end_dir[0] * length, end[1] - end_dir[1] * length)
    points = []
    for i in range(CURVE_POINTS):
        t = i / (CURVE_POINTS - 1)
        w = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        points.append(tuple(w[0] * start[k] + w[1] * a[k] + w[2] * b[k] + w[3] * end[k] for k in (0, 1)))
    return points  # type: ignore[return-value]


def direction(arm: str, *, inbound: bool) -> Point:
    """Unit vector of travel on an arm."""
    bearing = math.radians(ARMS[arm])
    sign = -1.0 if inbound else 1.0
    return sign * math.sin(bearing), sign * math.cos(bearing)


def draw() -> Drawing:
    """The whole virtual crossing."""
    drawing = Drawing()
    for arm in ARMS:
        _arm(drawing, arm)
    for arm in ARMS:
        _motor_ways(drawing, arm)
        _bicycle_ways(drawing, arm)
        _walk(drawing, arm)
        _heads(drawing, arm)
    left = lane_number("S", "entry left")
    way = curve(
        at("S", STOP_M, ENTRY["left"]),
        direction("S", inbound=True),
        at("W", STOP_M, EXIT["inner"]),
        direction("W", inbound=False),
    )
    drawing.add("waiting_area", _strip(way[3:7], MOTOR_W), "Polygon", lane=left, group=WAITING)
    corners = [at(arm, BOX_M, side) for arm in ARMS for side in (-BOX_M * 0.7, BOX_M * 0.7)]
    corners.sort(key=lambda p: math.atan2(p[0], p[1]))
    drawing.add("conflict_area", corners, "Polygon")
    return drawing


def _arm(drawing: Drawing, arm: str) -> None:
    drawing.add(
        "arm", [at(arm, FAR_M, 0.0)], "Point", arm=arm, bearing_deg=ARMS[arm], upstream_node=UPSTREAM[arm]
    )
    for name, right in ENTRY.items():
        bicycle = name == "bicycle"
        drawing.add(
            "lane",
            [at(arm, FAR_M, right), at(arm, 60.0, right), at(arm, STOP_M, right)],
            "LineString",
            lane=lane_number(arm, f"entry {name}"),
            arm=arm,
            role="entry",
            use="bicycle" if bicycle else "motor",
            width_m=BICYCLE_W if bicycle else MOTOR_W,
            speed_limit_kmh=20 if bicycle else 50,
            right_on_red=False,
        )
    for name, right in EXIT.items():
        bicycle = name == "bicycle"
        drawing.add(
            "lane",
            [at(arm, STOP_M, right), at(arm, 60.0, right), at(arm, FAR_M, right)],
            "LineString",
            lane=lane_number(arm, f"exit {name}"),
            arm=arm,
            role="exit",
            use="bicycle" if bicycle else "motor",
            width_m=BICYCLE_W if bicycle else MOTOR_W,
            speed_limit_kmh=20 if bicycle else 50,
        )


def _connect(
    drawing: Drawing, arm: str, entry: str, to: str, leave: str, turn: str, group: int | None
) -> None:
    start, end = at(arm, STOP_M, ENTRY[entry]), at(to, STOP_M, EXIT[leave])
    reach = {"through": 0.33, "u_turn": 1.6}.get(turn, 0.45)
    drawing.add(
        "connection",
        curve(start, direction(arm, inbound=True), end, direction(to, inbound=False), reach),
        "LineString",
        from_lane=lane_number(arm, f"entry {entry}"),
        to_lane=lane_number(to, f"exit {leave}"),
        turn=turn,
        group=group,
        uncontrolled=group is None,
    )


def _motor_ways(drawing: Drawing, arm: str) -> None:
    _connect(drawing, arm, "left", NEXT_LEFT[arm], "inner", "left", LEFT[arm])
    _connect(drawing, arm, "through", OPPOSITE[arm], "outer", "through", THROUGH[arm])
    _connect(drawing, arm, "right", NEXT_RIGHT[arm], "outer", "right", RIGHT.get(arm))
    if arm == "W":
        _connect(drawing, arm, "left", arm, "inner", "u_turn", U_TURN)


def _bicycle_ways(drawing: Drawing, arm: str) -> None:
    _connect(drawing, arm, "bicycle", OPPOSITE[arm], "bicycle", "through", BICYCLE[arm])
    if arm in BICYCLE_LEFT:
        _connect(drawing, arm, "bicycle", NEXT_LEFT[arm], "bicycle", "left", BICYCLE_LEFT[arm])


def _walk(drawing: Drawing, arm: str) -> None:
    near, far = WALK_M - WALK_HALF_M, WALK_M + WALK_HALF_M
    right, left = KERBS
    drawing.add(
        "crosswalk",
        [at(arm, near, left), at(arm, near, right), at(arm, far, right), at(arm, far, left)],
        "Polygon",
        crosswalk=list(ARMS).index(arm) + 1,
        arm=arm,
        group=WALK[arm],
        axis=[at(arm, WALK_M, left), at(arm, WALK_M, right)],
    )


def _heads(drawing: Drawing, arm: str) -> None:
    """Motor and bicycle heads hang over the far side and face their arm; walk heads stand at both kerbs."""
    over: list[tuple[int, str, float]] = [
        (LEFT[arm], "arrow_left", 2.0),
        (THROUGH[arm], "round", 5.0),
        (BICYCLE[arm], "bicycle", 10.0),
    ]
    if arm in RIGHT:
        over.append((RIGHT[arm], "arrow_right", 8.0))
    if arm in BICYCLE_LEFT:
        over.append((BICYCLE_LEFT[arm], "bicycle", 11.5))
    extra = {
        "W": (U_TURN, "arrow_u_turn", 0.5),
        "S": (WAITING, "arrow_left", 0.5),
        "E": (REPEATER, "round", 6.5),
    }
    if arm in extra:
        over.append(extra[arm])
    for group, shape, right in over:
        place = at(arm, -STOP_M, right)
        drawing.add(
            "signal_head", [place], "Point", group=group, height_m=5.5, facing_deg=ARMS[arm], shape=shape
        )
    for side, turn in zip(KERBS, (90.0, -90.0), strict=True):
        facing = (ARMS[arm] + turn) % 360.0
        place = at(arm, WALK_M, side + math.copysign(0.8, side))
        drawing.add(
            "signal_head",
            [place],
            "Point",
            group=WALK[arm],
            height_m=2.6,
            facing_deg=facing,
            shape="pedestrian",
        )


def _strip(way: list[Point], width: float) -> list[Point]:
    """The outline of a strip of some width along a way."""
    sides: tuple[list[Point], list[Point]] = ([], [])
    for i, (x, y) in enumerate(way):
        (ax, ay), (bx, by) = way[max(0, i - 1)], way[min(len(way) - 1, i + 1)]
        length = math.hypot(bx - ax, by - ay)
        nx, ny = (by - ay) / length * width / 2, -(bx - ax) / length * width / 2
        sides[0].append((x + nx, y + ny))
        sides[1].append((x - nx, y - ny))
    return sides[0] + sides[1][::-1]
