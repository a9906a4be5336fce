"""`rsu config apply | confirm | rollback | history`: a change that cannot strand a pole."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from rsu_agent.cli.client import peek, serving_pid, socket_path
from rsu_agent.cli.exits import Exit, code_of
from rsu_agent.cli.output import print_json, stop, tried
from rsu_agent.cli.run import state_folder
from rsu_agent.cli.words import reason_said
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.generations import CONFIRM_S, Generations, Refused
from rsu_agent.settings.language import because, say
from rsu_agent.settings.written import checked_in_place

Site = Annotated[Path, typer.Option("--site", help="The site file.")]
State = Annotated[Path | None, typer.Option(help="The agent's folder for what must survive.")]
Socket = Annotated[Path | None, typer.Option("--socket", help="The agent's control socket.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on one line.")]
SITE = Path("/etc/rsu-agent/site.yaml")
GATE_S, LOOK_S = 30.0, 0.5  # the agent gets so long to be as well as it was


def apply(
    new: Annotated[Path, typer.Argument(help="The file that comes in the site file's place.")],
    site: Site = SITE,
    confirm: Annotated[
        float, typer.Option("--confirm", help="Seconds until it goes back by itself.", min=0)
    ] = CONFIRM_S,
    state: State = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Put another site file in place; it goes back by itself unless `rsu config confirm` follows in time.

    A running agent takes it at once; where that makes it less well than it was, it goes back after 30 s. Exit
    code 6: it has gone back. Given again while it waits, the time begins anew.

    Example: rsu config apply new.yaml --confirm 300 && rsu config confirm
    """
    kept = _kept(state)
    try:
        wanted = new.read_bytes()
        checked_in_place(site, wanted, new)
    except SiteInvalid as invalid:
        for fault in [] if as_json else invalid.faults:
            typer.echo(str(fault))
        text = say("{count} fault(s); nothing was changed", count=len(invalid.faults))
        stop(Exit.INVALID, text, as_json=as_json)
    except OSError as error:
        text = say("{file}: {why}; nothing was changed", file=error.filename, why=because(error))
        stop(code_of(error), text, as_json=as_json)
    before = _before(socket_path(socket))
    pending = _tried(lambda: kept.begin(site, wanted, confirm), as_json)
    worse = _taken(socket_path(socket), before)
    if worse:
        _tried(lambda: kept.revert("; ".join(worse)), as_json)
        _told(socket_path(socket))
        text = say("it has gone back: {worse}", worse="; ".join(worse))
        stop(Exit.REVERTED, text, as_json=as_json, generation=pending.old)
    if as_json:
        print_json({"generation": pending.new, "old": pending.old, "confirm_s": round(pending.left_s, 1)})
        return
    agent = (
        say("the agent has taken it")
        if before
        else say("no agent runs: it takes it at its start, and goes back")
    )
    typer.echo(say("generation {new} is in place; {agent}", new=pending.new, agent=agent))
    typer.echo(say("goes back in {left_s:.0f} s, unless: rsu config confirm", left_s=pending.left_s))


def confirm(state: State = None, as_json: Json = False) -> None:
    """Keep the change that waits.

    Example: rsu config confirm
    """
    kept = _kept(state)
    _late(kept, as_json)
    pending = _tried(kept.confirm, as_json)
    if as_json:
        print_json({"generation": pending.new})
    else:
        typer.echo(say("generation {new} holds", new=pending.new))


def rollback(
    number: Annotated[
        int | None, typer.Argument(help="A generation of `rsu config history`; none = what waits goes.")
    ] = None,
    site: Site = SITE,
    confirm: Annotated[float, typer.Option("--confirm", help="As with apply.", min=0)] = CONFIRM_S,
    state: State = None,
    socket: Socket = None,
    as_json: Json = False,
) -> None:
    """Go back at once: from the change that waits, or to an earlier generation, which then waits itself.

    Examples: rsu config rollback · rsu config rollback 12 && rsu config confirm
    """
    kept = _kept(state)
    if number is None:
        pending = _tried(lambda: kept.revert(say("asked for")), as_json)
        if pending is None:
            stop(Exit.USAGE, say("nothing waits; name a generation of `rsu config history`"), as_json=as_json)
        _told(socket_path(socket))
        told = pending.old
    else:
        text = _tried(lambda: kept.text(number), as_json)
        told = _tried(lambda: kept.begin(site, text, confirm), as_json).new
        _told(socket_path(socket))
    if as_json:
        print_json({"generation": told})
    else:
        typer.echo(
            say("generation {told} is in place", told=told)
            + ("" if number is None else say("; rsu config confirm keeps it"))
        )


