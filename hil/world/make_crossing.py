"""Writes config/crossings/virtual.geojson: `python -m hil.world.make_crossing FILE`."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from hil.world.layout import Point, draw

REFERENCE = {"lat": 22.69, "lon": 114.34, "height_m": 45.0}
# Metres a degree at the reference latitude, from the ellipsoid's own series (the rig's own projection).
PHI = math.radians(REFERENCE["lat"])
NORTH_M = 111132.954 - 559.822 * math.cos(2 * PHI) + 1.175 * math.cos(4 * PHI)
EAST_M = 111412.84 * math.cos(PHI) - 93.5 * math.cos(3 * PHI) + 0.118 * math.cos(5 * PHI)


def to_lonlat(point: Point) -> list[float]:
    """[longitude, latitude] of a place in metres, rounded to 1e-8 degree (1 mm)."""
    return [round(REFERENCE["lon"] + point[0] / EAST_M, 8), round(REFERENCE["lat"] + point[1] / NORTH_M, 8)]


def to_metres(lon: float, lat: float) -> Point:
    """The reverse of `to_lonlat`."""
    return (lon - REFERENCE["lon"]) * EAST_M, (lat - REFERENCE["lat"]) * NORTH_M


def document() -> dict[str, Any]:
    """The whole GeoJSON document."""
    features = []
    for _, points, properties, shape in draw().features:
        lonlat = [to_lonlat(point) for point in points]
        coordinates: Any = {"Point": lonlat[0], "LineString": lonlat, "Polygon": [[*lonlat, lonlat[0]]]}[
            shape
        ]
        if "axis" in properties:
            properties = {**properties, "axis": [to_lonlat(point) for point in properties["axis"]]}
        features.append(
            {
                "type": "Feature",
                "properties": properties,
                "geometry": {"type": shape, "coordinates": coordinates},
            }
        )
    crossing = {
        "node": 12,
        "region": 0,
        "name": "virtual crossing",
        "reference": REFERENCE,
        "datum": "cgcs2000@2000.0",
        "height": "ellipsoid",
        "survey_source": "drawn by hand for tests, not surveyed",
        "accuracy_m": 0.05,
    }
    return {"type": "FeatureCollection", "crossing": crossing, "features": features}


def text() -> str:
    """The file's text: one feature a line, so that a change reads well."""
    whole = document()
    lines = ",\n".join("  " + json.dumps(feature, separators=(",", ":")) for feature in whole["features"])
    head = json.dumps(whole["crossing"], indent=1)
    return f'{{"type": "FeatureCollection",\n"crossing": {head},\n"features": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
