"""`rsu status`: one screen, forty columns, how the crossing is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.cells import cell_len

from rsu_agent.cli.client import ask, socket_path
from rsu_agent.cli.output import plain, print_json

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
    signal, spat, uplink, clock = state["signal"], state["spat"], state.get("uplink") or {}, state["clock"]
    age = signal["age_s"]
    valid = spat["valid"]
    lines = [
        (
            f"{cut(state['site'], NAME_COLUMNS)}  {'on air' if valid else 'UNAVAILABLE'}",
            "bold green" if valid else "bold red",
        ),
        (f"signal {signal['control']} {_stage(signal)}", ""),
        (f"  age {'never' if age is None else f'{age:.1f} s'}", "" if age is not None and age < 1 else "red"),
        (f"  why not: {spat['reason']}" if spat["reason"] else f"  {spat['sent']} SPAT sent", ""),
        (f"users  {state['users']} tracked", ""),
        (f"radio  {state['radio']['sent']} sent, {state['radio']['failed']} failed", ""),
        (f"uplink {uplink.get('backlog', '-')} waiting, {uplink.get('acked', '-')} done", ""),
        (f"clock  {_bound(clock)}", "" if clock["trusted"] else "yellow"),
    ]
    for device in state["devices"]:
        text = f"{MARKS[device['state']]} {cut(device['device'], NAME_COLUMNS)} {device['reason']}"
        lines.append((text, STYLES[device["state"]]))
    for hazard in state["hazards"]:
        lines.append((f"! {hazard['kind']}", "bold red"))
    return [(cut(line, SCREEN_COLUMNS), style) for line, style in lines]


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
    signal, spat = state["signal"], state["spat"]
    bad = [d["device"] for d in state["devices"] if d["state"] != "ok"]
    return (
        f"{'on air' if spat['valid'] else 'unavailable: ' + str(spat['reason'])} · "
        f"{_stage(signal)} · {state['users']} users · "
        f"{len(state['hazards'])} hazards · uplink {(state.get('uplink') or {}).get('backlog', '-')} waiting"
        + (f" · not ok: {', '.join(bad)}" if bad else "")
    )


def _stage(signal: dict[str, Any]) -> str:
    plan, stage = ("-" if signal[key] is None else signal[key] for key in ("plan", "stage"))
    return f"plan {plan} stage {stage}"


def _bound(clock: dict[str, Any]) -> str:
    if clock["bound_ms"] is None:
        return "not known"
    return f"within {clock['bound_ms']:.1f} ms ({clock['source']})"
