"""A crossing as a picture: SVG, north up, one unit a metre, made to be looked at in any browser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from rsu_agent.messages.waiting import is_waiting, with_waiting
from rsu_agent.settings.language import say
from rsu_agent.world.crossing import Crossing, Crosswalk, Lane, LaneRole, LaneUse, Points, Turn

MARGIN_M, LONGEST_ARM_M = 10.0, 45.0
PIXELS_A_METRE = 9.0
FILLS = {
    (LaneRole.ENTRY, LaneUse.MOTOR): "#5b6470",
    (LaneRole.EXIT, LaneUse.MOTOR): "#8a939f",
    (LaneRole.ENTRY, LaneUse.BICYCLE): "#b4634d",
    (LaneRole.EXIT, LaneUse.BICYCLE): "#c98d7b",
}
WAITING = "#7d6aa8"
WAYS = {Turn.LEFT: "#d08a1d", Turn.THROUGH: "#2f7d4f", Turn.RIGHT: "#2b6cb0", Turn.U_TURN: "#a83279"}
STYLE = """
text{font:2px system-ui,sans-serif;fill:#111;text-anchor:middle;dominant-baseline:central}
.lane text{fill:#fff} .fault{fill:none;stroke:#e01b24;stroke-width:.6}
.way{fill:none;stroke-width:.45;opacity:.85;marker-end:url(#ahead)}
.group{stroke:#fff;stroke-width:.5;paint-order:stroke;font-weight:600;font-size:1.7px}
"""
ARROW = (
    '<marker id="ahead" viewBox="0 0 4 4" refX="3.4" refY="2" markerWidth="4" markerHeight="4" orient="auto">'
    '<path d="M0 0L4 2L0 4z" fill="#333"/></marker>'
)


def picture(crossing: Crossing, faults: Sequence[tuple[Points, str]] = ()) -> str:
    """The SVG text. faults: ((place,), words) of what is to be marked."""
    whole = with_waiting(crossing)
    lanes = [(lane, _near(lane)) for lane in whole.lanes]
    places = [point for _, points in lanes for point in points] + list(crossing.conflict_area)
    west, east = min(x for x, _ in places) - MARGIN_M, max(x for x, _ in places) + MARGIN_M
    south, north = min(y for _, y in places) - MARGIN_M, max(y for _, y in places) + MARGIN_M + 10
    size = f'width="{(east - west) * PIXELS_A_METRE:.0f}" height="{(north - south) * PIXELS_A_METRE:.0f}"'
    box = f'viewBox="{west:.1f} {-north:.1f} {east - west:.1f} {north - south:.1f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box}>',
        f"<title>{escape(crossing.name)}, node {crossing.node} region {crossing.region}</title>",
        f"<style>{STYLE}</style>",
        ARROW,
        f'<rect x="{west:.1f}" y="{-north:.1f}" width="100%" height="100%" fill="#f4f2ec"/>',
        _shape("polygon", crossing.conflict_area, 'fill="#d9d6cd"'),
        *(_lane(lane, points) for lane, points in lanes),
        *(_walk(walk) for walk in crossing.crosswalks),
        *_ways(whole),
        *_marks(faults),
        *_legend(west + 2, -north + 4, crossing),
        _scale(east - 24, -south - 3),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _near(lane: Lane) -> Points:
    """The part of a lane that the picture shows: the metres next to the crossing."""
    points = lane.points[::-1] if lane.role is LaneRole.ENTRY else lane.points
    shown, gone_m = [points[0]], 0.0
    for a, b in pairwise(points):
        step = math.dist(a, b)
        if gone_m + step > LONGEST_ARM_M:
            share = (LONGEST_ARM_M - gone_m) / step
            shown.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
            break
        shown.append(b)
        gone_m += step
    return tuple(shown)


def _lane(lane: Lane, points: Points) -> str:
    colour = WAITING if is_waiting(lane) else FILLS[lane.role, lane.use]
    line = _line(points, f'stroke="{colour}" stroke-width="{lane.width_m - 0.3:.2f}"')
    stop = ""
    if lane.role is LaneRole.ENTRY and len(points) > 1:
        (x, y), (nx, ny) = points[0], points[1]
        length = math.dist(points[0], points[1]) or 1.0
        dx, dy = (ny - y) / length * lane.width_m / 2, (nx - x) / length * lane.width_m / 2
        stop = _line(((x - dx, y + dy), (x + dx, y - dy)), 'stroke="#fff" stroke-width=".5"')
    at = points[min(1, len(points) - 1)]
    x, y = (points[0][0] * 0.75 + at[0] * 0.25, points[0][1] * 0.75 + at[1] * 0.25)
    text = f'<text x="{x:.2f}" y="{-y:.2f}">{lane.lane}</text>'
    return f'<g class="lane"><title>lane {lane.lane}, {lane.role}, {lane.use}</title>{line}{stop}{text}</g>'


def _walk(walk: Crosswalk) -> str:
    stripes = _shape("polygon", walk.points, 'fill="#b3afa4"')
    stripes += _line(walk.axis, 'stroke="#fff" stroke-width="3" stroke-dasharray=".5 .5"')
    (x0, y0), (x1, y1) = walk.axis
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    label = f'<text class="group" x="{x:.2f}" y="{-y:.2f}">{walk.group}</text>'
    return f"<g><title>crosswalk {walk.crosswalk}, lamp group {walk.group}</title>{stripes}{label}</g>"


def _ways(crossing: Crossing) -> Iterable[str]:
    for lane in crossing.lanes:
        for way in lane.connections:
            dashes = ' stroke-dasharray="1 .7"' if way.uncontrolled else ""
            line = _line(way.path, f'class="way" stroke="{WAYS[way.turn]}"{dashes}')
            x, y = way.path[len(way.path) // 3]
            label = (
                ""
                if way.group is None
                else f'<text class="group" x="{x:.2f}" y="{-y:.2f}">{way.group}</text>'
            )
            told = "uncontrolled" if way.uncontrolled else say("lamp group {group}", group=way.group)
            yield f"<g><title>{lane.lane} to {way.to_lane}, {way.turn}, {told}</title>{line}{label}</g>"


def _marks(faults: Sequence[tuple[Points, str]]) -> Iterable[str]:
    for ((x, y), *_), words in faults:
        ring = f'<circle class="fault" cx="{x:.2f}" cy="{-y:.2f}" r="3">'
        yield f"{ring}<title>{escape(words)}</title></circle>"


def _legend(x: float, y: float, crossing: Crossing) -> Iterable[str]:
    title = say(
        "{name}: node {node}, region {region}", name=crossing.name, node=crossing.node, region=crossing.region
    )
    yield f'<text x="{x}" y="{y}" style="text-anchor:start;font-size:3px">{escape(title)}</text>'
    entries = [
        (say("lane in"), FILLS[LaneRole.ENTRY, LaneUse.MOTOR]),
        ("out", FILLS[LaneRole.EXIT, LaneUse.MOTOR]),
    ]
    entries += [("bicycles", FILLS[LaneRole.ENTRY, LaneUse.BICYCLE]), ("waiting", WAITING)]
    entries += [(str(turn).replace("_", "-"), colour) for turn, colour in WAYS.items()]
    for number, (words, colour) in enumerate(entries):
        at = x + 14 * number
        yield f'<rect x="{at}" y="{y + 2.6}" width="2.4" height="2" fill="{colour}"/>'
        yield f'<text x="{at + 3}" y="{y + 3.7}" style="text-anchor:start">{words}</text>'
    words = say("numbers on lanes: lane; on ways and walks: lamp group; dashed: not signalled; north is up")
    yield f'<text x="{x}" y="{y + 7}" style="text-anchor:start">{words}</text>'


def _scale(x: float, y: float) -> str:
    line = f'<path d="M{x} {y}v-1v1h20v-1" fill="none" stroke="#111" stroke-width=".3"/>'
    return f'{line}<text x="{x + 10}" y="{y - 1.6}">20 m</text>'


def _line(points: Points, attributes: str) -> str:
    return _shape("polyline", points, f'fill="none" {attributes}')


def _shape(kind: str, points: Points, attributes: str) -> str:
    return f'<{kind} points="{" ".join(f"{x:.2f},{-y:.2f}" for x, y in points)}" {attributes}/>'
