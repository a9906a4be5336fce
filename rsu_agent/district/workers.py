"""Workers as processes of their own: started, counted together, started again when they end."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

log = logging.getLogger(__name__)
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 0.5, 30.0
LEVELS = ("waiting", "waiting_in_stream")  # what is left of the moment; everything else only grows
WELL_S = 60.0  # a worker that lived as long starts again at once


async def keep_workers(own: Sequence[Sequence[str]], arguments: list[str], counters: Counter[str]) -> None:
    """Until cancelled. own: what each is told beside `arguments`; counters: sums of all that ever ran."""
    async with anyio.create_task_group() as tasks:
        for each in own:
            tasks.start_soon(_keep, each, arguments, counters)


async def _keep(own: Sequence[str], arguments: list[str], counters: Counter[str]) -> None:
    back_off_s = FIRST_BACK_OFF_S
    while True:
        began_s = time.monotonic()
        code = await _once(own, arguments, counters)
        log.warning("worker %s ended with status %s", " ".join(own), code)
        if time.monotonic() - began_s > WELL_S:
            back_off_s = FIRST_BACK_OFF_S
        await anyio.sleep(back_off_s)
        back_off_s = min(LONGEST_BACK_OFF_S, 2 * back_off_s)


async def _once(own: Sequence[str], arguments: list[str], counters: Counter[str]) -> int | None:
    # What concerns the parent alone comes last, where it overrides: no API, no ready file, one worker.
    told = [*_for_worker(arguments), "--workers", "1", *own]
    command = [sys.executable, "-m", "rsu_agent.district.main", *told]
    process = await anyio.open_process(command, stdin=subprocess.DEVNULL, stderr=None)
    try:
        await _hear(process, counters)
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await process.wait()


async def _hear(process: Process, counters: Counter[str]) -> None:
    """Add what grows; the waiting is what is left of the moment."""
    assert process.stdout is not None
    before: Counter[str] = Counter()
    rest = ""
    async for text in TextReceiveStream(process.stdout):
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            told = Counter[str](json.loads(line))
            counters.update({name: told[name] - before[name] for name in told})
            before = told
    for name in LEVELS:
        counters[name] -= before[name]


def _for_worker(arguments: list[str]) -> list[str]:
    """The command line without what the parent does itself."""
    parser_only = ("--workers", "--api-port", "--api-host", "--ready", "--live", "--role", "--shard")
    kept, skip = [], False
    for argument in arguments:
        if skip:
            skip = False
        elif argument in parser_only:
            skip = True
        elif not argument.startswith(tuple(f"{name}=" for name in parser_only)):
            kept.append(argument)
    return kept
