"""The table of surveyed points: read with every fault at once, written back with clicks and nothing else."""

from __future__ import annotations

import csv
import io
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rsu_agent.perception.surveyed import GroundPoint
from rsu_agent.world.place import GeoPoint, LocalFrame

LARGEST_BYTES, MOST_POINTS = 1 << 20, 200
FARTHEST_M = 500.0  # of a point from the reference point
GCJ_02_M = (300.0, 700.0)  # how far deflected coordinates lie off
DEFLECTED = ("gcj", "bd09", "bd-09", "mars")
DATUMS = ("", "wgs84", "wgs 84", "wgs-84", "cgcs2000", "itrf")
COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "point", "id", "点名", "点号"),
    "east": ("east_m", "east", "x_east_m", "x"),
    "north": ("north_m", "north", "y_north_m", "y"),
    "up": ("up_m", "up", "height_m", "height", "z", "高程"),
    "lat": ("lat", "latitude", "lat_deg", "纬度"),
    "lon": ("lon", "lng", "longitude", "lon_deg", "经度"),
    "u": ("u_px", "u"),
    "v": ("v_px", "v"),
    "datum": ("datum", "坐标系"),
}


class PointsInvalid(Exception):
    """A table that cannot be used, with every reason found."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class TablePoint:
    """One row: a place in the crossing's frame (m) and, once clicked, its pixel."""

    name: str
    east_m: float
    north_m: float
    up_m: float
    click: tuple[float, float] | None


@dataclass(frozen=True)
class _Table:
    """The file as it is: rows of cells with the header's columns found in it."""

    rows: list[list[str]]
    columns: dict[str, int]
    dialect: str
    newline: str
    encoding: str


