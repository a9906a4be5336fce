"""One site's stress backlog drained to a district by processes of their own: edge, mosquitto, receiver."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgpack
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_seal import Row
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.envelope import Ack
from rsu_agent.ports.mqtt import Broker, connect

SITE, PREFIX = "bench-1", "rsu/1/bench/bench-1"
QUOTA = 512 << 20
BODY = bytes(range(32, 127)) * 6  # of one record: with the rest about 600 bytes
HI_EVERY_S = 0.05
START_S = 30.0
PAHO_MESSAGES = 20_000
BATCH = 2_000


def fill(folder: Path, envelopes: int) -> None:
    """A low lane with so many rows."""
    lane = Lane(folder / "lo.sqlite", QUOTA, SITE)
    for start in range(0, envelopes, BATCH):
        lane.append(_row(n) for n in range(start, min(envelopes, start + BATCH)))
    lane.close()


def drained(folder: Path, port: int) -> dict[str, Any]:
    """Run the edge in a process of its own; its figures."""
    command = [sys.executable, "-m", "hil.bench.drain", str(folder), str(port)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    return dict(json.loads(told.splitlines()[-1]))


def bare_paho(port: int) -> float:
    """Messages a second of paho alone, quality 1, twenty in flight."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.max_inflight_messages_set(20)
    client.max_queued_messages_set(0)
    left = [PAHO_MESSAGES]

    def published(*_told: Any) -> None:
        left[0] -= 1

    client.on_publish = published
    client.connect("127.0.0.1", port)
    body = bytes(600)
    while not client.is_connected():
        client.loop()
    began_s, unsent = time.perf_counter(), PAHO_MESSAGES
    while left[0]:
        while unsent and left[0] - unsent < 20:
            client.publish("bench/paho", body, 1)
            unsent -= 1
        client.loop()
    took_s = time.perf_counter() - began_s
    client.disconnect()
    return PAHO_MESSAGES / took_s


@contextmanager
def district(folder: Path) -> Iterator[int]:
    """mosquitto and a receiver with SQLite, a process each; the port. Raises FileNotFoundError."""
    binary = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if binary is None:
        raise FileNotFoundError("mosquitto is not installed: apt install mosquitto")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    conf = folder / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    conf.write_text(f"listener {port} 127.0.0.1\n{user}allow_anonymous true\nmax_queued_messages 0\n")
    database, ready = folder / "district.sqlite", folder / "ready.json"
    receiver = [sys.executable, "-m", "rsu_agent.district.main", "--database", str(database)]
    quiet: dict[str, Any] = {"stderr": subprocess.DEVNULL}
    children = [subprocess.Popen([binary, "-c", str(conf)], **quiet)]
    try:
        _until(partial(_listening, port))
        where = ["--host", "127.0.0.1", "--port", str(port), "--ready", str(ready)]
        children.append(subprocess.Popen([*receiver, *where], **quiet))
        _until(ready.exists)
        yield port
    finally:
        for child in reversed(children):
            child.terminate()
            child.wait()


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + START_S
    while not true():
        if time.monotonic() > end_s:
            raise TimeoutError("mosquitto or the receiver does not come up")
        time.sleep(0.02)


def _row(n: int) -> Row:
    record = {
        "k": "phase",
        "t": 1_790_000_000_000_000 + n,
        "g": n % 24,
        "c": "red",
        "src": os.urandom(220).hex(),
    }
    return Row(Shelf.LOG, "phase", (msgpack.packb(record),))


class _Watched(Uplink):
    """Notes when the receiver's word on the high lane comes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.handed_s: dict[int, float] = {}
        self.took_s: list[float] = []

    def _answered(self, ack: Ack) -> None:
        super()._answered(ack)
        if ack.lane == "hi":
            now_s = time.monotonic()
            for seq in [seq for seq in self.handed_s if seq <= ack.contiguous]:
                self.took_s.append(now_s - self.handed_s.pop(seq))


async def _edge(folder: Path, port: int) -> dict[str, Any]:
    outbox = Outbox(folder, QUOTA, site=SITE)
    uplink = _Watched(outbox, lambda: connect(Broker("127.0.0.1", port, SITE)), PREFIX, SITE, SystemClock())
    waiting = outbox.queued("lo")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(uplink.run)
        while not uplink.counters["sent"]:  # noqa: ASYNC110 (the connection is another task's)
            await anyio.sleep(0.01)
        began_s, rss, most_rss, calls = time.monotonic(), _resident(), 0, []
        while outbox.queued("lo"):
            at_s = time.monotonic()
            uplink.handed_s[outbox.last("hi") + 1] = at_s
            outbox.append({"k": "event", "t": time.time_ns() // 1000, "i": "x", "h": "stopped"}, "hi")
            calls.append(time.monotonic() - at_s)
            await anyio.sleep(HI_EVERY_S)
            most_rss = max(most_rss, _resident())
        took_s = time.monotonic() - began_s
        tasks.cancel_scope.cancel()
    outbox.close()
    return {
        "drain_per_s": round(waiting / took_s),
        "hi_p99_ms": _p99_ms(uplink.took_s),
        "append_p99_ms": _p99_ms(calls),
        "rss_growth_mb": round((most_rss - rss) / 1e6, 1),
        "resent": uplink.counters["resent"],
        "cpu_us_per_envelope": round(time.process_time() / waiting * 1e6, 1),
    }


def _p99_ms(values: list[float]) -> float | None:
    return round(sorted(values)[int(len(values) * 0.99)] * 1e3, 3) if values else None


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    print(json.dumps(anyio.run(_edge, Path(sys.argv[1]), int(sys.argv[2]))))
