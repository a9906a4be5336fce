"""`rsu map`: check a crossing, build its MAP, look at it, take one from elsewhere, give it to others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.map_subject import Given, given, point
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.messages.lint.finding import Finding, Severity, Subject
from rsu_agent.settings.language import because, say
from rsu_agent.world.place import GeoPoint

map_verbs = typer.Typer(
    help="The crossing as vehicles are told of it: check, build, show, import, export.", no_args_is_help=True
)
WhatArgument = Annotated[
    Path, typer.Argument(help="A site file, or a crossing file alone.", show_default=False)
]
ColourOf = {Severity.ERROR: "\x1b[31m", Severity.GAP: "\x1b[33m", Severity.HINT: "\x1b[2m"}


@map_verbs.command()
def check(
    what: WhatArgument,
    gnss: Annotated[str, typer.Option(help="LAT,LON: the pole's long-term mean by satellites.")] = "",
    pole: Annotated[str, typer.Option(help="LAT,LON: the same antenna as it was surveyed.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong or missing: geometry, T/CSAE 53, ETSI, CTI 4501, real receivers' limits, the survey.

    Exit status 4 when there is an error; gaps and hints alone are told.

    Examples: rsu map check site.yaml ·
    rsu map check crossing.geojson --gnss 22.69001,114.34002 --pole 22.69,114.34
    """
    from rsu_agent.messages.lint.rules import findings

    if bool(gnss) != bool(pole):
        stop(
            Exit.USAGE,
            say("--gnss and --pole go together: the same antenna, measured twice"),
            as_json=as_json,
        )
    places = [point(text, name, as_json=as_json) for text, name in ((gnss, "--gnss"), (pole, "--pole"))]
    taken = given(what, as_json=as_json)
    found = findings(_subject(taken, *places))
    counts = Counter(finding.severity for finding in found)
    if as_json:
        print_json({"findings": [_row(finding) for finding in found], **{s: counts[s] for s in Severity}})
    else:
        for finding in found:
            typer.echo(_told(finding))
        if not taken.speech.phases:
            typer.echo(say("phases are not checked: they are in the site file"), err=True)
        words = ", ".join(
            f"{counts[severity]} {severity}{'s' * (counts[severity] != 1)}" for severity in Severity
        )
        typer.echo(f"{what}: {words}", err=True)
    if counts[Severity.ERROR]:
        raise typer.Exit(int(Exit.CHECK_FAILED))


@map_verbs.command()
def build(
    what: WhatArgument,
    standard: Annotated[
        str, typer.Option("--set", help="csae53, etsi or j2735; without it all that can be.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Write the frames into this folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the MAP as it would be sent, without its time: sizes, layers, bytes.

    Examples: rsu map build site.yaml · rsu map build site.yaml --set etsi --out maps
    """
    from rsu_agent.cli.map_built import built, write

    frames = built(given(what, as_json=as_json), standard, as_json=as_json)
    files = {} if out is None else write(out, frames, as_json=as_json)
    if as_json:
        rows = [
            {
                "set": name,
                "layer": number,
                "bytes": len(frame),
                "hex": frame.hex(),
                "file": files.get((name, number)),
            }
            for name, parts in frames.items()
            for number, frame in enumerate(parts, 1)
        ]
        print_json({"frames": rows})
        return
    for name, parts in frames.items():
        for number, frame in enumerate(parts, 1):
            layer = (
                say(", layer {number} of {count}", number=number, count=len(parts)) if len(parts) > 1 else ""
            )
            where = files.get((name, number)) or frame.hex()
            typer.echo(
                say(
                    "{name}: {count} bytes{layer}\n  {where}",
                    name=name,
                    count=len(frame),
                    layer=layer,
                    where=where,
                )
            )


@map_verbs.command()
def show(
    what: WhatArgument,
    out: Annotated[Path | None, typer.Option(help="The picture's file; else beside the crossing's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the crossing as a picture (SVG), with what `rsu map check` finds marked in red.

    Example: rsu map show site.yaml --out crossing.svg
    """
    from rsu_agent.cli.map_picture import picture
    from rsu_agent.messages.lint.rules import findings

    taken = given(what, as_json=as_json)
    subject = _subject(taken)
    marked = [
        ((subject.to_local(finding.at),), f"{finding.feature}: {finding.text}")
        for finding in findings(subject)
        if finding.severity is not Severity.HINT
    ]
    path = out or what.with_suffix(".svg")
    try:
        path.write_text(picture(taken.crossing, marked))
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {because(error)}", as_json=as_json)
    if as_json:
        print_json({"picture": str(path), "marked": len(marked)})
    else:
        typer.echo(say("{path}: open it in a browser ({count} marked)", path=path, count=len(marked)))


@map_verbs.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="OpenStreetMap (.osm, .osm.pbf) or SUMO network (.net.xml).")
    ],
    out: Annotated[Path, typer.Option(help="The crossing file to write.", show_default=False)],
    at: Annotated[str, typer.Option(help="LAT,LON: where the crossing is (OpenStreetMap).")] = "",
    junction: Annotated[str, typer.Option(help="Id of the junction (SUMO).")] = "",
    as_json: JsonOption = False,
) -> None:
    """Draft a crossing file from a map. It was not surveyed: lamp groups and stop lines are to be put right.

    Examples: rsu map import area.osm --at 22.69,114.34 --out crossing.geojson ·
    rsu map import town.net.xml --junction J12 --out crossing.geojson
    """
    from rsu_agent.cli.map_drafted import drafted

    notes = drafted(source, out, point(at, "--at", as_json=as_json), junction, as_json=as_json)
    if as_json:
        print_json({"crossing": str(out), "notes": notes})
        return
    typer.echo(say("{out}: written; look at it: rsu map show {out}", out=out))
    for note in notes:
        typer.echo(f"  {note}")


@map_verbs.command()
def export(
    what: WhatArgument,
    to: Annotated[
        str, typer.Option(help="geojson: as a vehicle reads the MAP; kml: for people's maps.")
    ] = "geojson",
    standard: Annotated[str, typer.Option("--set", help="Whose MAP: csae53, etsi or j2735.")] = "etsi",
    out: Annotated[Path | None, typer.Option(help="The file; else standard output.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Give the crossing to other programs: what a vehicle makes of the MAP, or the file itself as KML.

    Examples: rsu map export site.yaml --set csae53 --out heard.geojson · rsu map export site.yaml --to kml
    """
    from rsu_agent.cli.map_exported import exported

    text = exported(given(what, as_json=as_json), to, standard, as_json=as_json)
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(text + "\n")
    except OSError as error:
        stop(Exit.FAILED, f"{out}: {because(error)}", as_json=as_json)
    if as_json:
        print_json({"file": str(out)})
    else:
        typer.echo(str(out))


def _subject(taken: Given, gnss: GeoPoint | None = None, pole: GeoPoint | None = None) -> Subject:
    return Subject(taken.crossing, taken.speech.table if taken.speech.phases else None, gnss, pole)


def _told(finding: Finding) -> str:
    colour, off = ("", "") if plain() else (ColourOf[finding.severity], "\x1b[0m")
    at = f"{finding.at.lat_deg:.7f},{finding.at.lon_deg:.7f}"
    head = f"{colour}{finding.severity}{off} {finding.rule} ({finding.source})"
    return say(
        "{head}: {feature} at {at}: {words}", head=head, feature=finding.feature, at=at, words=finding.text
    )


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "rule": finding.rule,
        "source": finding.source,
        "feature": finding.feature,
        "lat": round(finding.at.lat_deg, 7),
        "lon": round(finding.at.lon_deg, 7),
        "text": finding.text,
    }
