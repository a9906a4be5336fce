"""The real uplink process between core and broker: live data, leases, reports, answers through it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ruamel.yaml import YAML

from rsu_agent.district.broker import free_port
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.command import Answer, Command, public_text, seal, unpack_answer
from rsu_agent.ports.envelope import unpack_envelope
from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.runtime.hub import Hub
from tests.runtime.brokers import HOST, mosquitto

pytestmark = [pytest.mark.anyio, pytest.mark.real]
CONFIG = Path(__file__).parents[2] / "config"
KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
CLOCK = SystemClock()


async def soon(true: Callable[[], Any], seconds: float = 60.0) -> None:
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 (the condition lies in another process)
            await anyio.sleep(0.05)


class District:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.live: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []

    async def hear(self, session: Session) -> None:
        await session.subscribe("rsu/1/#", 1)
        async for topic, payload in session.messages():
            if topic.endswith("/answer"):
                self.answers.append(unpack_answer(payload))
            elif "/live/" in topic:
                self.live.append(msgpack.unpackb(payload))
            elif "/up/" in topic:
                self.audit += [r for r in unpack_envelope(payload).records if r["k"] == "audit"]


class Core:
    """The core's end of the link: vouches for the clock, hears rates and questions."""

    def __init__(self, run: Path) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.hub = Hub(run, lambda _role, topic, noun: self.heard.append((topic, noun)))
        self.hub.connected = lambda _role: self.say_clock()

    def say_clock(self) -> None:
        self.hub.send("uplink", "clock", {"trusted": True, "bound_s": 0.001}, newest=True)

    async def vouch(self) -> None:
        while True:
            self.say_clock()
            await anyio.sleep(0.5)

    def rates(self) -> dict[str, Any]:
        return next((noun for topic, noun in reversed(self.heard) if topic == "live_rates"), {})


def site_file(folder: Path, port: int) -> tuple[Path, str]:
    """An ordinary site file with this broker and our key; the prefix of its topics."""
    site = YAML(typ="safe").load((CONFIG / "virtual.yaml").read_text())
    site["crossing"]["file"] = str(CONFIG / "crossings" / "virtual.geojson")
    site["uplink"] = {"host": HOST, "port": port, "tls": False, "district_key": public_text(KEY)}
    with (folder / "site.yaml").open("w") as stream:
        YAML().dump(site, stream)
    return folder / "site.yaml", f"rsu/1/{site['site']['district']}/{site['site']['id']}"


@asynccontextmanager
async def running(tmp_path: Path) -> AsyncIterator[tuple[Core, District, Session, str]]:
    port, run = free_port(), tmp_path / "run"
    run.mkdir()
    path, prefix = site_file(tmp_path, port)
    command = [sys.executable, "-m", "rsu_agent.runtime.compose_uplink", "--site", str(path)]
    command += ["--state", str(tmp_path / "state"), "--run", str(run)]
    core, district = Core(run), District()
    async with (
        mosquitto(tmp_path, port),
        connect(Broker(HOST, port, "district")) as session,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(core.hub.run)
        tasks.start_soon(core.vouch)
        tasks.start_soon(district.hear, session)
        process = subprocess.Popen(command)  # noqa: ASYNC220
        try:
            await soon(core.rates)
            yield core, district, session, prefix
        finally:
            process.terminate()
            process.wait()
            tasks.cancel_scope.cancel()


def ordered(prefix: str, seq: int, kind: str, args: dict[str, Any]) -> bytes:
    now_us = round(CLOCK.utc_s() * 1e6)
    site = prefix.rsplit("/", 1)[-1]
    return seal(Command(site, seq, now_us, now_us + 60_000_000, kind, args), KEY)


async def test_live_data_leases_reports_and_their_audit_pass_through_the_real_process(tmp_path: Path) -> None:
    async with running(tmp_path) as (core, district, session, prefix):

        def live() -> bool:
            until_us = round((CLOCK.utc_s() + 1.5) * 1e6)
            core.hub.send("uplink", "live spat", {"k": "spat", "u": until_us}, newest=True)
            return bool(district.live)

        await soon(live)
        assert core.rates() == {"spat": 1.0, "objs": 1.0, "event": 1.0, "frames": False}
        await session.publish(f"{prefix}/dn/cmd", ordered(prefix, 1, "report", {}), qos=1)
        await soon(lambda: ("asked", "report") in core.heard)
        lease = {"kinds": ["objs"], "hz": 10, "seconds": 60}
        await session.publish(f"{prefix}/dn/live", ordered(prefix, 2, "live_lease", lease), qos=1)
        await soon(lambda: core.rates().get("objs") == 10.0)
        await soon(lambda: len(district.answers) == 2 and len(district.audit) >= 2)
    assert [(answer.seq, answer.result) for answer in district.answers] == [(1, "done"), (2, "done")]
    assert {(r["q"], r["c"]) for r in district.audit} == {(1, "report"), (2, "live_lease")}
