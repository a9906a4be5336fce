"""The uplink among brokers and networks that fail without a word: seen, told, and nothing lost."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink import LO_SHARE, LONGEST_BACK_OFF_S, MOST_WINDOW, UNHEARD_S, WINDOW, Uplink
from rsu_agent.ports import mqtt
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.envelope import Ack, pack_ack, unpack_envelope
from rsu_agent.ports.mqtt import KEEPALIVE_S, Broker, connect
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.runtime.compose_uplink import health
from rsu_agent.world.health import DeviceState
from tests.outlets.fault_proxy import FaultProxy
from tests.outlets.test_mqtt_traps import denying
from tests.outlets.test_outbox_and_uplink import PREFIX, QUOTA, free_port, record, soon
from tests.runtime.brokers import mosquitto

pytestmark = pytest.mark.anyio
QUICK = {"resend_s": 0.4, "first_back_off_s": 0.05, "unheard_s": 0.6}


class Wire:
    """A connection that keeps what is sent; the test is the district."""

    def __init__(self) -> None:
        self.refused: str | None = None
        self.sent: list[tuple[str, bytes]] = []
        self.subscribed: list[str] = []
        self._give, self._take = anyio.create_memory_object_stream[tuple[str, bytes]](1000)

    def send(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, payload))

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        assert topic.endswith("/state")

    async def subscribe(self, topic: str, qos: int) -> None:
        self.subscribed.append(topic)

    async def messages(self) -> AsyncIterator[tuple[str, bytes]]:
        async for message in self._take:
            yield message

    def say(self, ack: Ack) -> None:
        self._give.send_nowait((f"{PREFIX}/ack", pack_ack(ack)))

    def numbers(self, lane: str) -> list[int]:
        return [unpack_envelope(data).seq for topic, data in self.sent if topic.endswith(lane)]


def filled(path: Path, hi: int, lo: int) -> Outbox:
    """An outbox with so many rows a lane."""
    outbox = Outbox(path, QUOTA, site="site-1")
    last = [outbox.append(record(n), "hi") for n in range(hi)][-1:]
    for n in range(lo):
        last = [outbox.append(record(n), "lo")]
        last[0].wait(20)
    for receipt in last:
        receipt.wait(20)
    return outbox


@asynccontextmanager
async def connected(outbox: Outbox, wire: Wire, **limits: float) -> AsyncIterator[Uplink]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Wire]:
        yield wire

    uplink = Uplink(outbox, opened, PREFIX, "site-1", SystemClock(), **{**QUICK, **limits})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(uplink.run)
        await soon(lambda: uplink.connected)
        yield uplink
        tasks.cancel_scope.cancel()


async def test_twenty_are_under_way_until_the_receiver_grants_another_number(tmp_path: Path) -> None:
    outbox, wire = filled(tmp_path, 200, 0), Wire()
    async with connected(outbox, wire, resend_s=60.0, unheard_s=60.0):
        await soon(lambda: len(wire.sent) == WINDOW)
        wire.say(Ack(outbox.epoch("hi"), "hi", 5, window=3))
        wire.say(Ack(outbox.epoch("hi"), "hi", 20, window=3))
        await soon(lambda: len(wire.sent) == WINDOW + 3)
        wire.say(Ack(outbox.epoch("hi"), "hi", 23, window=MOST_WINDOW * 10))
        await soon(lambda: wire.numbers("hi") == list(range(1, 201)))
    outbox.close()


async def test_the_high_lane_goes_first_and_the_low_one_leaves_it_room(tmp_path: Path) -> None:
    outbox, wire = filled(tmp_path, 4, 30), Wire()
    async with connected(outbox, wire, resend_s=60.0, unheard_s=60.0):
        await soon(lambda: len(wire.sent) == 4 + int(WINDOW * LO_SHARE))
        assert wire.numbers("hi") == [1, 2, 3, 4]
        assert [topic[-2:] for topic, _ in wire.sent[:4]] == ["hi"] * 4
        outbox.append(record(9), "hi")
        await soon(lambda: wire.numbers("hi") == [1, 2, 3, 4, 5])
    outbox.close()


async def test_what_nobody_answers_is_sent_again_from_the_lowest_and_told_as_unheard(tmp_path: Path) -> None:
    outbox, wire = filled(tmp_path, 6, 0), Wire()
    async with connected(outbox, wire) as uplink:
        await soon(lambda: wire.numbers("hi") == [1, 2, 3, 4, 5, 6])
        wire.say(Ack(outbox.epoch("hi"), "hi", 2, ((4, 4),)))
        await soon(lambda: wire.numbers("hi")[6:9] == [3, 5, 6])
        await soon(lambda: uplink.reason == "unheard")
        assert health(outbox, uplink) == (DeviceState.DEGRADED, "unheard")
        assert outbox.queued("hi") == 3
        wire.say(Ack(outbox.epoch("hi"), "hi", 6))
        await soon(lambda: uplink.reason == "ok" and outbox.queued("hi") == 0)
        assert health(outbox, uplink) == (DeviceState.OK, "ok")
    outbox.close()
    assert UNHEARD_S < 30


async def test_another_epoch_s_word_and_garbage_delete_nothing(tmp_path: Path) -> None:
    outbox, wire = filled(tmp_path, 3, 0), Wire()
    async with connected(outbox, wire) as uplink:
        wire.say(Ack(outbox.epoch("hi") ^ 1, "hi", 3))
        wire._give.send_nowait((f"{PREFIX}/ack", b"\xc1"))
        await soon(lambda: uplink.counters["strange_acks"] == uplink.counters["bad_acks"] == 1)
        wire.say(Ack(outbox.epoch("hi"), "hi", 0, rejected=((2, "invalid"),)))
        await soon(lambda: outbox.numbers()["hi"]["dead"] == 1)
        assert outbox.queued("hi") == 2
    outbox.close()


async def test_attempts_spread_over_a_wait_that_doubles_to_a_minute(tmp_path: Path) -> None:
    outbox, slept = Outbox(tmp_path, QUOTA), list[float]()

    class Clock(SystemClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)
            await anyio.lowlevel.checkpoint()

    @asynccontextmanager
    async def refused() -> AsyncIterator[Any]:
        raise DeviceLost("refused")
        yield

    uplink = Uplink(outbox, refused, PREFIX, "site-1", Clock())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(uplink.run)
        await soon(lambda: len(slept) >= 1000)
        tasks.cancel_scope.cancel()
    outbox.close()
    for n, seconds in enumerate(slept):
        assert 0 <= seconds <= min(LONGEST_BACK_OFF_S, 2.0 ** min(n, 9))
    assert max(slept) > 0.8 * LONGEST_BACK_OFF_S
    assert min(slept[6:]) < 0.2 * LONGEST_BACK_OFF_S, "full jitter: some return early"
    assert uplink.reason == "refused"


async def answer(port: int) -> None:
    """A district of a few lines: it says at once what it holds."""
    held: dict[tuple[int, str], set[int]] = {}
    while True:
        try:
            async with connect(Broker("127.0.0.1", port, "district")) as session:
                await session.subscribe(f"{PREFIX}/up/#", 1)
                async for _, payload in session.messages():
                    got = unpack_envelope(payload)
                    have = held.setdefault((got.epoch, got.lane), set())
                    have.add(got.seq)
                    up_to = next(n for n in count() if n + 1 not in have)
                    above = tuple((n, n) for n in sorted(have) if n > up_to)
                    word = pack_ack(Ack(got.epoch, got.lane, up_to, above))
                    await session.publish(f"{PREFIX}/ack", word, qos=0)
        except DeviceLost:
            await anyio.lowlevel.checkpoint()


def uplink_through(outbox: Outbox, port: int, **limits: float) -> Uplink:
    broker = Broker("127.0.0.1", port, "site-1", connect_s=1.0)
    return Uplink(outbox, lambda: connect(broker), PREFIX, "site-1", SystemClock(), **{**QUICK, **limits})


@pytest.mark.parametrize("version", [5, 3])
async def test_a_broker_that_refuses_what_we_publish_is_an_alarm_and_costs_nothing(
    tmp_path: Path, version: int
) -> None:
    """Trap T1: aiomqtt's publish ignores the reason code. Protocol 5 has one, 3.1.1 only our silence."""
    port, outbox = free_port(), filled(tmp_path / "box", 3, 0)
    (tmp_path / "acl").write_text("topic read #\ntopic write +/+/+/+/state\n")
    async with mosquitto(tmp_path, port, f"allow_anonymous true\nacl_file {tmp_path}/acl\n"):
        broker = Broker("127.0.0.1", port, "site-1", version=version)
        uplink = Uplink(outbox, lambda: connect(broker), PREFIX, "site-1", SystemClock(), **QUICK)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(uplink.run)
            expected = "refused" if version == 5 else "unheard"
            await soon(lambda: uplink.reason == expected)
            assert health(outbox, uplink) == (DeviceState.DEGRADED, expected)
            tasks.cancel_scope.cancel()
    assert outbox.queued("hi") == 3
    outbox.close()


