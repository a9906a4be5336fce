"""The district: the real receiver and broker in a process of their own, behind a line that can be bad.

unplug: connections are cut, new ones refused. silence: bytes are lost in both directions. garbage: what
comes from the broker is spoilt. freeze: bytes wait until it ends. kill: receiver and broker start again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream, TaskStatus

from hil.bus import Bus
from hil.devices.ready import announce, former
from hil.processes import end_with_the_parent
from hil.truth import TruthLog

DEVICE = "district"
HOST = "127.0.0.1"
LOOK_S = 0.1


class Line:
    """Carries bytes between whoever connects and the broker."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._random = random.Random(1)
        self._flows = anyio.Event()
        self._flows.set()
        self.plugged, self.unplugged = anyio.Event(), anyio.Event()
        self.silent = self.garbage = False

    async def serve(self, port: int, *, task_status: TaskStatus[int]) -> None:
        """Listen while plugged in, on the same port each time; started with that port."""
        listener = await anyio.create_tcp_listener(local_host=HOST, local_port=port)
        port = listener.listeners[0].extra(SocketAttribute.local_port)
        task_status.started(port)
        while True:
            async with listener, anyio.create_task_group() as tasks:
                tasks.start_soon(listener.serve, self.carry)
                await self.unplugged.wait()
                tasks.cancel_scope.cancel()
            await self.plugged.wait()
            listener = await anyio.create_tcp_listener(local_host=HOST, local_port=port)

    async def carry(self, client: SocketStream) -> None:
        """One connection, until either end closes it or it is cut."""
        async with client:
            try:
                broker = await anyio.connect_tcp(HOST, self._broker_port)
            except OSError:
                return
            async with broker, anyio.create_task_group() as tasks:
                tasks.start_soon(self._pump, client, broker, False, tasks.cancel_scope)
                tasks.start_soon(self._pump, broker, client, True, tasks.cancel_scope)

    async def _pump(
        self, source: SocketStream, sink: SocketStream, from_broker: bool, whole: anyio.CancelScope
    ) -> None:
        try:
            async for data in source:
                await self._flows.wait()
                if not self.silent:
                    await sink.send(self._spoilt(data) if from_broker and self.garbage else data)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        whole.cancel()

    def _spoilt(self, data: bytes) -> bytes:
        return self._random.randbytes(len(data))

    def obey(self, name: str, on: bool) -> None:
        """A fault begins or ends."""
        match name:
            case "unplug" if on:
                self._plug(False)
            case "unplug" | "replug":
                self._plug(True)
            case "silence":
                self.silent = on
            case "garbage":
                self.garbage = on
            case "freeze" if on:
                if self._flows.is_set():  # who already waits, waits for this one
                    self._flows = anyio.Event()
            case "freeze":
                self._flows.set()

    def _plug(self, wanted: bool) -> None:
        if wanted is not self.unplugged.is_set():
            return  # it is so already, and who waits for a change waits for the present events
        if wanted:
            self.unplugged = anyio.Event()
            self.plugged.set()
        else:
            self.plugged = anyio.Event()
            self.unplugged.set()


async def serve(run_dir: Path, inner: subprocess.Popen[bytes], broker_port: int) -> None:
    """Until told to stop, or until the real district ends."""
    heard, truth = Bus(run_dir).subscribe("fault"), TruthLog(run_dir, DEVICE)
    line = Line(broker_port)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, tasks.cancel_scope)
        port = await tasks.start(line.serve, former(run_dir, DEVICE).get("port", 0))
        announce(run_dir, DEVICE, host=HOST, port=port)
        while inner.poll() is None:
            while (message := heard.get()) is not None:
                _obey(line, inner, truth, message[1])
            await anyio.sleep(LOOK_S)
        tasks.cancel_scope.cancel()


def _obey(line: Line, inner: subprocess.Popen[bytes], truth: TruthLog, said: dict[str, Any]) -> None:
    if said["device"] != DEVICE:
        return
    truth.write("fault", time.monotonic(), device=DEVICE, name=said["name"], on=said["on"])
    if said["name"] == "kill":
        inner.kill()
        os._exit(9)
    line.obey(said["name"], bool(said["on"]))


async def _end_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            scope.cancel()
            return


def _broker_port(ready: Path, inner: subprocess.Popen[bytes]) -> int:
    while not (ready.exists() and ready.stat().st_size):
        if inner.poll() is not None:
            raise SystemExit(f"the district's receiver ended with status {inner.returncode}")
        time.sleep(LOOK_S / 4)
    return int(json.loads(ready.read_text())["port"])


def _inner_ready(run_dir: Path) -> Path:
    return run_dir / "ready" / "receiver.json"


def main() -> None:
    """`python -m hil.devices.district --run-dir DIR`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    run_dir = parser.parse_args().run_dir
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _inner_ready(run_dir).unlink(missing_ok=True)
    files = ["--database", str(run_dir / "district.sqlite"), "--ready", str(_inner_ready(run_dir))]
    command = [sys.executable, "-m", "rsu_agent.district.main", *files]
    inner = subprocess.Popen(command, preexec_fn=end_with_the_parent)
    try:
        anyio.run(serve, run_dir, inner, _broker_port(_inner_ready(run_dir), inner))
    finally:
        inner.terminate()
        inner.wait()


if __name__ == "__main__":
    main()
