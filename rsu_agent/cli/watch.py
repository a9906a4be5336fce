"""`rsu watch`: the running agent, or what passes on a line and what it means, live."""

from __future__ import annotations

import logging
import math
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rsu_agent.cli import watch_agent as view
from rsu_agent.cli.client import ask, peek, socket_path
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.cli.status import SocketOption
from rsu_agent.cli.watch_follow import follow, newest, pieces
from rsu_agent.ports.clock import Clock, SystemClock
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import say
from rsu_agent.settings.read import SiteRead, read_site
from rsu_agent.world.signal import Programme, SignalReport

if TYPE_CHECKING:
    from rsu_agent.runtime.watch_signals import Event
    from rsu_agent.runtime.watched_signals import WatchedSignals

Draw = Callable[[], Callable[[], None]]
"""Makes a picture of this instant, and gives what puts it onto the terminal: in a thread, since a connection
that stalls must not keep the controller waiting for its questions."""

REFRESH_S = 0.25  # quick enough to compare with a lamp; a slower connection paces it by itself

SITE = Path("/etc/rsu-agent/site.yaml")
SiteOption = Annotated[
    Path | None,
    typer.Option("--site", help="Open the line of this site file ourselves; the agent is not asked."),
]
SecondsOption = Annotated[
    float | None, typer.Option(help="End after so many seconds; without it at Ctrl-C.", min=0.0)
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a look, one line each.")]

watch = typer.Typer(help="Look at the running agent, or at a line, live.", no_args_is_help=True)


@watch.command()
def signals(
    site: SiteOption = None,
    seconds: SecondsOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show every lamp group: its colour, the seconds to its end, and how sure that is.

    Asks the running agent. Where none runs, or with --site, it opens the controller's line itself and shows,
    beside the lamps, every byte (`rsu watch serial`).

    Examples: rsu watch signals · rsu watch signals --site site.yaml · rsu watch signals | grep '^  3'
    """
    if site is not None or peek(socket_path(socket)) is None:
        _direct(site or SITE, seconds, as_json=as_json)
        return
    follow(
        lambda: ask(socket_path(socket), "status", as_json=as_json), view.signals, seconds, as_json=as_json
    )


@watch.command()
def tracks(seconds: SecondsOption = None, socket: SocketOption = None, as_json: JsonOption = False) -> None:
    """Show every road user: number, kind, metres east and north, km/h and where it heads; hazards below.

    Examples: rsu watch tracks · rsu watch tracks --json | jq .users
    """
    path = socket_path(socket)
    follow(lambda: newest(path, as_json=as_json), view.tracks, seconds, as_json=as_json)


@watch.command()
def messages(
    whole: Annotated[bool, typer.Option("--hex", help="All bytes of each message.")] = False,
    seconds: SecondsOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the last message of each kind that went to the radio; with --json decoded.

    Examples: rsu watch messages · rsu watch messages --hex · rsu watch messages --json | jq .SPAT.value
    """
    path = socket_path(socket)
    draw = partial(view.messages, whole=whole)
    follow(lambda: ask(path, "messages", as_json=as_json), draw, seconds, as_json=as_json)


@watch.command()
def uplink(seconds: SecondsOption = None, socket: SocketOption = None, as_json: JsonOption = False) -> None:
    """Show what waits for the district, what was acknowledged, and how long that takes.

    Examples: rsu watch uplink · rsu watch uplink --json | jq .uplink.backlog
    """
    path = socket_path(socket)
    follow(lambda: ask(path, "status", as_json=as_json), view.uplink, seconds, as_json=as_json)


@watch.command()
def serial(
    bytes_alone: Annotated[bool, typer.Option("--hex", help="Bytes alone, a line for each piece.")] = False,
    site: SiteOption = None,
    seconds: SecondsOption = None,
    socket: SocketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the controller's line: every byte in both directions and, without --hex, what it means.

    A running agent is asked for the bytes that it sees. Where none runs, or with --site, the line is opened
    here as the agent would open it, and must not be held by it. A network line is never busy: there the
    controller hears two hosts. Sends what the agent would send, and as a listener nothing.

    Into a pipe: a line an event; seconds count from the start. Exit code 4 when --seconds pass without any.

    Examples: rsu watch serial --hex · rsu watch serial --site site.yaml ·
    rsu watch serial --seconds 60 --json > night.ndjson
    """
    path = socket_path(socket)
    if site is not None or peek(path) is None:
        _direct(site or SITE, seconds, as_json=as_json, bytes_alone=bytes_alone)
        return
    pieces(path, seconds, as_json=as_json)


def _direct(site: Path, seconds: float | None, *, as_json: bool, bytes_alone: bool = False) -> None:
    """Open the line ourselves: lamps and bytes side by side."""
    try:
        read = read_site(site)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="invalid")
    except LookupError as error:  # a driver's package is broken
        stop(Exit.FAILED, str(error), as_json=as_json, reason="driver")
    logging.getLogger().addHandler(logging.NullHandler())  # losses are events here: none a second time
    watching = _Watching(read, SystemClock())
    try:
        if _screen(as_json=as_json) and not bytes_alone:
            watching.live(seconds)
        else:
            watching.printed(seconds, as_json=as_json, bytes_alone=bytes_alone)
    except BrokenPipeError:  # `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(int(Exit.FAILED)) from None
    if seconds is not None and watching.ended and not watching.watched.reports:
        raise typer.Exit(int(Exit.CHECK_FAILED))


def _screen(*, as_json: bool) -> bool:
    """NO_COLOR takes the colour, not the screen; what is no terminal, or a simple one, gets lines."""
    return not as_json and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


class _Watching:
    """One run of the verb."""

    def __init__(self, site: SiteRead, clock: Clock) -> None:
        from rsu_agent.runtime.watched_signals import WatchedSignals
        from rsu_agent.settings.model import open_section

        section = site.settings.controller
        self.driver, self.port = section.driver, getattr(section, "port", None)
        self.device = " ".join(part for part in (self.driver, self.port) if part)
        self.title = f"{site.settings.site.id} {self.device}"
        self.clock, self.start_s = clock, clock.now_s()
        self.watched: WatchedSignals = WatchedSignals()
        self.ended = False  # by itself, as --seconds wanted
        self.open: Callable[[], AbstractAsyncContextManager[Any]] = lambda: open_section(section, clock)

    def printed(self, seconds: float | None, *, as_json: bool, bytes_alone: bool = False) -> None:
        """A line an event, and what the line counted at the end."""
        from rsu_agent.cli.watch_lines import JsonLines, PlainLines, counts

        utc_s = self.clock.utc_s()
        objects = JsonLines(self.driver, self.port, self.start_s, utc_s)
        words = PlainLines(self.device, self.start_s)

        def tell(event: Event) -> None:
            self.watched.take(event)
            if bytes_alone and isinstance(event, SignalReport | Programme):
                return
            now_s = self.clock.now_s()
            if as_json:
                for value in objects.objects(event, self.watched, now_s):
                    print_json(value)
            else:
                for line in words.lines(event, self.watched, now_s):
                    print(line, flush=True)

        self._until_the_end(tell, seconds)
        end_s, counted = self.clock.now_s() - self.start_s, counts(self.watched)
        if as_json:
            print_json({"t": round(end_s, 3), "ended": True, "counters": counted})
        else:
            words_of = " ".join(f"{name} {count}" for name, count in counted.items())
            print(say("ended at {end_s:.3f} {words_of}", end_s=end_s, words_of=words_of).rstrip(), flush=True)

    def live(self, seconds: float | None) -> None:
        """A screen of its own; what it showed last stays when it is left."""
        from rich.console import Console, Group
        from rich.live import Live

        from rsu_agent.cli.watch_screen import Screen

        console = Console(no_color=plain(), highlight=False)
        screen = Screen(self.watched, self.title, self.start_s)

        def picture() -> Group:
            return Group(*screen.rows(self.clock.now_s(), console.width, console.height))

        with Live(picture(), console=console, screen=True, auto_refresh=False) as live:
            self._until_the_end(
                self.watched.take, seconds, lambda: partial(live.update, picture(), refresh=True)
            )
        console.print(picture())

    def _until_the_end(
        self, tell: Callable[[Event], None], seconds: float | None, draw: Draw | None = None
    ) -> None:
        """Until Ctrl-C, or so many seconds."""
        import anyio

        from rsu_agent.runtime.watch_signals import watch_signals

        async def run() -> None:
            with self.clock.move_on_after(math.inf if seconds is None else seconds):
                if draw is None:
                    await watch_signals(self.open, self.clock, tell)
                    return
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(watch_signals, self.open, self.clock, tell)
                    while True:
                        await anyio.to_thread.run_sync(draw())
                        await self.clock.sleep(REFRESH_S)

        try:
            anyio.run(run)
        except KeyboardInterrupt:
            return
        self.ended = True
