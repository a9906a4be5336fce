"""`rsu watch`: what passes on a line and what it means, side by side, live."""

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

from rsu_agent.cli.exits import Exit
from rsu_agent.cli.output import plain, print_json, stop
from rsu_agent.ports.clock import Clock, SystemClock
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.language import say
from rsu_agent.settings.read import SiteRead, read_site

if TYPE_CHECKING:
    from rsu_agent.runtime.watch_signals import Event
    from rsu_agent.runtime.watched_signals import WatchedSignals

Draw = Callable[[], Callable[[], None]]
"""Makes a picture of this instant, and gives what puts it onto the terminal: in a thread, since a connection
that stalls must not keep the controller waiting for its questions."""

REFRESH_S = 0.25  # quick enough to compare with a lamp; a slower connection paces it by itself

watch = typer.Typer(help="Look at a line live: raw bytes and what they mean.", no_args_is_help=True)


@watch.callback()
def _verbs() -> None:
    """Keeps `signals` a verb of its own while it is the only one."""


@watch.command()
def signals(
    site: Annotated[Path, typer.Option("--site", help="The site file.")] = Path("/etc/rsu-agent/site.yaml"),
    seconds: Annotated[
        float | None, typer.Option(help="End after so many seconds; without it at Ctrl-C.", min=0.0)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object an event, one line each.")] = False,
) -> None:
    """Show the controller's lamps as decoded and, beside them, every byte of its line.

    Opens the line itself, so the agent must not hold it: stop the agent first, or look at `rsu status`.
    A network line is never busy: there the controller hears two hosts while the agent runs.
    Sends what the agent would send, and as a listener nothing. Into a pipe: a line an event.
    Times are seconds since the start. Exit code 4 when --seconds pass without one report.

    Examples: rsu watch signals · rsu watch signals --site site.yaml · rsu watch signals | grep 'group 3 ' ·
    rsu watch signals --seconds 60 --json > night.ndjson
    """
    try:
        read = read_site(site)
    except SiteInvalid as invalid:
        stop(Exit.INVALID, str(invalid), as_json=as_json, reason="invalid")
    except LookupError as error:  # a driver's package is broken
        stop(Exit.FAILED, str(error), as_json=as_json, reason="driver")
    logging.getLogger().addHandler(logging.NullHandler())  # losses are events here: none a second time
    watching = _Watching(read, SystemClock())
    try:
        watching.live(seconds) if _screen(as_json=as_json) else watching.printed(seconds, as_json=as_json)
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
        from rsu_agent.ports.plugins import plugins
        from rsu_agent.runtime.watched_signals import WatchedSignals
        from rsu_agent.settings.model import driver_settings

        section = site.settings.controller
        opener, settings = plugins()[section.driver].open, driver_settings(section)
        self.driver, self.port = section.driver, getattr(section, "port", None)
        self.device = " ".join(part for part in (self.driver, self.port) if part)
        self.title = f"{site.settings.site.id} {self.device}"
        self.clock, self.start_s = clock, clock.now_s()
        self.watched: WatchedSignals = WatchedSignals()
        self.ended = False  # by itself, as --seconds wanted
        self.open: Callable[[], AbstractAsyncContextManager[Any]] = lambda: opener(settings, clock)

    def printed(self, seconds: float | None, *, as_json: bool) -> None:
        """A line an event, and what the line counted at the end."""
        from rsu_agent.cli.watch_lines import JsonLines, PlainLines, counts

        utc_s = self.clock.utc_s()
        objects = JsonLines(self.driver, self.port, self.start_s, utc_s)
        words = PlainLines(self.device, self.start_s)

        def tell(event: Event) -> None:
            self.watched.take(event)
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
