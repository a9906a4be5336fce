"""Showing again and again what an agent says: a screen on a terminal, lines or objects elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from rsu_agent.cli.client import ask, stream
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.cli.status import SCREEN_COLUMNS, cut
from rsu_agent.cli.watch_agent import Line
from rsu_agent.settings.language import because, say

SCREEN_S, LINES_S = 0.25, 1.0


def follow(
    read: Callable[[], Any],
    draw: Callable[[Any], Iterator[Line]],
    seconds: float | None,
    *,
    as_json: bool,
) -> None:
    """Until Ctrl-C, or for so many seconds. read: asks the agent, and ends the program where none answers."""
    end_s = float("inf") if seconds is None else time.monotonic() + seconds
    try:
        if as_json or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
            _lines(read, draw, end_s, as_json=as_json)
        else:
            _screen(read, draw, end_s)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(int(Exit.FAILED)) from None


def newest(path: Path, *, as_json: bool) -> dict[str, Any]:
    """The newest live event: the status with the road users themselves."""
    state = ask(path, "status", as_json=as_json)  # says what is wrong where nobody answers
    return next(iter(stream(path, "live")), state)


def pieces(path: Path, seconds: float | None, *, as_json: bool) -> None:
    """Bytes of the controller's line as a running agent sees them, a line each, until Ctrl-C or so long."""
    begin_s = time.monotonic()
    try:
        for piece in stream(path, "line"):
            at_s = time.monotonic() - begin_s
            if seconds is not None and at_s > seconds:
                return
            if not piece:
                continue
            if as_json:
                print_json({**piece, "t": round(at_s, 3)})
            elif "missed" in piece:
                print(say("{count} pieces were missed", count=piece["missed"]), flush=True)
            else:
                print(
                    f"{piece['dir']:<3} {at_s:.3f} {bytes.fromhex(piece['hex']).hex(' ').upper()}", flush=True
                )
    except KeyboardInterrupt:
        return
    except OSError as error:
        stop(Exit.UNREACHABLE, say("the agent has ended: {why}", why=because(error)), as_json=as_json)


def _lines(
    read: Callable[[], Any], draw: Callable[[Any], Iterator[Line]], end_s: float, *, as_json: bool
) -> None:
    """What has changed, a line each; with --json the whole, one object a second."""
    before: set[str] = set()
    while True:
        told = read()
        if as_json:
            print_json(told)
        else:
            lines = [words for words, _ in draw(told)]
            for line in lines:
                if line not in before:
                    print(line, flush=True)
            before = set(lines)
        if time.monotonic() + LINES_S > end_s:
            return
        time.sleep(LINES_S)


def _screen(read: Callable[[], Any], draw: Callable[[Any], Iterator[Line]], end_s: float) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console(no_color=plain(), highlight=False)

    def picture() -> Group:
        wide, high = min(console.width, 2 * SCREEN_COLUMNS), max(1, console.height - 1)
        lines = list(draw(read()))
        return Group(*(Text(cut(words, wide), style=style) for words, style in lines[:high]))

    with Live(picture(), console=console, screen=True, auto_refresh=False) as live:
        while time.monotonic() < end_s:
            time.sleep(SCREEN_S)
            live.update(picture(), refresh=True)
    console.print(picture())