def read_points(path: Path, origin: GeoPoint) -> tuple[TablePoint, ...]:
    """Every point of the table. origin: the crossing's reference point. Raises PointsInvalid, and OSError."""
    table = _read(path)
    frame, reasons, points = LocalFrame(origin), [], []
    for line, row in enumerate(table.rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        try:
            points.append(_point(row, table.columns, frame))
        except ValueError as error:
            reasons.append(f"{path.name}:{line}: {error}")
    names = [point.name for point in points]
    reasons += [
        f"{path.name}: two points are named {name}"
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    if not points and not reasons:
        reasons.append(f"{path.name}: holds no point")
    if len(points) > MOST_POINTS:
        reasons.append(f"{path.name}: {len(points)} points, of which {MOST_POINTS} are the most")
    if not reasons:
        reasons += _far(path, points, "lat" in table.columns)
    if reasons:
        raise PointsInvalid(reasons)
    return tuple(points)


def clicked(points: tuple[TablePoint, ...]) -> tuple[GroundPoint, ...]:
    """Those with a click."""
    return tuple(
        GroundPoint(p.name, p.east_m, p.north_m, p.up_m, *p.click) for p in points if p.click is not None
    )


def write_clicks(path: Path, clicks: Mapping[str, tuple[float, float] | None]) -> None:
    """Puts pixels (None: no click) beside the names; other cells stay. Raises PointsInvalid and OSError."""
    path = path.resolve()
    table = _read(path)
    columns = dict(table.columns)
    for axis in ("u", "v"):
        if axis not in columns:
            columns[axis] = len(table.rows[0])
            table.rows[0].append(f"{axis}_px")
    wide = max(columns.values()) + 1
    for row in table.rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        row += [""] * (wide - len(row))
        if (name := row[columns["name"]].strip()) in clicks:
            click = clicks[name]
            cells = ("", "") if click is None else tuple(f"{round(each, 2):g}" for each in click)
            row[columns["u"]], row[columns["v"]] = cells
    out = io.StringIO()
    csv.writer(out, delimiter=table.dialect, lineterminator=table.newline).writerows(table.rows)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(out.getvalue().encode(table.encoding))
        shutil.copymode(path, fresh)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _read(path: Path) -> _Table:
    with path.open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise PointsInvalid([f"{path.name}: is larger than {LARGEST_BYTES} bytes"])
    for encoding in ("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise PointsInvalid([f"{path.name}: is no text"])
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    newline = "\r\n" if "\r\n" in text else "\n"
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise PointsInvalid([f"{path.name}: {error}"]) from None
    if not rows or not rows[0]:
        raise PointsInvalid([f"{path.name}: is empty: {_wanted()}"])
    return _Table(rows, _columns(path, rows[0]), delimiter, newline, encoding)


def _wanted() -> str:
    return "the first line names the columns: name, east_m, north_m, up_m (or lat, lon, height_m), u_px, v_px"


def _columns(path: Path, header: list[str]) -> dict[str, int]:
    told = [cell.strip().lower() for cell in header]
    found = {
        what: told.index(name) for what, names in COLUMNS.items() for name in names[::-1] if name in told
    }
    if deflected := [cell for cell in told if any(word in cell for word in DEFLECTED)]:
        raise PointsInvalid(
            [f"{path.name}:1: column {deflected[0]}: deflected coordinates (GCJ-02, BD-09) are refused"]
        )
    place = {"lat", "lon"} <= found.keys() or {"east", "north"} <= found.keys()
    if "name" not in found or not place:
        raise PointsInvalid([f"{path.name}:1: {_wanted()}"])
    return found


def _point(row: list[str], columns: Mapping[str, int], frame: LocalFrame) -> TablePoint:
    """One row. Raises ValueError with what is wrong."""

    def cell(what: str) -> str:
        at = columns.get(what)
        return "" if at is None or at >= len(row) else row[at].strip()

    name, datum = cell("name"), cell("datum").lower()
    if not name or len(name) > 40:
        raise ValueError("a point needs a name of at most 40 characters")
    if any(word in datum for word in DEFLECTED):
        raise ValueError(
            f"{name}: datum {datum}: deflected coordinates (GCJ-02, BD-09) are refused: survey anew"
        )
    if datum.split("@")[0].strip() not in DATUMS:
        raise ValueError(f"{name}: datum {datum:.20}: wgs84, cgcs2000 or itrf")
    up = _number(cell("up"), f"{name}: up_m") if cell("up") else 0.0
    if cell("lat") and cell("lon"):
        lat, lon = _number(cell("lat"), f"{name}: lat"), _number(cell("lon"), f"{name}: lon")
        if abs(lat) > 90 or abs(lon) > 180:
            raise ValueError(f"{name}: lat and lon are in degrees")
        east, north = frame.to_local(GeoPoint(lat, lon))
    else:
        east, north = (_number(cell(axis), f"{name}: {axis}_m") for axis in ("east", "north"))
    return TablePoint(name, east, north, up, _click(cell("u"), cell("v"), name))


def _click(u: str, v: str, name: str) -> tuple[float, float] | None:
    if not u and not v:
        return None
    return _number(u, f"{name}: u_px"), _number(v, f"{name}: v_px")


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e7:
        raise ValueError(f"{what} is {text[:20]!r}, no number")
    return value


def _far(path: Path, points: list[TablePoint], geodetic: bool) -> list[str]:
    """Points that are not of this crossing, and what it looks like."""
    away = sorted(math.hypot(point.east_m, point.north_m) for point in points)
    middle = away[len(away) // 2]
    if geodetic and GCJ_02_M[0] <= middle <= GCJ_02_M[1]:
        return [
            f"{path.name}: the points lie {middle:.0f} m from the crossing, which looks like GCJ-02: "
            "deflected coordinates are refused; survey in CGCS2000 or WGS 84"
        ]
    if away[-1] > FARTHEST_M:
        hint = "in degrees?" if geodetic else "in metres from the crossing's reference point?"
        return [f"{path.name}: a point lies {away[-1]:.0f} m from the crossing: are places {hint}"]
    return []
