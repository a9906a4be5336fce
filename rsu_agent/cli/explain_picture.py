"""The seconds around an instant as a time diagram: SVG, three strips a group, readable without colour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape

from rsu_agent.messages.moment import utc_stamp
from rsu_agent.outlets.air_changes import AirReader
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.rules import Rules
from rsu_agent.runtime.explained import KINDS
from rsu_agent.runtime.story import Story
from rsu_agent.settings.language import say
from rsu_agent.settings.moments import clock_shown, shown

BEFORE_S, AFTER_S = 30.0, 10.0
WIDTH, LEFT, TOP = 900.0, 150.0, 46.0
STRIP, GAP = 16.0, 10.0
SHOWS = {  # colour -> fill, letters
    "green": ("#2f9e5b", "G"),
    "green_flash": ("url(#flash-g)", "Gf"),
    "yellow": ("#f2c230", "Y"),
    "yellow_flash": ("url(#flash-y)", "Yf"),
    "red": ("#c8332b", "R"),
    "red_flash": ("url(#flash-r)", "Rf"),
    "red_yellow": ("#e07a2b", "RY"),
    "dark": ("#444", "D"),
}
NOTHING = ("#fff", "-")
LETTER_PX = 9.0
STYLE = """text{font:11px system-ui,sans-serif;fill:#111}.on{font-size:9px;font-weight:700;fill:#fff;
stroke:#000;stroke-width:2px;paint-order:stroke}.seg{stroke:#111;stroke-width:.6}.none{stroke-dasharray:3 2}
.at{stroke:#111;stroke-width:1.6}.tick{stroke:#999;stroke-width:.6}.held{fill:none;stroke:#111;stroke-width:1.4}"""
Run = tuple[float, float, str | None]  # from, to (UTC s), colour


def drawn(told: Story, at_utc_s: float, rules: Rules | None, only: int | None = None) -> str:
    """The SVG text: a row a number on air, its strips on air, by the controller, by the camera."""
    from_s, to_s = at_utc_s - BEFORE_S, at_utc_s + AFTER_S
    numbers = [
        (number, members)
        for number, members in sorted(rules.groups.items() if rules else ())
        if only is None or only in members
    ]
    height = TOP + len(numbers) * (3 * STRIP + GAP) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" '
        f'width="{WIDTH:.0f}" height="{height:.0f}">',
        f"<title>{escape(shown(at_utc_s))}</title><style>{STYLE}</style>",
        "<defs>" + "".join(_flash(name, fill) for name, fill in _FLASHES) + "</defs>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="8" y="16">{escape(shown(at_utc_s))}</text>',
    ]
    top = TOP
    air = _air_runs(told, rules, to_s)
    for number, members in numbers:
        runs = (air.get(number, []), _report_runs(told, members, to_s), _camera_runs(told, members, to_s))
        parts += _row(number, members, runs, top, from_s, to_s)
        top += 3 * STRIP + GAP
    parts += _axis(from_s, to_s, at_utc_s, top)
    parts += _held(told, from_s, to_s, top + 22)
    return "\n".join([*parts, "</svg>"]) + "\n"


_FLASHES = (("g", "#2f9e5b"), ("y", "#f2c230"), ("r", "#c8332b"))


def _flash(name: str, fill: str) -> str:
    return (
        f'<pattern id="flash-{name}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<rect width="6" height="6" fill="#fff"/><rect width="3" height="6" fill="{fill}"/></pattern>'
    )


def _x(utc_s: float, from_s: float, to_s: float) -> float:
    share = (min(max(utc_s, from_s), to_s) - from_s) / (to_s - from_s)
    return LEFT + share * (WIDTH - LEFT - 10)


def _row(
    number: int,
    members: Iterable[int],
    strips: tuple[list[Run], list[Run], list[Run]],
    top: float,
    from_s: float,
    to_s: float,
) -> Iterator[str]:
    lamps = ",".join(map(str, members))
    names = (say("on air"), say("controller"), say("camera"))
    yield f'<text x="8" y="{top + 12:.0f}">{number} ({lamps})</text>'
    for name, runs in zip(names, strips, strict=True):
        yield f'<text x="{LEFT - 6:.0f}" y="{top + 12:.0f}" text-anchor="end">{escape(name)}</text>'
        for begin_s, end_s, colour in runs:
            if end_s <= from_s or begin_s >= to_s:
                continue
            left, right = _x(begin_s, from_s, to_s), _x(end_s, from_s, to_s)
            fill, letters = SHOWS.get(colour or "", NOTHING)
            kind = "seg none" if letters == "-" else "seg"
            yield (
                f'<rect class="{kind}" x="{left:.1f}" y="{top:.0f}" width="{max(right - left, 0.5):.1f}" '
                f'height="{STRIP - 2:.0f}" fill="{fill}"/>'
            )
            if right - left > LETTER_PX * len(letters):
                yield f'<text class="on" x="{left + 3:.1f}" y="{top + 11:.0f}">{letters}</text>'
        top += STRIP


def _axis(from_s: float, to_s: float, at_s: float, bottom: float) -> Iterator[str]:
    second = int(from_s) + 1
    while second < to_s:
        if second % 5 == 0:
            x = _x(second, from_s, to_s)
            yield f'<line class="tick" x1="{x:.1f}" y1="{TOP - 6:.0f}" x2="{x:.1f}" y2="{bottom:.0f}"/>'
            words = clock_shown(second)[:8]
            yield f'<text x="{x:.1f}" y="{TOP - 10:.0f}" text-anchor="middle">{words}</text>'
        second += 1
    x = _x(at_s, from_s, to_s)
    yield f'<line class="at" x1="{x:.1f}" y1="{TOP - 8:.0f}" x2="{x:.1f}" y2="{bottom + 30:.0f}"/>'
    yield f'<path d="M{x - 5:.1f} {bottom + 36:.0f}h10l-5 -8z"/>'


def _held(told: Story, from_s: float, to_s: float, y: float) -> Iterator[str]:
    yield f'<text x="{LEFT - 6:.0f}" y="{y:.0f}" text-anchor="end">{escape(say("held back"))}</text>'
    for each in told.air:
        if not each.sent and from_s <= each.utc_s <= to_s:
            x = _x(each.utc_s, from_s, to_s)
            words = escape(f"{each.kind}: {each.reason} {each.detail}".rstrip())
            cross = f"M{x - 4:.1f} {y - 8:.0f}l8 8m0 -8l-8 8"
            yield f'<path class="held" d="{cross}"><title>{words}</title></path>'


def _runs(points: Iterable[tuple[float, str | None]], to_s: float, gap_s: float) -> list[Run]:
    """Points to runs; a gap longer than gap_s is nothing at all."""
    runs: list[Run] = []
    for utc_s, colour in points:
        if runs and utc_s - runs[-1][1] > gap_s:
            runs.append((runs[-1][1], utc_s, None))
        if runs and runs[-1][2] == colour:
            runs[-1] = runs[-1][0], utc_s, colour
        else:
            if runs:
                runs[-1] = runs[-1][0], utc_s, runs[-1][2]
            runs.append((utc_s, utc_s, colour))
    return [run for run in runs if run[0] <= to_s]


def _air_runs(told: Story, rules: Rules | None, to_s: float) -> dict[int, list[Run]]:
    if rules is None:
        return {}
    reader, points = AirReader(rules), dict[int, list[tuple[float, str | None]]]()
    for each in told.air:
        if not each.sent or each.kind not in KINDS:
            continue
        try:
            said = reader.told_in(each.data, utc_stamp(each.utc_s))
        except NotSpat:
            continue
        for number, (colour, *_) in said.items():
            points.setdefault(number, []).append((each.utc_s, colour))
    return {number: _runs(row, to_s, 0.5) for number, row in points.items()}


def _report_runs(told: Story, members: Iterable[int], to_s: float) -> list[Run]:
    first = next(iter(members), None)
    points = (
        (report.first_byte_s + told.offset_s, str(lamp.colour))
        for _, report in told.reports
        for lamp in report.lamps
        if lamp.group == first
    )
    return _runs(points, to_s, 3.0)


def _camera_runs(told: Story, members: Iterable[int], to_s: float) -> list[Run]:
    first = next(iter(members), None)
    points = (
        (seen.captured_s + told.offset_s, None if head.colour == "unknown" else str(head.colour))
        for _, seen in told.heads
        for head in seen.heads
        if head.group == first
    )
    return _runs(points, to_s, 1.0)