@pytest.mark.parametrize("topic", ["ack", "dn/cmd"])
async def test_a_broker_that_forbids_to_hear_a_topic_is_refused_and_without_commands_the_outbox_drains(
    tmp_path: Path, topic: str
) -> None:
    """Trap T5: aiomqtt's subscribe returns the failure as if it were a success."""
    port, outbox, desk = free_port(), filled(tmp_path / "box", 3, 0), Desk()
    async with (
        mosquitto(tmp_path, port, denying(tmp_path, f"{PREFIX}/{topic}")),
        anyio.create_task_group() as tasks,
    ):
        broker = Broker("127.0.0.1", port, "site-1")
        uplink = Uplink(
            outbox, lambda: connect(broker), PREFIX, "site-1", SystemClock(), **QUICK, beside=[desk]
        )
        tasks.start_soon(answer, port)
        tasks.start_soon(uplink.run)
        if topic == "ack":
            await soon(lambda: uplink.reason == "refused" and uplink.counters["lost"] > 1)
            assert health(outbox, uplink) == (DeviceState.LOST, "refused")
            assert outbox.queued("hi") == 3
        else:
            await soon(lambda: outbox.queued("hi") == 0)
            assert desk.forbidden == [f"{PREFIX}/dn/cmd"]
        tasks.cancel_scope.cancel()
    outbox.close()


