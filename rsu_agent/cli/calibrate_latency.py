"""`rsu calibrate latency`: how late a camera's pictures are, from our own signal head in them."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli.calibrate_subject import SITE, SiteOption, section_of, site_of, write_changes, written_said
from rsu_agent.cli.client import ask, socket_path
from rsu_agent.cli.config import JsonOption
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.settings.language import later, say

if TYPE_CHECKING:
    from rsu_agent.perception.lamp_changes import Seen, Told
    from rsu_agent.perception.latency import Latency

POLL_S = 5.0
ENOUGH_CHANGES, ENOUGH_SD_S = 20, 0.006
MOST_MS = 2000.0  # of the setting
Changes = tuple["list[Told]", "list[Seen]"]
OUT_OF_RANGE = later(
    "refused: {after} ms is no latency of a camera: is latency_ms {before:g} what it ran with?"
)


def latency(
    name: Annotated[str, typer.Argument(help="Name of the camera in the site file.", show_default=False)],
    recording: Annotated[
        Path | None,
        typer.Option("--from", help="A recording (`rsu record`) instead of the agent.", show_default=False),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--for", help="How long to watch the agent at most, s.", min=5, max=86_400)
    ] = 900.0,
    write: Annotated[bool, typer.Option("--write", help="Put latency_ms into the site file.")] = False,
    site: SiteOption = SITE,
    socket: Annotated[Path | None, typer.Option("--socket", help="The agent's control socket.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how late a camera's pictures are, by watching our own signal head change.

    The controller tells when a lamp changes, the camera shows it later. Needs boxes around heads
    (`rsu calibrate heads`) and the agent running, or a recording of it made with the present latency_ms.
    Refused (exit status 4) with too few or too scattered changes; nothing is written without --write.

    Examples: rsu calibrate latency north --write ·
    rsu calibrate latency north --from incident.mcap
    """
    section = section_of(site_of(site, as_json=as_json).settings.cameras, name, "camera", as_json=as_json)
    if not hasattr(section, "latency_ms"):
        text = f"the driver {section.driver} of camera {name} has no setting latency_ms"
        stop(Exit.USAGE, text, as_json=as_json, reason="driver")
    if not section.heads:
        text = say("camera {name} watches no signal head: rsu calibrate heads --camera {name}", name=name)
        stop(Exit.INVALID, text, as_json=as_json, reason="heads")
    found = (
        _watched(socket_path(socket), name, seconds, as_json=as_json)
        if recording is None
        else _fitted(_recorded(recording, as_json=as_json), name, as_json=as_json)
    )
    before_ms, after_ms = section.latency_ms, round(section.latency_ms + found.latency_s * 1000)
    if not 0.0 <= after_ms <= MOST_MS:
        text = say(OUT_OF_RANGE, after=after_ms, before=before_ms)
        stop(Exit.CHECK_FAILED, text, as_json=as_json, accepted=False, reason="range", written=False)
    changed = after_ms != before_ms
    if write and changed:
        write_changes(site, "cameras", name, {"": {"latency_ms": after_ms}}, as_json=as_json)
    if as_json:
        told = {"camera": name, "accepted": True, **_figures(found), "before_ms": before_ms}
        print_json({**told, "latency_ms": after_ms, "written": write and changed})
    else:
        _print(name, found, before_ms, after_ms, written=write)


def _figures(found: Latency) -> dict[str, float]:
    """Seconds as milliseconds, counts as they are."""
    return {
        f"{key[:-2]}_ms" if key.endswith("_s") else key: round(value * 1000, 1)
        if key.endswith("_s")
        else value
        for key, value in asdict(found).items()
    }


def _print(name: str, found: Latency, before_ms: float, after_ms: int, *, written: bool) -> None:
    typer.echo(
        say(
            "{changes} changes, {stray} that do not fit; a picture every {frame_ms:.0f} ms, "
            "changes told to {report_ms:.0f} ms",
            changes=found.changes,
            stray=found.stray,
            frame_ms=found.frame_s * 1000,
            report_ms=found.report_s * 1000,
        )
    )
    typer.echo(
        say(
            "pictures are {after_ms} ms late, one standard deviation {sd_ms:.0f} ms",
            after_ms=after_ms,
            sd_ms=found.sd_s * 1000,
        )
    )
    if after_ms == before_ms:
        typer.echo(say("the site file says so already"))
        return
    typer.echo(
        say(
            "cameras, {name}:\n  latency_ms: {before_ms:g} -> {after_ms}",
            name=name,
            before_ms=before_ms,
            after_ms=after_ms,
        )
    )
    typer.echo(written_said(written))


def _fitted(changes: Changes, name: str, *, as_json: bool) -> Latency:
    """The latency; one that is refused ends the command with what to do."""
    from rsu_agent.perception.latency import LatencyRefused, measure

    try:
        return measure(*changes, name)
    except LatencyRefused as refused:
        fields: dict[str, Any] = {"accepted": False, "reason": refused.reason, "do": refused.do}
        text = say("refused: {words}\ndo: {do}", words=refused.text, do=refused.do)
        stop(Exit.CHECK_FAILED, text, as_json=as_json, written=False, **fields)


def _watched(socket: Path, name: str, seconds: float, *, as_json: bool) -> Latency:
    """What the running agent has seen and sees, until that is enough or the time is over."""
    from rsu_agent.perception.lamp_changes import read_plain
    from rsu_agent.perception.latency import LatencyRefused, measure

    ends_s = time.monotonic() + seconds
    while True:
        try:
            changes = read_plain(ask(socket, "changes", as_json=as_json))
        except ValueError as error:
            stop(Exit.FAILED, f"{socket}: {error}", as_json=as_json, reason="version")
        try:
            found = measure(*changes, name)
            progress = say(
                "{changes} changes, known to {sd_ms:.0f} ms", changes=found.changes, sd_ms=found.sd_s * 1000
            )
            if found.changes >= ENOUGH_CHANGES and found.sd_s <= ENOUGH_SD_S:
                return found
        except LatencyRefused as refused:
            progress = refused.text
        if time.monotonic() >= ends_s:
            return _fitted(changes, name, as_json=as_json)
        if sys.stderr.isatty():
            print(f"\r{progress:<78}", end="", file=sys.stderr, flush=True)
        try:
            time.sleep(min(POLL_S, max(0.1, ends_s - time.monotonic())))
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


def _recorded(path: Path, *, as_json: bool) -> Changes:
    """Changes of the last agent's life in a recording that has any."""
    from rsu_agent.runtime.recorded_changes import changes_of

    try:
        changes = changes_of(path)
    except OSError as error:
        stop(
            Exit.FAILED,
            say("{error}; rsu record --out FILE.mcap makes a recording", error=error),
            as_json=as_json,
        )
    if not changes.seen:
        text = say(
            "{path}: no camera saw a lamp change in it: does one have heads (rsu calibrate heads)?", path=path
        )
        stop(Exit.INVALID, text, as_json=as_json, reason="recording")
    return list(changes.told), list(changes.seen)
