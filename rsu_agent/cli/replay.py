"""`rsu replay`: what is in a recording, and whether this version would have said the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import print_json, stop
from rsu_agent.ports.recording import Recording
from rsu_agent.runtime.recorded import summary
from rsu_agent.runtime.replay import Checked, check
from rsu_agent.settings.language import later, say

SHOWN = 20  # differences printed for people; --json lists more
REASONS = {
    "beginning_forgotten": later(
        "said by an agent whose start is not in the recording (the ring has forgotten it)"
    ),
    "before_the_copy": later("said before the copied minutes"),
    "entries_missing": later("said after entries that are missing (torn file, or dropped while recording)"),
    "agent_ended": later("the agent ended before its datagram was written"),
    "end_of_recording": later("the recording ends before their datagram"),
    "other_version": later("recorded by a version with other nouns"),
    "not_understood": later("recorded in a form that this version does not understand"),
}


def replay(
    recording: Annotated[Path, typer.Argument(help="An MCAP file, or the folder of a ring.")],
    check_it: Annotated[
        bool, typer.Option("--check", help="Run phases to guard again and compare every SPAT datagram.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Show what a recording holds; with --check compare it with what this version would say.

    Exit status 4 when any datagram differs.

    Examples: rsu replay incident.mcap · rsu replay /var/lib/rsu-agent/recordings --check --json
    """
    try:
        with Recording(recording) as opened:
            told = summary(opened.entries())
            checked = check(opened.entries()) if check_it else None
    except OSError as error:
        stop(
            Exit.FAILED,
            say("{error}; rsu record --out FILE.mcap makes a recording", error=error),
            as_json=as_json,
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not told["topics"]:
        stop(
            Exit.FAILED,
            say("{recording}: no entry can be read ({torn})", recording=recording, torn=_torn(told)),
            as_json=as_json,
        )
    if as_json:
        print_json(told if checked is None else told | {"check": checked.plain()})
    else:
        _print(told)
        if checked is not None:
            _print_check(checked)
    if checked is not None and checked.different:
        raise typer.Exit(int(Exit.CHECK_FAILED))


def _print(told: dict[str, Any]) -> None:
    typer.echo(
        say(
            "{span_s:.1f} s, {count} agent starts, {dropped} entries dropped",
            span_s=told["span_s"],
            count=len(told["starts"]),
            dropped=told["dropped"],
        )
    )
    for topic, count in told["topics"].items():
        typer.echo(f"  {topic:<12} {count}")
    for kind, count in told["sent"].items():
        typer.echo(say("sent {kind:<5} {count}", kind=kind, count=count))
    for kind, reasons in told["held"].items():
        for reason, count in reasons.items():
            typer.echo(say("held {kind:<5} {count} ({reason})", kind=kind, count=count, reason=reason))
    if told["torn"]:
        typer.echo(say("torn: {torn}", torn=_torn(told)))


def _torn(told: dict[str, Any]) -> str:
    return "; ".join(f"{tear['file']}: {tear['why']}" for tear in told["torn"]) or "empty"


def _print_check(checked: Checked) -> None:
    typer.echo(
        say(
            "compared {compared}: {equal} equal, {different} different",
            compared=checked.compared,
            equal=checked.equal,
            different=checked.different,
        )
    )
    for reason, count in sorted(checked.not_compared.items()):
        typer.echo(say("not compared {count}: {why}", count=count, why=say(REASONS[reason])))
    for found in checked.differences[:SHOWN]:
        typer.echo(
            say(
                "  start {start}, {at_s:.3f} s: {where}: recorded {recorded}, replayed {replayed}",
                start=found.start,
                at_s=found.at_s,
                where=found.where,
                recorded=found.recorded,
                replayed=found.replayed,
            )
        )
    if checked.different > SHOWN:
        typer.echo(say("  and {more} more", more=checked.different - SHOWN))
