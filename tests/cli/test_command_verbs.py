"""`rsu command`: a key that is nobody else's to read, commands to a crossing behind a real broker."""

from __future__ import annotations

import hashlib
import json
import random
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from typer.testing import CliRunner, Result

from rsu_agent.cli.command import KINDS
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.district.broker import free_port
from rsu_agent.outlets.commands import CHECKS
from rsu_agent.outlets.leases import Leases
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.mqtt import Broker, connect
from rsu_agent.runtime import commanding
from rsu_agent.runtime.commands import CommandDesk
from tests.runtime.brokers import HOST, mosquitto

pytestmark = pytest.mark.anyio
PREFIX = "rsu/1/pingshan/szps-001"


def rsu(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["command", *arguments])


def made_key(folder: Path) -> str:
    """The public key of a new file `district.key`."""
    said = rsu("key", str(folder / "district.key"), "--json")
    assert said.exit_code == 0, said.output
    return str(json.loads(said.stdout)["district_key"])


@asynccontextmanager
async def crossing(tmp_path: Path, key: str) -> AsyncIterator[tuple[int, Leases]]:
    """A crossing that obeys this key; the broker's port."""
    port, clock, leases = free_port(), SystemClock(), Leases(1.0)
    outbox = Outbox(tmp_path / "box", 8 << 20)
    desk = CommandDesk(
        PREFIX,
        "szps-001",
        key,
        tmp_path,
        leases,
        clock,
        lambda record: outbox.append(record, "hi"),
        lambda _what: True,
    )

    async def vouch() -> None:
        while True:
            desk.clock_told(True)
            await anyio.sleep(1.0)

    async with mosquitto(tmp_path, port), anyio.create_task_group() as tasks:
        broker = Broker(HOST, port, "site")
        uplink = Uplink(outbox, lambda: connect(broker), PREFIX, "szps-001", clock, beside=[desk])
        tasks.start_soon(uplink.run)
        tasks.start_soon(vouch)
        with anyio.fail_after(20):
            while not uplink.connected:  # noqa: ASYNC110 (the condition lies in another process)
                await anyio.sleep(0.02)
        yield port, leases
        tasks.cancel_scope.cancel()
    outbox.close()


async def sent(tmp_path: Path, port: int, *arguments: str) -> Result:
    """What `rsu command send` gives, in a thread of its own."""
    fixed = ["--key", str(tmp_path / "district.key"), "--port", str(port), "--json"]

    def call() -> Result:
        return rsu("send", "pingshan/szps-001", *arguments, *fixed)

    return await anyio.to_thread.run_sync(call)


def told(said: Result) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(said.stdout)
    return value


def test_a_key_is_its_owners_alone_and_is_never_written_over(tmp_path: Path) -> None:
    public = made_key(tmp_path)
    assert len(public) == 44
    assert stat.S_IMODE((tmp_path / "district.key").stat().st_mode) == 0o600
    before = (tmp_path / "district.key").read_bytes()
    assert rsu("key", str(tmp_path / "district.key")).exit_code == Exit.FAILED
    assert (tmp_path / "district.key").read_bytes() == before


async def test_commands_are_obeyed_over_a_broker_and_files_arrive_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding, "SKEW_US", 0)  # the crossing's memory is as young as this test
    data = random.Random(4).randbytes(300_000)
    (tmp_path / "new.geojson").write_bytes(data)
    async with crossing(tmp_path, made_key(tmp_path)) as (port, leases):
        said = await sent(tmp_path, port, "ping")
        assert (said.exit_code, told(said)["result"]) == (0, "done"), said.output
        lease = json.dumps({"kinds": ["objs"], "hz": 5, "seconds": 60})
        assert told(await sent(tmp_path, port, "live_lease", "--args", lease))["result"] == "done"
        assert leases.rates(SystemClock().now_s()).objs_hz == 5.0
        said = await sent(tmp_path, port, "map", "--file", str(tmp_path / "new.geojson"))
        assert (told(said)["result"], told(said)["sha256"]) == ("staged", hashlib.sha256(data).hexdigest())
        said = await sent(tmp_path, port, "live_lease", "--args", "{}")
        assert (said.exit_code, told(said)["code"]) == (Exit.FAILED, "bad_args")
    (staged,) = (tmp_path / "staging" / "map").glob("*.geojson")
    assert staged.read_bytes() == data


async def test_a_crossing_that_does_not_know_the_key_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commanding, "ANSWER_S", 0.5)
    (tmp_path / "other").mkdir()
    other = made_key(tmp_path / "other")
    made_key(tmp_path)
    async with crossing(tmp_path, other) as (port, _):
        said = await sent(tmp_path, port, "ping")
    assert said.exit_code == Exit.UNREACHABLE
    assert "does not know this key" in told(said)["error"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["szps-001", "ping"], Exit.USAGE),
        (["pingshan/szps-001", "reboot"], Exit.USAGE),
        (["pingshan/szps-001", "map"], Exit.USAGE),
        (["pingshan/szps-001", "ping", "--args", "[]"], Exit.USAGE),
        (["pingshan/szps-001", "ping", "--args", "{"], Exit.USAGE),
        (["pingshan/szps-001", "ping", "--port", "1"], Exit.UNREACHABLE),
    ],
)
def test_what_cannot_be_sent_is_said_so(tmp_path: Path, arguments: list[str], code: Exit) -> None:
    made_key(tmp_path)
    assert rsu("send", *arguments, "--key", str(tmp_path / "district.key"), "--json").exit_code == code


def test_the_kinds_that_are_offered_are_those_that_a_crossing_knows() -> None:
    assert set(KINDS) == set(CHECKS)


def test_a_file_that_is_no_key_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no key")
    for name in ("x", "none"):
        said = rsu("send", "pingshan/szps-001", "ping", "--key", str(tmp_path / name), "--json")
        assert said.exit_code == Exit.FAILED
