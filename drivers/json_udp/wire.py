"""One datagram's targets by the site file's map: units and foreign frames end here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drivers.json_udp.bounded_json import Refused, loads, number
from drivers.json_udp.settings import Axes, Settings
from rsu_agent.world.place import GeoPoint, LocalFrame
from rsu_agent.world.road_user import UserClass

METRES = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "ft": 0.3048}
MPS = {"mps": 1.0, "kmh": 1 / 3.6, "mph": 0.44704, "cmps": 0.01, "mmps": 0.001}
RADIANS = {"deg": math.radians(1.0), "mdeg": math.radians(0.001), "rad": 1.0}
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}

MOST_TARGETS = 256
LARGEST_COUNT = 1 << 53  # beyond, a float no longer counts by one
FARTHEST_M = (
    500.0  # the projection is good to 3 cm there, and no unit sees farther; GCJ-02 is 300 to 700 m off
)
FASTEST_MPS = 100.0

# axes -> (forward, left) of a vector
TURNS: dict[Axes, Callable[[float, float], tuple[float, float]]] = {
    "x_right_y_forward": lambda x, y: (y, -x),
    "x_forward_y_left": lambda x, y: (x, y),
    "x_forward_y_right": lambda x, y: (x, -y),
    "x_left_y_forward": lambda x, y: (y, x),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One target in the sensor's frame."""

    name: str
    place_m: tuple[float, float]
    velocity_mps: tuple[float, float]
    kind: UserClass | None
    length_m: float | None
    width_m: float | None
    exists: float | None


@dataclass(frozen=True, slots=True)
class Document:
    """One datagram. faults: a word for each target that was left out."""

    targets: tuple[Told, ...]
    stamp_s: float | None
    frame: int | None
    faults: tuple[str, ...]


class Reader:
    """Reads documents of one unit.

    wgs84: the tangent plane at the radar (east and north metres a degree by the ellipsoid's two radii of
    curvature there), turned by its yaw, so that the crossing's own frame plays no part.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        paths = settings.fields.model_dump(exclude_none=True)
        self._paths = {name: tuple(path.split(".")) for name, path in paths.items()}
        self._list, self._time, self._frame = map(_steps, (settings.targets, settings.time, settings.frame))
        self._plane = LocalFrame(GeoPoint(settings.lat_deg or 0.0, settings.lon_deg or 0.0))
        self._yaw = math.radians(settings.yaw_deg or 0.0)
        self._turn = self._from_east_north if settings.coord == "wgs84" else TURNS[settings.axes]

    def read(self, data: bytes) -> Document | str:
        """A document, or a word for what is wrong: size, depth, json or list."""
        try:
            tree = loads(data)
        except Refused as refused:
            return str(refused)
        rows = at(tree, self._list)
        if not isinstance(rows, list):
            return "list"
        targets, faults = [], ["too_many"] * (len(rows) > MOST_TARGETS)
        for row in rows[:MOST_TARGETS]:
            told = self._target(row)
            if isinstance(told, str):
                faults.append(told)
            else:
                targets.append(told)
        stamp = number(at(tree, self._time)) if self._time else None
        count = number(at(tree, self._frame)) if self._frame else None
        stamp_s = None if stamp is None else stamp * SECONDS[self._settings.time_unit]
        frame = int(count) if count is not None and 0 <= count < LARGEST_COUNT else None
        return Document(tuple(targets), stamp_s, frame, tuple(faults))

    def _target(self, row: Any) -> Told | str:
        """A target, or a word for what is wrong: id, place, far, velocity or fast."""
        name = at(row, self._paths["id"])
        if isinstance(name, bool) or not isinstance(name, int | str):
            return "id"
        place = self._place(row)
        if place is None:
            return "place"
        if math.hypot(*place) > FARTHEST_M:
            return "far"
        velocity = self._velocity(row)
        if velocity is None:
            return "velocity"
        if math.hypot(*velocity) > FASTEST_MPS:
            return "fast"
        exists = self._number(row, "exists")
        return Told(
            str(name)[:64],
            place,
            velocity,
            self._kind(row),
            self._size(row, "length"),
            self._size(row, "width"),
            exists if exists is not None and 0.0 <= exists <= 1.0 else None,
        )

    def _place(self, row: Any) -> tuple[float, float] | None:
        x, y = self._number(row, "x"), self._number(row, "y")
        if x is None or y is None:
            return None
        if self._settings.coord == "wgs84":
            return self._turn(*self._plane.to_local(GeoPoint(lat_deg=y, lon_deg=x)))
        unit = METRES[self._settings.position_unit]
        return self._turn(x * unit, y * unit)

    def _velocity(self, row: Any) -> tuple[float, float] | None:
        unit = MPS[self._settings.speed_unit]
        vx, vy = self._number(row, "vx"), self._number(row, "vy")
        if vx is not None and vy is not None:
            return self._turn(vx * unit, vy * unit)
        speed, heading = self._number(row, "speed"), self._number(row, "heading")
        if speed == 0.0:
            return 0.0, 0.0
        if speed is None or heading is None:
            return None
        clockwise = heading * RADIANS[self._settings.heading_unit]
        clockwise -= self._yaw if self._settings.heading_from == "north" else 0.0
        return speed * unit * math.cos(clockwise), -speed * unit * math.sin(clockwise)

    def _kind(self, row: Any) -> UserClass | None:
        if "kind" not in self._paths:
            return None
        word = at(row, self._paths["kind"])
        return self._settings.classes.get(str(word)[:64], UserClass.UNKNOWN)

    def _size(self, row: Any, what: str) -> float | None:
        size = self._number(row, what)
        return size * METRES[self._settings.size_unit] if size is not None and size > 0 else None

    def _number(self, row: Any, what: str) -> float | None:
        path = self._paths.get(what)
        return None if path is None else number(at(row, path))

    def _from_east_north(self, east: float, north: float) -> tuple[float, float]:
        sin, cos = math.sin(self._yaw), math.cos(self._yaw)
        return east * sin + north * cos, north * sin - east * cos


def at(tree: Any, path: tuple[str, ...]) -> Any:
    """What stands there; None: nothing."""
    for step in path:
        if isinstance(tree, dict):
            tree = tree.get(step)
        elif isinstance(tree, list) and step.isdecimal() and int(step) < len(tree):
            tree = tree[int(step)]
        else:
            return None
    return tree


def _steps(path: str | None) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()
