"""Reading a crossing file (docs/reference/crossing-file.md) into local metres, with every fault at once."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rsu_agent.world.crossing import (
    Arm,
    Connection,
    Crossing,
    Crosswalk,
    Lane,
    LaneRole,
    LaneUse,
    Points,
    SignalHead,
    Turn,
    WaitingArea,
)
from rsu_agent.world.place import GeoPoint, LocalFrame

LARGEST_CROSSING_BYTES = 4 << 20
FARTHEST_M = 2000.0  # farther from the reference point is a slip of the pen, not a crossing


class CrossingInvalid(Exception):
    """A crossing file that cannot be used, with every reason found."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Reference(_Read):
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    height_m: float | None = None


class _Whole(_Read):
    node: int = Field(ge=0, le=65535)
    region: int = Field(ge=0, le=65535)
    name: str
    reference: _Reference
    datum: str = Field(pattern=r"^(cgcs2000|itrf)@\d{4}(\.\d+)?$")
    height: str
    survey_source: str = Field(min_length=1)
    accuracy_m: float = Field(gt=0)


class _Arm(_Read):
    arm: str
    bearing_deg: float
    upstream_node: int = Field(ge=0, le=65535)


class _Lane(_Read):
    lane: int = Field(ge=1, le=254)
    arm: str
    role: LaneRole
    use: LaneUse
    width_m: float = Field(gt=0.5, lt=12)
    speed_limit_kmh: float = Field(gt=0, le=160)
    right_on_red: bool = False


class _Connection(_Read):
    from_lane: int
    to_lane: int
    turn: Turn
    group: int | None = None
    uncontrolled: bool = False


class _Crosswalk(_Read):
    crosswalk: int
    arm: str
    group: int
    axis: list[tuple[float, float]] = Field(min_length=2, max_length=2)


class _WaitingArea(_Read):
    lane: int
    group: int | None = None


class _Head(_Read):
    group: int
    height_m: float
    facing_deg: float
    shape: str


MODELS: dict[str, type[_Read]] = {
    "arm": _Arm,
    "lane": _Lane,
    "connection": _Connection,
    "crosswalk": _Crosswalk,
    "waiting_area": _WaitingArea,
    "signal_head": _Head,
    "conflict_area": _Read,
}

GEOMETRIES = {
    "arm": "Point",
    "lane": "LineString",
    "connection": "LineString",
    "crosswalk": "Polygon",
    "waiting_area": "Polygon",
    "signal_head": "Point",
    "conflict_area": "Polygon",
}
FEWEST_POINTS = {"Point": 1, "LineString": 2, "Polygon": 3}
NAMED_BY = {
    "arm": ("arm",),
    "lane": ("lane",),
    "crosswalk": ("crosswalk",),
    "connection": ("from_lane", "to_lane"),
}
IN_AND_OUT = (LaneRole.ENTRY, LaneRole.EXIT)

Feature = tuple[str, Any, Points]  # kind, properties read, points in local metres


def read_crossing(path: Path) -> Crossing:
    """Read a crossing file. Raises CrossingInvalid (or FileNotFoundError)."""
    data = path.read_bytes()
    if len(data) > LARGEST_CROSSING_BYTES:
        raise CrossingInvalid([f"{path.name} is larger than {LARGEST_CROSSING_BYTES} bytes"])
    try:
        document = json.loads(data)
        whole = _Whole.model_validate(document["crossing"])
        features = document["features"]
    except RecursionError:
        raise CrossingInvalid([f"{path.name}: is nested too deeply"]) from None
    except (ValueError, KeyError, TypeError) as error:
        raise CrossingInvalid([f"{path.name}: {_short(error)}"]) from None
    if not isinstance(features, list):
        raise CrossingInvalid([f"{path.name}: features must be a list"])
    origin = GeoPoint(whole.reference.lat, whole.reference.lon, whole.reference.height_m)
    reasons: list[str] = []
    read = list(_features(features, LocalFrame(origin), reasons))
    reasons += _loose_ends(read)
    if reasons:
        raise CrossingInvalid([f"{path.name}: {reason}" for reason in reasons])
    return _assemble(whole, origin, read)


