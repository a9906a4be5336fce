"""`rsu calibrate radar` and `tracks`: a radar's place from what it and a camera saw of the same users."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.calibrate_subject import SITE, SiteOption, section_of, site_of, write_changes, written_said
from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import because, say

if TYPE_CHECKING:
    from rsu_agent.perception.calibrate_radar import Alignment
    from rsu_agent.runtime.sensor_tracks import Tracks
    from rsu_agent.settings.sections import RadarSection

NameArgument = Annotated[str, typer.Argument(help="Name of the radar in the site file.", show_default=False)]


def radar(
    name: NameArgument,
    tracks: Annotated[
        Path, typer.Option("--from-tracks", help="JSON lines of `rsu calibrate tracks`.", show_default=False)
    ],
    camera: Annotated[
        str, typer.Option(help="Align to this camera only; without it to all in the file.")
    ] = "",
    write: Annotated[bool, typer.Option("--write", help="Put the place into the site file.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Find where a radar stands and looks from users that it and a calibrated camera saw.

    Calibrate the camera first. Tells when left and right or the doppler's sign are wrong. Nothing is written
    without --write, nor when it is refused (exit status 4); restart the agent then.

    Examples: rsu calibrate tracks --out seen.jsonl ·
    rsu calibrate radar radar-north --from-tracks seen.jsonl --write
    """
    read = site_of(site, as_json=as_json)
    section = section_of(read.settings.radars, name, "radar", as_json=as_json)
    cameras = [each.name for each in read.settings.cameras]
    if camera:
        cameras = [section_of(read.settings.cameras, camera, "camera", as_json=as_json).name]
    seen = _tracks(tracks, as_json=as_json)
    found = _aligned(seen, cameras, section, as_json=as_json)
    place = {key: round(value, 3) for key, value in asdict(found.place).items()}
    place["yaw_deg"] %= 360.0
    now = section.pose.model_dump()
    changes = {key: value for key, value in place.items() if now[key] != value}
    if write and changes:
        write_changes(site, "radars", name, {"pose": changes}, as_json=as_json)
    if as_json:
        print_json(
            {
                "radar": name,
                "accepted": True,
                **asdict(found),
                "place": place,
                "changes": changes,
                "written": write,
            }
        )
        return
    _print(found, name, now, changes, written=write)


def tracks(
    out: Annotated[Path, typer.Option(help="The file of JSON lines to write.", show_default=False)],
    seconds: Annotated[float, typer.Option("--for", help="How long to watch, s.", min=10, max=3600)] = 300.0,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Watch all cameras and radars for some minutes and write what each one sees by itself.

    Stop the agent first where it holds the devices: systemctl stop rsu-agent.

    Example: rsu calibrate tracks --out seen.jsonl --for 300
    """
    import anyio

    from rsu_agent.ports.clock import SystemClock
    from rsu_agent.runtime.sensor_tracks import watch

    read = site_of(site, as_json=as_json)
    try:
        with out.open("w") as file:
            counts = anyio.run(watch, read, SystemClock(), seconds, file)
    except OSError as error:
        stop(Exit.FAILED, f"{out}: {because(error)}", as_json=as_json, reason="file")
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if as_json:
        print_json({"file": str(out), "sensors": counts})
    for sensor, told in () if as_json else counts.items():
        trouble = f"  ({told['trouble']})" if told["trouble"] else ""
        typer.echo(
            say(
                "{sensor:<20}{looks:>7} looks{places:>8} places{trouble}",
                sensor=sensor,
                looks=told["looks"],
                places=told["places"],
                trouble=trouble,
            )
        )
    if not any(told["places"] for told in counts.values()):
        print(
            say("nothing was seen: does the agent hold the devices? systemctl stop rsu-agent"),
            file=sys.stderr,
        )
        raise typer.Exit(int(Exit.FAILED))


def _tracks(path: Path, *, as_json: bool) -> Tracks:
    from rsu_agent.runtime.sensor_tracks import TracksInvalid, read_tracks

    try:
        return read_tracks(path)
    except TracksInvalid as invalid:
        stop(Exit.INVALID, f"{path}: {invalid}", as_json=as_json, reason="tracks")
    except OSError as error:
        stop(Exit.FAILED, f"{path}: {because(error)}", as_json=as_json, reason="tracks")


def _aligned(seen: Tracks, cameras: list[str], section: RadarSection, *, as_json: bool) -> Alignment:
    from rsu_agent.perception.calibrate_radar import AlignmentRefused, RadarPlace, align

    mine = seen.get(section.name, [])
    theirs = [seen[name] for name in cameras if name in seen]
    if not mine or not theirs:
        told = ", ".join(sorted(seen)) or "nothing"
        text = say(
            "the file holds {told}: it needs {name} and a camera of the site file",
            told=told,
            name=section.name,
        )
        stop(Exit.INVALID, text, as_json=as_json, reason="tracks")
    now = RadarPlace(section.pose.x_east_m, section.pose.y_north_m, section.pose.yaw_deg)
    try:
        return align(max(theirs, key=len), mine, now, section.pose.height_m)
    except AlignmentRefused as refused:
        fields = {"accepted": False, "reason": refused.reason, "do": refused.do, "written": False}
        stop(
            Exit.CHECK_FAILED,
            say("refused: {words}\ndo: {do}", words=refused.text, do=refused.do),
            as_json=as_json,
            **fields,
        )


def _print(
    found: Alignment, name: str, now: dict[str, Any], changes: dict[str, float], *, written: bool
) -> None:
    typer.echo(
        say(
            "{metres:.0f} m of {pieces} tracks seen by both: "
            "{before_m:.2f} m apart before, {after_m:.2f} m after",
            metres=found.metres,
            pieces=found.pieces,
            before_m=found.before_m,
            after_m=found.after_m,
        )
    )
    typer.echo(
        say(
            "one standard deviation: {yaw_sd_deg:.2f} degrees, {place_sd_m:.2f} m",
            yaw_sd_deg=found.yaw_sd_deg,
            place_sd_m=found.place_sd_m,
        )
    )
    if found.late_s is None:
        typer.echo(say("traffic changed its speed too little to tell how late the radar is"))
    else:
        late = say("later") if found.late_s >= 0 else say("earlier")
        typer.echo(
            say(
                "the radar's stamps are {late_ms:.0f} ms {late} than the camera's (latency_ms)",
                late_ms=abs(found.late_s) * 1000,
                late=late,
            )
        )
    if not changes:
        typer.echo(say("the site file says so already"))
        return
    typer.echo(say("radars, {name}:", name=name))
    for key, value in changes.items():
        typer.echo(say("  pose.{key}: {now} -> {value}", key=key, now=now[key], value=value))
    typer.echo(written_said(written))
