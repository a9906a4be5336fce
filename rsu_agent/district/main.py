"""The district's process: receives, serves the page; with several workers it is the parent of theirs."""

from __future__ import annotations

import argparse
import json
import logging
import os
import secrets
import signal
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import anyio.abc

from rsu_agent.district.api import serve_api
from rsu_agent.district.options import broker_of, checked, open_sink, parser, servers_of
from rsu_agent.district.receiver import Receiver
from rsu_agent.district.sink import Sink
from rsu_agent.district.worker import GROUP, work
from rsu_agent.district.workers import keep_workers

log = logging.getLogger(__name__)
SWEEP_S = 3600.0
TELL_S = 1.0


async def serve(options: argparse.Namespace) -> None:
    """Until told to stop."""
    counters: Counter[str] = Counter()
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        port = options.port
        if not options.host and not options.read_only:
            from rsu_agent.district.broker import loopback_broker

            port = await stack.enter_async_context(loopback_broker(port))
        if not options.read_only:
            counters = await _begin(options, port, stack, tasks)
        api = None
        if options.api_port is not None:
            where = options.api_host, options.api_port
            broker = broker_of(options, port) if options.host or not options.read_only else None
            api = await tasks.start(serve_api, options.database, where, counters, options.live, broker)
        if options.ready:
            _announce(options.ready, options.host or "127.0.0.1", port, api)
        await _told_to_stop()
        tasks.cancel_scope.cancel()


async def _begin(
    options: argparse.Namespace, port: int, stack: AsyncExitStack, tasks: anyio.abc.TaskGroup
) -> Counter[str]:
    """Receive, here or in processes of their own; the counters of all."""
    if children := children_of(options):
        for shard in range(len(options.database)):  # there, and up to date, before they begin
            await (await open_sink(options.database, shard)).aclose()
        if not options.shared and not options.nats:  # all who share are ours
            os.environ.setdefault(GROUP, secrets.token_hex(16))
        counters: Counter[str] = Counter()
        tasks.start_soon(keep_workers, children, sys.argv[1:], counters)
        return counters
    return await (_share if options.nats else _receive)(options, port, stack, tasks)


def children_of(options: argparse.Namespace) -> list[list[str]]:
    """What each worker is told that runs as a process of its own; none = all is done in this one."""
    numbers = range(1, options.workers + 1)
    if not options.nats:
        return [["--worker", str(n)] for n in numbers] if options.workers > 1 else []
    shards = options.shard or list(range(len(options.database)))
    fronts = [] if options.role == "back" else [["--role", "front", "--worker", str(n)] for n in numbers]
    backs = [
        ["--role", "back", "--shard", str(shard), "--worker", str(n)] for shard in shards for n in numbers
    ]
    both = fronts + ([] if options.role == "front" else backs)
    return both if len(both) > 1 else []


async def _share(
    options: argparse.Namespace, port: int, stack: AsyncExitStack, tasks: anyio.abc.TaskGroup
) -> Counter[str]:
    """This process is a front, or a back of one shard; its counters."""
    from rsu_agent.district.distributed import Back, Front

    servers, shards, receiver = servers_of(options), len(options.database), None
    half: Front | Back = Front(servers, shards)
    if options.role != "front":
        [shard] = options.shard or [0]
        sink = await open_sink(options.database, shard)
        stack.push_async_callback(sink.aclose)
        receiver = Receiver(sink)
        half = Back(receiver, servers, shards, shard)
        if options.worker <= 1:
            tasks.start_soon(_sweep, sink)
    number, broker = options.worker or 1, broker_of(options, port)
    tasks.start_soon(lambda: work(half, broker, number, shared=True))
    if options.worker:
        tasks.start_soon(_tell_the_parent, half.counters, receiver, tasks.cancel_scope)
    return half.counters


async def _receive(
    options: argparse.Namespace, port: int, stack: AsyncExitStack, tasks: anyio.abc.TaskGroup
) -> Counter[str]:
    """This process is a worker; its counters."""
    sink = await open_sink(options.database)
    stack.push_async_callback(sink.aclose)
    receiver = Receiver(sink)
    shared = options.shared or options.worker > 0
    tasks.start_soon(lambda: work(receiver, broker_of(options, port), options.worker or 1, shared=shared))
    if options.worker <= 1:
        tasks.start_soon(_sweep, sink)
    if options.worker:
        tasks.start_soon(_tell_the_parent, receiver.counters, receiver, tasks.cancel_scope)
    return receiver.counters


async def _sweep(sink: Sink) -> None:
    """Retention, hourly; the first after an hour, so that a restart is not slowed."""
    while True:
        await anyio.sleep(SWEEP_S)
        try:
            log.info("retention: %d gone", await sink.sweep(time.time_ns() // 1000))
        except OSError as error:  # a database that is away: the next time
            log.warning("retention: %s", error)


async def _tell_the_parent(
    counters: Counter[str], receiver: Receiver | None, scope: anyio.CancelScope
) -> None:
    """Counters on stdout; a parent that is gone ends this worker."""
    parent = os.getppid()
    while os.getppid() == parent:
        print(json.dumps({**counters, "waiting": receiver.waiting if receiver else 0}), flush=True)
        await anyio.sleep(TELL_S)
    scope.cancel()


async def _told_to_stop() -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            return


def _announce(ready: Path, host: str, port: int, api: str | None) -> None:
    """Whole or not at all: who waits for it may look at any time."""
    ready.parent.mkdir(parents=True, exist_ok=True)
    half = ready.with_suffix(".half")
    half.write_text(json.dumps({"host": host, "port": port, "api": api}))
    half.replace(ready)


def main() -> int:
    """Parse and serve."""
    options = checked(parser())
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="district: %(message)s")
    anyio.run(serve, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
