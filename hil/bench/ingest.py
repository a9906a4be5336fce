"""Envelopes a CPU second of the district's receiver, as a process, through a real broker into real databases.

A hundred sites send as outboxes do: a window each, the next when it is acknowledged. `postgres_per_s` and
`sqlite_per_s` count the receiver's own CPU time, MQTT and decoding included; PostgreSQL's own CPU is told
beside. `ratio_copy`: that rate over the rate of a process that only COPYs the same rows into plain tables.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import psutil

from hil.mosquitto import MOSQUITTO, mosquitto
from hil.postgres import INITDB, cluster
from hil.processes import RigFailure
from hil.receiver import QUEUES, cpu_s, receiver
from rsu_agent.ports.envelope import Envelope, pack_envelope, unpack_ack
from rsu_agent.ports.mqtt import Broker, Session, connect

SITES = 100
WINDOW = 20  # envelopes of a site under way
WARM, ROUNDS = 2, 10  # windows of every site
AT_ONCE = 50  # publishing tasks of the sender
ANSWERS_S = 120.0


def ingest(seed: int) -> dict[str, Any]:
    """The figures; null where a server is not installed."""
    if MOSQUITTO is None:
        raise RigFailure("mosquitto is not installed (make tools)")
    figures: dict[str, Any] = dict.fromkeys(FIGURES)
    sent = envelopes(seed)
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder), QUEUES) as port:
        figures["envelopes"] = SITES * WINDOW * ROUNDS
        own_s, _, wall_s = _measured(str(Path(folder) / "district.sqlite"), port, sent, Path(folder))
        figures["sqlite_per_s"] = round(figures["envelopes"] / own_s)
        figures["sqlite_wall_per_s"] = round(figures["envelopes"] / wall_s)
        if INITDB is not None:
            with cluster() as address:
                figures |= _postgres(address, port, sent, Path(folder), figures["envelopes"])
    return figures


FIGURES = (
    "postgres_per_s",
    "sqlite_per_s",
    "cpu_us_per_envelope",
    "ratio_copy",
    "copy_per_s",
    "postgres_wall_per_s",
    "postgres_server_us_per_envelope",
    "copy_server_us_per_envelope",
)


def _postgres(
    address: str, port: int, sent: Sequence[Sequence[bytes]], folder: Path, count: int
) -> dict[str, Any]:
    own_s, server_s, wall_s = _measured(address, port, sent, folder)
    before_s, began = server_cpu_s(), sys.executable
    told = subprocess.run(
        [began, "-m", "hil.bench.ingest_copy", address, str(count)], capture_output=True, check=True
    )
    copy_s = float(json.loads(told.stdout)["cpu_s"])
    per_s, copy_per_s = count / own_s, count / copy_s
    return {
        "postgres_per_s": round(per_s),
        "cpu_us_per_envelope": round(1e6 / per_s, 1),
        "postgres_wall_per_s": round(count / wall_s),
        "postgres_server_us_per_envelope": round(server_s / count * 1e6, 1),
        "copy_per_s": round(copy_per_s),
        "copy_server_us_per_envelope": round((server_cpu_s() - before_s) / count * 1e6, 1),
        "ratio_copy": round(per_s / copy_per_s, 3),
    }


def records(seed: int, seq: int) -> tuple[dict[str, Any], ...]:
    """About five seconds of a crossing: three records, as the outbox bundles them."""
    dice, now_us = random.Random(f"{seed}/{seq}"), time.time_ns() // 1000
    flow = {
        "k": "flow", "t": now_us, "d": 60.0, "ln": dice.randrange(16), "n": {"car": dice.randrange(20)},
        "v": dice.uniform(2, 15), "o": dice.random(), "h": dice.uniform(1, 9), "hm": 0.9,
        "dl": dice.uniform(0, 60), "df": 55.0, "dn": 4, "du": 1, "st": 0.5, "ss": 0.4,
        "mv": {"through": 4, "left": 1}, "rt": {"green": 5},
    }  # fmt: skip
    phase = {"k": "phase", "t": now_us, "g": dice.randrange(24), "c": dice.choice(("red", "green", "yellow"))}
    other = {"k": "hb", "t": now_us, "up": seq, "ok": 9}
    health = {"k": "health", "t": now_us, "d": "camera-north", "s": "ok", "w": "ok"}
    return flow, phase, dice.choice((other, health))


def envelopes(seed: int) -> list[list[bytes]]:
    """[site][number - 1], packed before anything is timed."""
    now_us, last = time.time_ns() // 1000, WINDOW * (WARM + ROUNDS)
    return [
        [
            pack_envelope(Envelope(f"site-{site}", 7, "lo", seq, now_us, records(seed + site, seq), 0.001))
            for seq in range(1, last + 1)
        ]
        for site in range(SITES)
    ]


def _measured(
    database: str, port: int, sent: Sequence[Sequence[bytes]], folder: Path
) -> tuple[float, float, float]:
    """CPU seconds of the receiver, of PostgreSQL, and seconds, for everything after the warm-up."""
    with receiver(database, port, folder) as process:
        return anyio.run(_drain, port, sent, process)


async def _drain(
    port: int, sent: Sequence[Sequence[bytes]], process: psutil.Process
) -> tuple[float, float, float]:
    done = dict.fromkeys(range(SITES), 0)
    async with connect(Broker("127.0.0.1", port, "bench-sites")) as session:
        await session.subscribe("rsu/1/bench/+/ack", 0)
        async with anyio.create_task_group() as tasks:
            heard = anyio.Condition()
            tasks.start_soon(_hear, session, done, heard)
            for number in range(WARM + ROUNDS):
                if number == WARM:
                    own, server, began_s = cpu_s(process), server_cpu_s(), time.monotonic()
                await _round(session, sent, number, done, heard)
            figures = cpu_s(process) - own, server_cpu_s() - server, time.monotonic() - began_s
            tasks.cancel_scope.cancel()
    return figures


async def _round(
    session: Session,
    sent: Sequence[Sequence[bytes]],
    number: int,
    done: dict[int, int],
    heard: anyio.Condition,
) -> None:
    """One window of every site; again what is not acknowledged in time (the receiver may not listen yet)."""
    first, last = number * WINDOW, (number + 1) * WINDOW
    with anyio.fail_after(ANSWERS_S):
        while True:
            queue = iter([(s, n) for n in range(first, last) for s in range(SITES) if done[s] <= n])

            async def publish(queue: Iterator[tuple[int, int]] = queue) -> None:
                for site, n in queue:
                    await session.publish(f"rsu/1/bench/site-{site}/up/lo", sent[site][n], qos=1)

            async with anyio.create_task_group() as tasks:
                for _ in range(AT_ONCE):
                    tasks.start_soon(publish)
            with anyio.move_on_after(5):
                async with heard:
                    while min(done.values()) < last:
                        await heard.wait()
            if min(done.values()) >= last:
                return


async def _hear(session: Session, done: dict[int, int], heard: anyio.Condition) -> None:
    async for topic, payload in session.messages():
        site = int(topic.split("/")[3].split("-")[1])
        async with heard:
            done[site] = max(done[site], unpack_ack(payload).contiguous)
            heard.notify_all()


def server_cpu_s() -> float:
    """CPU seconds of every PostgreSQL process that this process has started, the ended ones too."""
    total = 0.0
    for process in psutil.process_iter(["name", "cmdline"]):
        command = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and any("rsu-pg-" in part for part in command):
            times = process.cpu_times()  # of the postmaster: its ended children are in its own
            total += times.children_user + times.children_system
            total += sum(cpu_s(child) for child in [process, *process.children()])
    return total