def history(state: State = None, as_json: Json = False) -> None:
    """Show what was applied, confirmed and taken back, the newest last.

    Example: rsu config history
    """
    kept = _kept(state)
    _late(kept, as_json)
    pending = _tried(kept.pending, as_json)
    if as_json:
        waits = None if pending is None else {"generation": pending.new, "left_s": round(pending.left_s, 1)}
        print_json({"events": kept.history(), "kept": kept.numbers(), "pending": waits})
        return
    for event in kept.history():
        at = datetime.fromtimestamp(event["utc_s"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        why = f": {event['why']}" if "why" in event else ""
        typer.echo(f"{at}  {event['generation']:>4}  {event['what']}{why}  [{event['id']}]")
    if pending is not None:
        typer.echo(
            say(
                "generation {new} waits: it goes back in {left_s:.0f} s",
                new=pending.new,
                left_s=pending.left_s,
            )
        )


def worse_than(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What was well and is not any more. What the change took away is not missed."""
    told = []
    if before["spat"]["valid"] and not after["spat"]["valid"]:
        told.append(say("SPaT: {reason}", reason=reason_said(after["spat"]["reason"])))
    now = {each["device"]: each for each in after["devices"]}
    for each in before["devices"]:
        present = now.get(each["device"])
        if each["state"] == "ok" and present is not None and present["state"] != "ok":
            told.append(f"{each['device']}: {present['state']} ({reason_said(present['reason'])})")
    if (before.get("uplink") or {}).get("connected") and not (after.get("uplink") or {}).get("connected"):
        told.append(say("uplink: not connected"))
    return told


def _taken(path: Path, before: dict[str, Any] | None) -> list[str]:
    """Let a running agent take the file; what is worse than before when its time is over."""
    served_by = serving_pid(path)
    if before is None or not _told(path):
        return []
    end_s, worse = time.monotonic() + GATE_S, [say("the agent does not answer")]
    while worse and time.monotonic() < end_s:
        time.sleep(LOOK_S)
        after = peek(path)
        if after is None or serving_pid(path) in (None, served_by):
            worse = [say("the agent does not answer")]
        else:
            worse = worse_than(before, after)
    return worse


def _before(path: Path) -> dict[str, Any] | None:
    """How a running agent is; one that is just starting is waited for."""
    end_s = time.monotonic() + GATE_S
    while (told := peek(path)) is None and _parent(path) is not None and time.monotonic() < end_s:
        time.sleep(LOOK_S)
    return told


def _parent(path: Path) -> int | None:
    """The parent process beside the socket; None where there is none."""
    try:
        parent = int((path.parent / "parent.pid").read_text())
        is_ours = b"rsu_agent.runtime.main" in Path(f"/proc/{parent}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return parent if is_ours else None


def _told(path: Path) -> bool:
    """Ask the parent process to start its children again; whether there is one."""
    parent = _parent(path)
    if parent is None:
        return False
    try:
        os.kill(parent, signal.SIGHUP)
    except OSError:
        return False
    return True


def _late(kept: Generations, as_json: bool) -> None:
    """With the agent down, whoever looks lets go what is overdue."""
    gone = _tried(kept.revert_if_due, as_json)
    if gone is not None:
        typer.echo(
            say(
                "generation {new} was not confirmed in time: {old} is in place again",
                new=gone.new,
                old=gone.old,
            ),
            err=True,
        )


def _kept(state: Path | None) -> Generations:
    return Generations((state or state_folder()) / "config")


def _tried(act: Callable[[], Any], as_json: bool) -> Any:
    return tried(act, Refused, as_json)
