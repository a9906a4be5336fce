"""The district's process: a receiver, and a broker in process unless an outer one is named."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from rsu_agent.district.receiver import Receiver
from rsu_agent.district.store import Store
from rsu_agent.ports.mqtt import Broker, connect
from rsu_agent.ports.trouble import DeviceLost

RETRY_S = 0.5


async def serve(options: argparse.Namespace) -> None:
    """Until told to stop."""
    store = Store(options.database)
    async with AsyncExitStack() as stack:
        port = options.port
        if not options.host:
            from rsu_agent.district.broker import loopback_broker

            port = await stack.enter_async_context(loopback_broker(port))
        # The broker in this process speaks 3.1.1 only: no need to find out.
        version = None if options.host else 3
        broker = Broker(options.host or "127.0.0.1", port, identifier="district-1", version=version)
        if options.ready:
            options.ready.parent.mkdir(parents=True, exist_ok=True)
            options.ready.write_text(json.dumps({"host": broker.host, "port": port}))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_receive, Receiver(store), broker)
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    tasks.cancel_scope.cancel()
                    break
    store.close()


async def _receive(receiver: Receiver, broker: Broker) -> None:
    while True:
        try:
            async with connect(broker) as session:
                await receiver.run(session)
        except* DeviceLost as lost:
            logging.info("receiver: %s", lost.exceptions[0])
        await anyio.sleep(RETRY_S)


def main() -> int:
    """Parse and serve."""
    parser = argparse.ArgumentParser(prog="rsu-district")
    parser.add_argument("--database", type=Path, required=True, help="the SQLite file")
    parser.add_argument("--host", default="", help="an outer broker; none = one in this process on loopback")
    parser.add_argument("--port", type=int, default=0, help="the broker's port; 0 = any, in process only")
    parser.add_argument("--ready", type=Path, help="write {host, port} here once up")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="district: %(message)s")
    anyio.run(serve, options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
