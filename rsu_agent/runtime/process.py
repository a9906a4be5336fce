"""What every child process does alike: options, logging, the lifeline to its parent, a clean end."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from rsu_agent.runtime.pulse import Pulse
from rsu_agent.settings.explain import SiteInvalid
from rsu_agent.settings.read import SiteRead, read_site

EXIT_INVALID = 3  # facts/operations 1: configuration invalid


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process finds its site, keeps its state, and meets the others."""

    site: SiteRead
    state: Path
    run: Path
    pulse: Pulse | None
    from_parent: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)


def run_process(name: str, body: Callable[[Place], Awaitable[None]], *, yields: int = 0) -> int:
    """Parse the options, read the site, run `body` until the parent goes or says stop.

    yields: how much nicer (nice(2)) than the core this process is; what is due on air waits for nobody.
    """
    parser = argparse.ArgumentParser(prog=f"rsu-{name}")
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--pulse-fd", type=int)
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format=f"{name}: %(levelname).1s %(name)s: %(message)s"
    )
    try:
        site = read_site(options.site)
    except SiteInvalid as invalid:
        print(invalid, file=sys.stderr)
        return EXIT_INVALID
    pulse = None if options.pulse_fd is None else Pulse(socket.socket(fileno=options.pulse_fd))
    for folder in (options.state, options.run):
        folder.mkdir(parents=True, exist_ok=True)
    os.nice(yields)
    gc.freeze()  # what start-up made stays: later collections walk only what is new
    anyio.run(_until_told, body, Place(site, options.state, options.run, pulse))
    return 0


async def _until_told(body: Callable[[Place], Awaitable[None]], place: Place) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, tasks.cancel_scope)
        if place.pulse is not None:
            tasks.start_soon(_hear_parent, place, place.pulse, tasks.cancel_scope)
        await body(place)
        tasks.cancel_scope.cancel()


async def _end_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()


async def _hear_parent(place: Place, pulse: Pulse, scope: anyio.CancelScope) -> None:
    """Hand on what the parent says; its end of the pulse closes when it goes, however it goes."""
    while True:
        await anyio.wait_readable(pulse.fileno())
        try:
            while (message := pulse.receive()) is not None:
                for hear in place.from_parent:
                    hear(message)
        except EOFError:
            scope.cancel()
            return
