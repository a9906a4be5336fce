"""The crossing for other programs: GeoJSON of what a vehicle hears, KML of the file itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.sax.saxutils import escape

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.map_built import SETS, built
from rsu_agent.cli.map_subject import Given
from rsu_agent.cli.output import stop
from rsu_agent.messages.heard import HeardLane, lanes_heard
from rsu_agent.settings.language import say
from rsu_agent.world.crossing import Crossing, Points
from rsu_agent.world.place import LocalFrame

FORMATS = ("geojson", "kml")


def exported(taken: Given, to: str, standard: str, *, as_json: bool) -> str:
    """The text; a format or set that is none ends the command."""
    if to not in FORMATS:
        stop(
            Exit.USAGE, say("--to {to}: one of {formats}", to=to, formats=", ".join(FORMATS)), as_json=as_json
        )
    if to == "kml":
        return kml(taken.crossing)
    frames = built(taken, standard, as_json=as_json)[SETS[standard]]
    return geojson([lane for frame in frames for lane in lanes_heard(frame, standard)])


def geojson(lanes: list[HeardLane]) -> str:
    """Lanes as a FeatureCollection, [longitude, latitude] in degrees."""
    features = [
        {
            "type": "Feature",
            "properties": {
                "lane": lane.lane,
                "kind": lane.kind,
                "ways": [{"to_lane": to, "group": group} for to, group in lane.ways],
            },
            "geometry": {
                "type": "LineString",
                "coordinates": [[round(p.lon_deg, 8), round(p.lat_deg, 8)] for p in lane.points],
            },
        }
        for lane in lanes
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def kml(crossing: Crossing) -> str:
    """Lanes, ways and walks as KML 2.2."""
    frame = LocalFrame(crossing.origin)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>',
    ]
    parts.append(f"<name>{escape(crossing.name)}</name>")
    parts += [_placemark(frame, name, points) for name, points in _lines(crossing)]
    return "\n".join([*parts, "</Document></kml>"])


def _lines(crossing: Crossing) -> Iterator[tuple[str, Points]]:
    for lane in crossing.lanes:
        yield f"lane {lane.lane} ({lane.role}, {lane.use}, arm {lane.arm})", lane.points
        for way in lane.connections:
            signal = "uncontrolled" if way.group is None else f"lamp group {way.group}"
            yield f"{lane.lane} -> {way.to_lane} ({way.turn}, {signal})", way.path
    for walk in crossing.crosswalks:
        yield f"crosswalk {walk.crosswalk} (lamp group {walk.group})", (*walk.points, walk.points[0])
    for area in crossing.waiting_areas:
        yield f"waiting area of lane {area.lane}", (*area.points, area.points[0])


def _placemark(frame: LocalFrame, name: str, points: Points) -> str:
    places = (frame.to_geo(x, y) for x, y in points)
    text = " ".join(f"{place.lon_deg:.8f},{place.lat_deg:.8f}" for place in places)
    line = f"<LineString><tessellate>1</tessellate><coordinates>{text}</coordinates></LineString>"
    return f"<Placemark><name>{escape(name)}</name>{line}</Placemark>"
