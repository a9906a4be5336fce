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

SHOWN = 20  # differences printed for people; --json lists more
REASONS = {
    "beginning_forgotten": "said by an agent whose start is not in the recording (the ring has forgotten it)",
    "before_the_copy": "said before the copied minutes",
    "entries_missing": "said after entries that are missing (torn file, or dropped while recording)",
    "agent_ended": "the agent ended before its datagram was written",
    "end_of_recording": "the recording ends before their datagram",
    "other_version": "recorded by a version with other nouns",
    "not_understood": "recorded in a form that this version does not understand",
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
        stop(Exit.FAILED, f"{error}; rsu record --out FILE.mcap makes a recording", as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if not told["topics"]:
        stop(Exit.FAILED, f"{recording}: no entry can be read ({_torn(told)})", as_json=as_json)
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
        f"{told['span_s']:.1f} s, {len(told['starts'])} agent starts, {told['dropped']} entries dropped"
    )
    for topic, count in told["topics"].items():
        typer.echo(f"  {topic:<12} {count}")
    for kind, count in told["sent"].items():
        typer.echo(f"sent {kind:<5} {count}")
    for kind, reasons in told["held"].items():
        for reason, count in reasons.items():
            typer.echo(f"held {kind:<5} {count} ({reason})")
    if told["torn"]:
        typer.echo(f"torn: {_torn(told)}")


def _torn(told: dict[str, Any]) -> str:
    return "; ".join(f"{tear['file']}: {tear['why']}" for tear in told["torn"]) or "empty"


def _print_check(checked: Checked) -> None:
    typer.echo(f"compared {checked.compared}: {checked.equal} equal, {checked.different} different")
    for reason, count in sorted(checked.not_compared.items()):
        typer.echo(f"not compared {count}: {REASONS[reason]}")
    for found in checked.differences[:SHOWN]:
        typer.echo(
            f"  start {found.start}, {found.at_s:.3f} s: {found.where}: "
            f"recorded {found.recorded}, replayed {found.replayed}"
        )
    if checked.different > SHOWN:
        typer.echo(f"  and {checked.different - SHOWN} more")
