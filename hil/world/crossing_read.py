"""The rig's own reading of a crossing file: what the world, the painter and the scorer need, in metres."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.world.make_crossing import to_metres

Line = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RigLane:
    """A lane; points in the direction of travel."""

    lane: int
    arm: str
    role: str
    use: str
    width_m: float
    points: Line


@dataclass(frozen=True)
class RigWay:
    """A drive path through the box."""

    from_lane: int
    to_lane: int
    turn: str
    group: int | None
    points: Line


@dataclass(frozen=True)
class RigWalk:
    """A crosswalk."""

    arm: str
    group: int
    outline: Line
    axis: Line


@dataclass(frozen=True)
class RigHead:
    """A signal head."""

    group: int
    x: float
    y: float
    height_m: float
    facing_deg: float
    shape: str


@dataclass(frozen=True)
class RigCrossing:
    """Everything of the file."""

    lanes: dict[int, RigLane]
    ways: tuple[RigWay, ...]
    walks: tuple[RigWalk, ...]
    waiting: dict[int, tuple[int | None, Line]]
    heads: tuple[RigHead, ...]
    conflict: Line
    node: int


def read_rig_crossing(path: Path) -> RigCrossing:
    """Read the file."""
    document = json.loads(path.read_text())
    by_kind: dict[str, list[tuple[dict[str, Any], Line]]] = {}
    for feature in document["features"]:
        properties, geometry = feature["properties"], feature["geometry"]
        coordinates = geometry["coordinates"]
        if geometry["type"] == "Point":
            coordinates = [coordinates]
        elif geometry["type"] == "Polygon":
            coordinates = coordinates[0]
        points = np.array([to_metres(lon, lat) for lon, lat in coordinates])
        by_kind.setdefault(properties["kind"], []).append((properties, points))
    lanes = {
        p["lane"]: RigLane(p["lane"], p["arm"], p["role"], p["use"], p["width_m"], points)
        for p, points in by_kind["lane"]
    }
    return RigCrossing(
        lanes=lanes,
        ways=tuple(
            RigWay(p["from_lane"], p["to_lane"], p["turn"], p["group"], points)
            for p, points in by_kind["connection"]
        ),
        walks=tuple(
            RigWalk(p["arm"], p["group"], points, np.array([to_metres(*end) for end in p["axis"]]))
            for p, points in by_kind["crosswalk"]
        ),
        waiting={p["lane"]: (p["group"], points) for p, points in by_kind.get("waiting_area", [])},
        heads=tuple(
            RigHead(p["group"], float(xy[0][0]), float(xy[0][1]), p["height_m"], p["facing_deg"], p["shape"])
            for p, xy in by_kind["signal_head"]
        ),
        conflict=by_kind["conflict_area"][0][1],
        node=document["crossing"]["node"],
    )


def inside(polygon: Line, x: float, y: float) -> bool:
    """Whether a point lies in a polygon (even-odd rule)."""
    xs, ys = polygon[:, 0], polygon[:, 1]
    x2, y2 = np.roll(xs, -1), np.roll(ys, -1)
    crosses = (ys > y) != (y2 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = xs + (y - ys) * (x2 - xs) / (y2 - ys)
    return bool(np.count_nonzero(crosses & (x < at)) % 2)
