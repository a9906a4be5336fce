"""`rsu status`: one screen, forty columns, how the crossing is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len

from rsu_agent.cli.client import ask, socket_path
from rsu_agent.cli.output import plain, print_json
from rsu_agent.cli.words import CONTROLS, HAZARDS, reason_said
from rsu_agent.settings.language import say

REFRESH_S = 1.0
SCREEN_COLUMNS = 40  # a terminal on a telephone held upright
NAME_COLUMNS = 24
MARKS = {"ok": "●", "starting": "◌", "degraded": "◐", "lost": "○"}
STYLES = {"ok": "green", "starting": "yellow", "degraded": "yellow", "lost": "red"}

SocketOption = Annotated[Path | None, typer.Option("--socket", help="The agent's control socket.")]


def status(
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Keep showing it until Ctrl-C.")] = False,
    socket: SocketOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on one line.")] = False,
) -> None:
    """Show how the agent is: signal, sensors, radio, uplink, clock.

    Examples: rsu status · rsu status -w · rsu status --json | jq .spat
    """
    path = socket_path(socket)
    first = ask(path, "status", as_json=as_json)
    if as_json and not watch:
        print_json(first)
    elif not watch:
        _print(first)
    else:
        _watch(path, first, as_json=as_json)


def _watch(path: Path, first: dict[str, Any], *, as_json: bool) -> None:
    try:
        if as_json or plain():
            while True:
                print_json(first) if as_json else typer.echo(one_line(first))
                time.sleep(REFRESH_S)
                first = ask(path, "status", as_json=as_json)
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text

        with Live(refresh_per_second=4, screen=False) as live:
            while True:
                live.update(Group(*(Text(line, style=style) for line, style in screen(first))))
                time.sleep(REFRESH_S)
                first = ask(path, "status")
    except KeyboardInterrupt:
        return


def _print(state: dict[str, Any]) -> None:
    if plain():
        for line, _ in screen(state):
            typer.echo(line)
        return
    from rich.console import Console

    console = Console(highlight=False)
    for line, style in screen(state):
        console.print(line, style=style, markup=False)


def screen(state: dict[str, Any]) -> list[tuple[str, str]]:
    """Lines of at most 40 columns with a style each."""
    lines = [*_air(state), *_counts(state)]
    for device in state["devices"]:
        name, why = cut(device["device"], NAME_COLUMNS), reason_said(device["reason"])
        lines.append((f"{MARKS[device['state']]} {name} {why}", STYLES[device["state"]]))
    lines += [(f"! {say(HAZARDS.get(each['kind'], each['kind']))}", "bold red") for each in state["hazards"]]
    return [(cut(line, SCREEN_COLUMNS), style) for line, style in lines]


def _air(state: dict[str, Any]) -> list[tuple[str, str]]:
    """What is on air, and how fresh what it says is."""
    signal, spat, site = state["signal"], state["spat"], cut(state["site"], NAME_COLUMNS)
    age_s, valid = signal["age_s"], spat["valid"]
    told = say("on air") if valid else say("UNAVAILABLE")
    age = say("never") if age_s is None else f"{age_s:.1f} s"
    why = reason_said(spat["reason"]) if spat["reason"] else ""
    control = say(CONTROLS.get(signal["control"], str(signal["control"])))
    return [
        (f"{site}  {told}", "bold green" if valid else "bold red"),
        (say("signal {control} {stage}", control=control, stage=_stage(signal)), ""),
        (say("  age {age}", age=age), "" if age_s is not None and age_s < 1 else "red"),
        (say("  why not: {why}", why=why) if why else say("  {sent} SPAT sent", sent=spat["sent"]), ""),
    ]


def _counts(state: dict[str, Any]) -> list[tuple[str, str]]:
    """What is seen, sent and waiting, and how good the clock is."""
    radio, uplink, clock = state["radio"], state.get("uplink") or {}, state["clock"]
    waiting, done = uplink.get("backlog", "-"), uplink.get("acked", "-")
    return [
        (say("users  {users} tracked", users=state["users"]), ""),
        (say("radio  {sent} sent, {failed} failed", sent=radio["sent"], failed=radio["failed"]), ""),
        (say("uplink {waiting} waiting, {done} done", waiting=waiting, done=done), ""),
        (say("clock  {bound}", bound=_bound(clock)), "" if clock["trusted"] else "yellow"),
    ]


def columns(text: str) -> int:
    """How many columns a terminal shows this in: Chinese characters take two."""
    return cell_len(text)


def cut(text: str, wide: int) -> str:
    """As much of the beginning as fits `wide` columns."""
    while columns(text) > wide:
        text = text[:-1]
    return text


def one_line(state: dict[str, Any]) -> str:
    """The state in one line, for logs and simple terminals."""
    spat, backlog = state["spat"], (state.get("uplink") or {}).get("backlog", "-")
    bad = [d["device"] for d in state["devices"] if d["state"] != "ok"]
    told = say(
        "{air} · {stage} · {users} users · {hazards} hazards · uplink {backlog} waiting",
        air=say("on air") if spat["valid"] else say("unavailable: {why}", why=reason_said(spat["reason"])),
        stage=_stage(state["signal"]),
        users=state["users"],
        hazards=len(state["hazards"]),
        backlog=backlog,
    )
    return told + (say(" · not ok: {devices}", devices=", ".join(bad)) if bad else "")


def _stage(signal: dict[str, Any]) -> str:
    plan, stage = ("-" if signal[key] is None else signal[key] for key in ("plan", "stage"))
    return say("plan {plan} stage {stage}", plan=plan, stage=stage)


def _bound(clock: dict[str, Any]) -> str:
    if clock["bound_ms"] is None:
        return say("not known")
    return say("within {bound_ms:.1f} ms ({source})", bound_ms=clock["bound_ms"], source=clock["source"])
