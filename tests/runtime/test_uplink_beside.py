"""Commands and live data over a real broker, beside an outbox that drains."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rsu_agent.district.broker import free_port
from rsu_agent.outlets.leases import Leases
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.command import Answer, Command, public_text, seal, unpack_answer
from rsu_agent.ports.envelope import Ack, pack_ack, unpack_envelope
from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.commands import CommandDesk
from rsu_agent.runtime.live_sender import LiveSender
from tests.runtime.brokers import HOST, mosquitto

pytestmark = pytest.mark.anyio
KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
PREFIX = "rsu/1/d/s"


async def soon(true: Callable[[], bool], seconds: float = 30.0) -> None:
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 (the condition lies in another process)
            await anyio.sleep(0.02)


class Edge:
    """Outbox, uplink, desk and live data of one site."""

    def __init__(self, tmp_path: Path, port: int) -> None:
        clock = SystemClock()
        self.outbox = Outbox(tmp_path / "box", 16 << 20)
        self.live = LiveSender(PREFIX, 50_000.0, clock)
        key, audit = public_text(KEY), self.outbox
        self.desk = CommandDesk(
            PREFIX,
            "s",
            key,
            tmp_path,
            Leases(1.0),
            clock,
            lambda record: audit.append(record, "hi"),
            lambda _what: True,
        )
        self.desk.clock_told(True)
        broker = Broker(HOST, port, "site")
        self.uplink = Uplink(
            self.outbox,
            lambda: connect(broker),
            PREFIX,
            "s",
            clock,
            first_back_off_s=0.1,
            beside=[self.desk, self.live],
        )
        self._clock = clock

    def command(self, seq: int, kind: str = "ping") -> bytes:
        now_us = round(self._clock.utc_s() * 1e6)
        return seal(Command("s", seq, now_us, now_us + 60_000_000, kind), KEY)

    def take(self, n: int) -> None:
        self.live.take("spat", {"k": "spat", "n": n, "u": round((self._clock.utc_s() + 5) * 1e6)})


class District:
    """Hears everything; acknowledges nothing until told."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.live: list[int] = []
        self.records: list[dict[str, Any]] = []
        self.low = 0

    async def hear(self, session: Session) -> None:
        await session.subscribe("rsu/1/#", 1)
        async for topic, payload in session.messages():
            match topic.split("/")[4:]:
                case ["answer"]:
                    self.answers.append(unpack_answer(payload))
                case ["live", "spat"]:
                    self.live.append(msgpack.unpackb(payload)["n"])
                case ["up", "hi"]:
                    envelope = unpack_envelope(payload)
                    self.records += envelope.records
                    await session.publish(
                        f"{PREFIX}/ack", pack_ack(Ack(envelope.epoch, "hi", envelope.seq)), qos=0
                    )
                case ["up", "lo"]:
                    self.low += 1


@asynccontextmanager
async def running(tmp_path: Path, extra: str) -> AsyncIterator[tuple[Edge, District, Session]]:
    port = free_port()
    async with mosquitto(tmp_path, port, extra), connect(Broker(HOST, port, "district")) as session:
        edge, district = Edge(tmp_path, port), District()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(district.hear, session)
            tasks.start_soon(edge.uplink.run)
            await soon(lambda: edge.uplink.connected)
            yield edge, district, session
            tasks.cancel_scope.cancel()
        edge.outbox.close()


async def test_a_command_is_answered_and_audited_and_live_data_pass_a_backlog_that_nobody_takes(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, "allow_anonymous true\n") as (edge, district, session):
        for n in range(2000):
            edge.outbox.append({"k": "phase", "t": n, "g": 1, "c": "red"}, "lo")
        await soon(lambda: district.low >= 14)
        for n in range(5):
            edge.take(n)
            await soon(lambda n=n: n in district.live)
        await session.publish(f"{PREFIX}/dn/cmd", edge.command(1), qos=1)
        await soon(lambda: len(district.answers) == 1)
        await session.publish(f"{PREFIX}/dn/cmd", edge.command(1), qos=1)
        await soon(lambda: len(district.answers) == 2 and len(district.records) >= 2)
        low = edge.outbox.numbers()["lo"]
        assert (low["queued"], low["acknowledged"]) == (low["produced"], 0)
    assert [(answer.result, answer.code) for answer in district.answers] == [
        ("done", "ok"),
        ("refused", "replay"),
    ]
    assert [(r["k"], r["q"], r["r"], r["w"]) for r in district.records[:2]] == [
        ("audit", 1, "done", "ok"),
        ("audit", None, "refused", "replay"),
    ]


class Forbidding:
    """A connection whose broker forbids some topics."""

    def __init__(self, forbids: str, reason: str) -> None:
        self.forbids, self.reason = forbids, reason
        self.refused: str | None = None
        self.sent: list[str] = []

    async def subscribe(self, topic: str, qos: int) -> None:
        if self.forbids in topic:
            raise DeviceLost(self.reason)

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        self.sent.append(topic)

    def send(self, topic: str, payload: bytes) -> None:
        self.sent.append(topic)

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        await anyio.sleep_forever()
        yield "", b""


@pytest.mark.parametrize(("reason", "connected"), [("refused", True), ("closed", False)])
async def test_a_broker_that_forbids_commands_still_takes_the_outbox(
    tmp_path: Path, reason: str, connected: bool
) -> None:
    edge, line = Edge(tmp_path, 1), Forbidding("/dn/", reason)

    @asynccontextmanager
    async def opening() -> AsyncIterator[Any]:
        yield line

    uplink = Uplink(
        edge.outbox, opening, PREFIX, "s", SystemClock(), first_back_off_s=0.1, beside=[edge.desk]
    )
    edge.outbox.append({"k": "hb", "t": 1, "up": 1, "ok": 1}, "hi")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(uplink.run)
        await soon(lambda: f"{PREFIX}/up/hi" in line.sent if connected else uplink.counters["lost"] > 1)
        assert uplink.connected is connected
        tasks.cancel_scope.cancel()
    edge.outbox.close()