def _short(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return f"not a crossing file: {error}"


def _features(features: list[Any], frame: LocalFrame, reasons: list[str]) -> Iterator[Feature]:
    for index, feature in enumerate(features):
        try:
            kind = feature["properties"]["kind"]
            properties = _model(kind).model_validate(feature["properties"])
            points = _points(kind, feature["geometry"], frame)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            reasons.append(f"feature {index}: {_short(error)}")
            continue
        if any(max(abs(x), abs(y)) > FARTHEST_M for x, y in points):
            reasons.append(
                f"feature {index} ({kind}) lies more than {FARTHEST_M:.0f} m from the reference point"
            )
        yield kind, properties, points


def _model(kind: Any) -> type[_Read]:
    if isinstance(kind, str) and kind in MODELS:
        return MODELS[kind]
    close = difflib.get_close_matches(str(kind), MODELS, n=1)
    raise ValueError(f"no such kind {str(kind)[:40]!r}" + (f"; did you mean {close[0]}?" if close else ""))


def _points(kind: str, geometry: dict[str, Any], frame: LocalFrame) -> Points:
    """The geometry in metres. Raises ValueError when its type or number of points is not that of the kind."""
    coordinates, wanted = geometry["coordinates"], GEOMETRIES[kind]
    if geometry["type"] != wanted:
        raise ValueError(f"{kind} must be a {wanted}, not {str(geometry['type'])[:40]}")
    match wanted:
        case "Point":
            coordinates = [coordinates]
        case "Polygon":
            coordinates = coordinates[0]
    places = [(float(lon), float(lat)) for lon, lat, *_ in coordinates]
    if not all(abs(lat) <= 90 and abs(lon) <= 180 for lon, lat in places):  # false for NaN, too
        raise ValueError("a coordinate is no [longitude, latitude] in degrees")
    if len(set(places)) < FEWEST_POINTS[wanted]:
        raise ValueError(f"a {wanted} needs {FEWEST_POINTS[wanted]} different points")
    return tuple(frame.to_local(GeoPoint(lat, lon)) for lon, lat in places)


def _loose_ends(read: list[Feature]) -> Iterator[str]:
    lanes = {p.lane: p for kind, p, _ in read if kind == "lane"}
    arms = {p.arm for kind, p, _ in read if kind == "arm"}
    yield from _given_twice(read)
    for kind, p, _ in read:
        if kind in ("lane", "crosswalk") and p.arm not in arms:
            yield f"{kind} names arm {p.arm}, which is not given"
        if kind == "connection" and not {p.from_lane, p.to_lane} <= lanes.keys():
            yield f"connection {p.from_lane} -> {p.to_lane} names a lane that is not given"
        elif kind == "connection" and (lanes[p.from_lane].role, lanes[p.to_lane].role) != IN_AND_OUT:
            yield f"connection {p.from_lane} -> {p.to_lane} must lead from an entry lane to an exit lane"
        if kind == "waiting_area" and p.lane not in lanes:
            yield f"waiting area names lane {p.lane}, which is not given"
    if sum(kind == "conflict_area" for kind, _, _ in read) != 1:
        yield "exactly one conflict_area is needed"
    if not arms or not lanes:
        yield "arms and lanes are needed"


def _given_twice(read: list[Feature]) -> Iterator[str]:
    counts = Counter(
        (kind, " -> ".join(str(getattr(p, key)) for key in NAMED_BY[kind]))
        for kind, p, _ in read
        if kind in NAMED_BY
    )
    for (kind, name), count in counts.items():
        if count > 1:
            yield f"{kind} {name} is given {'twice' if count == 2 else f'{count} times'}"


def _assemble(whole: _Whole, origin: GeoPoint, read: list[Feature]) -> Crossing:
    def of(wanted: str) -> list[tuple[Any, Points]]:
        return [(p, points) for kind, p, points in read if kind == wanted]

    frame = LocalFrame(origin)
    connections: dict[int, list[Connection]] = {}
    for p, points in of("connection"):
        connections.setdefault(p.from_lane, []).append(
            Connection(p.to_lane, p.turn, p.group, p.uncontrolled, points)
        )
    lanes = tuple(_lane(p, points, tuple(connections.get(p.lane, ()))) for p, points in of("lane"))
    return Crossing(
        node=whole.node,
        region=whole.region,
        name=whole.name,
        origin=origin,
        datum=whole.datum,
        height_system=whole.height,
        survey_source=whole.survey_source,
        accuracy_m=whole.accuracy_m,
        arms=tuple(Arm(p.arm, p.bearing_deg, p.upstream_node) for p, _ in of("arm")),
        lanes=lanes,
        crosswalks=tuple(
            Crosswalk(
                p.crosswalk,
                p.arm,
                p.group,
                points,
                tuple(frame.to_local(GeoPoint(lat, lon)) for lon, lat in p.axis),
            )
            for p, points in of("crosswalk")
        ),
        waiting_areas=tuple(WaitingArea(p.lane, p.group, points) for p, points in of("waiting_area")),
        heads=tuple(
            SignalHead(p.group, *points[0], p.height_m, p.facing_deg, p.shape)
            for p, points in of("signal_head")
        ),
        conflict_area=of("conflict_area")[0][1],
    )


def _lane(p: _Lane, points: Points, connections: tuple[Connection, ...]) -> Lane:
    return Lane(
        lane=p.lane,
        arm=p.arm,
        role=p.role,
        use=p.use,
        width_m=p.width_m,
        speed_limit_mps=p.speed_limit_kmh / 3.6,
        points=points,
        connections=connections,
        right_on_red=p.right_on_red,
    )