class Desk:
    """Hears commands, beside the outbox."""

    subscriptions = (f"{PREFIX}/dn/cmd",)

    def __init__(self) -> None:
        self.forbidden: list[str] = []

    def hear(self, topic: str, payload: bytes) -> None:
        raise AssertionError(topic)

    def refused(self, topic: str) -> None:
        self.forbidden.append(topic)

    async def run(self, transport: Any) -> None:
        await anyio.sleep_forever()


async def test_a_connection_that_died_without_a_word_is_seen_and_what_it_swallowed_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half open for fifteen minutes in the field; here one second stands for KEEPALIVE_S."""
    monkeypatch.setattr(mqtt, "KEEPALIVE_S", 1)
    port, outbox = free_port(), filled(tmp_path / "box", 1, 0)
    async with mosquitto(tmp_path, port), anyio.create_task_group() as tasks:
        tasks.start_soon(answer, port)
        async with FaultProxy(port).running() as proxy:
            uplink = uplink_through(outbox, proxy.port, resend_s=0.3)
            tasks.start_soon(uplink.run)
            await soon(lambda: outbox.queued("hi") == 0)
            proxy.dark = True
            began_s = time.monotonic()
            for n in range(30):
                outbox.append(record(n), "hi")
            await soon(lambda: health(outbox, uplink)[0] is not DeviceState.OK)
            told_s = time.monotonic() - began_s
            await soon(lambda: uplink.counters["lost"] >= 1)
            lost_s = time.monotonic() - began_s
            assert proxy.accepted >= 1
            proxy.dark = False
            await soon(lambda: outbox.numbers()["hi"]["acknowledged"] == 31)
        tasks.cancel_scope.cancel()
    outbox.close()
    assert told_s < 2.5
    assert lost_s < 2 + 1.5, "two keep-alives and a look a second"
    assert 2 * KEEPALIVE_S + 1 < 30


async def test_a_broker_that_accepts_and_never_answers_is_told_and_left_when_it_recovers(
    tmp_path: Path,
) -> None:
    """Trap T2: each attempt is a fresh client with its own time-out; none takes silence for a CONNACK."""
    port, outbox = free_port(), filled(tmp_path / "box", 2, 0)
    async with mosquitto(tmp_path, port), anyio.create_task_group() as tasks:
        tasks.start_soon(answer, port)
        async with FaultProxy(port).running() as proxy:
            proxy.dark = True
            uplink = uplink_through(outbox, proxy.port)
            tasks.start_soon(uplink.run)
            await soon(lambda: uplink.reason == "refused" and proxy.accepted >= 2)
            assert health(outbox, uplink) == (DeviceState.LOST, "refused")
            assert uplink.counters["sent"] == 0
            proxy.dark = False
            await soon(lambda: outbox.queued("hi") == 0)
        tasks.cancel_scope.cancel()
    outbox.close()


async def test_a_message_that_paho_still_holds_when_the_connection_ends_dies_with_its_client(
    tmp_path: Path,
) -> None:
    """Trap T4: what timed out may still go out later; a new client knows nothing of it, our outbox does."""
    port, outbox = free_port(), filled(tmp_path / "box", 200, 0)
    async with mosquitto(tmp_path, port), anyio.create_task_group() as tasks:
        async with (
            FaultProxy(port).running() as proxy,
            connect(Broker("127.0.0.1", proxy.port, "x")) as session,
        ):
            proxy.dark = True
            for _, payload in outbox.envelopes("hi", 0, 200, "site-1"):
                session.send(f"{PREFIX}/up/hi", payload)
            assert len(session._client._client._out_messages) == 200
        async with connect(Broker("127.0.0.1", port, "x")) as session:
            assert not session._client._client._out_messages
        tasks.start_soon(answer, port)
        tasks.start_soon(uplink_through(outbox, port).run)
        await soon(lambda: outbox.numbers()["hi"]["acknowledged"] == 200)
        tasks.cancel_scope.cancel()
    outbox.close()
