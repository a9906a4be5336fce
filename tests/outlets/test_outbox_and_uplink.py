"""The outbox on disk, the envelope, and the way to the district through real brokers."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from aiomqtt import ProtocolVersion
from hypothesis import given, settings
from hypothesis import strategies as st

from rsu_agent.district.broker import free_port, loopback_broker
from rsu_agent.district.read import stored_envelopes, stored_records
from rsu_agent.district.receiver import Receiver
from rsu_agent.district.store import Store
from rsu_agent.outlets.outbox import Outbox, read_numbers
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports import mqtt
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.envelope import (
    Ack,
    BadEnvelope,
    Envelope,
    pack_ack,
    pack_envelope,
    unpack_ack,
    unpack_envelope,
)
from rsu_agent.ports.mqtt import Broker, connect
from rsu_agent.ports.trouble import DeviceLost
from tests.runtime.brokers import mosquitto

pytestmark = pytest.mark.anyio
QUOTA = 8 << 20
PREFIX = "rsu/1/pingshan/site-1"


def until(true: Any, seconds: float = 20.0) -> None:
    """Wait for a condition, not for a time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.01)


async def soon(true: Any, seconds: float = 30.0) -> None:
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 (the condition lies in another process or thread)
            await anyio.sleep(0.02)


def record(n: int) -> dict[str, Any]:
    return {"k": "phase", "g": n % 24, "c": "red", "t": 1_790_000_000_000_000 + n}


def test_an_envelope_survives_the_way_and_is_compressed_when_that_helps() -> None:
    long = Envelope("s", 7, "lo", 3, 9, tuple(record(n) for n in range(60)))
    data = pack_envelope(long)
    assert data[:4] == b"\x28\xb5\x2f\xfd"
    assert unpack_envelope(data) == long
    short = Envelope("s", 7, "hi", 3, 9, ({"k": "e"},))
    assert unpack_envelope(pack_envelope(short)) == short


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_noise_is_a_bad_envelope_and_nothing_else(data: bytes) -> None:
    for read in (unpack_envelope, unpack_ack):
        with pytest.raises(BadEnvelope):
            read(data)


def test_a_bomb_is_refused_before_it_grows() -> None:
    import zstandard

    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(64 << 20))
    assert len(bomb) < 100_000
    with pytest.raises(BadEnvelope, match="too_big"):
        unpack_envelope(bomb)


def test_numbers_are_never_used_again_and_the_sum_always_holds(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    for n in range(10):
        assert outbox.append(record(n), "hi")
    until(lambda: outbox.numbers()["hi"]["queued"] == 10)
    assert outbox.acknowledge(Ack(outbox.epoch("hi"), "hi", 4, ((7, 8),))) == 6
    assert outbox.acknowledge(Ack(outbox.epoch("hi") + 1, "hi", 10)) == 0, "another epoch's word"
    outbox.close()
    again = Outbox(tmp_path, QUOTA)
    again.append(record(11), "hi")
    until(lambda: again.numbers()["hi"]["produced"] == 11)
    assert [seq for seq, _ in again.after("hi", 0, 100)] == [5, 6, 9, 10, 11]
    numbers = again.numbers()["hi"]
    assert (
        numbers["produced"]
        == numbers["acknowledged"] + numbers["queued"] + numbers["dropped"] + numbers["dead"]
    )
    again.close()


def test_rejected_rows_are_buried_and_block_nobody(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, QUOTA)
    outbox.append(record(1), "hi")
    until(lambda: outbox.numbers()["hi"]["produced"] == 1)
    outbox.acknowledge(Ack(outbox.epoch("hi"), "hi", 0, rejected=((1, "invalid"),)))
    assert outbox.numbers()["hi"] | {"epoch": 0} == {
        "epoch": 0,
        "produced": 1,
        "acknowledged": 0,
        "queued": 0,
        "dropped": 0,
        "dead": 1,
        "rolled": 0,
    }
    outbox.close()


def test_a_full_lane_gives_up_its_oldest_rows_and_says_so(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, 1 << 20)
    body = {"k": "event", "why": "x" * 1500}
    for n in range(400):
        while not outbox.append({**body, "id": n}, "hi"):
            time.sleep(0.001)
    until(lambda: outbox.numbers()["hi"]["produced"] >= 400)
    numbers = outbox.numbers()["hi"]
    assert numbers["dropped"] > 0
    assert numbers["produced"] == numbers["queued"] + numbers["dropped"]
    rows = [r for _, records in outbox.after("hi", 0, 1000) for r in records]
    gaps = [r for r in rows if r["k"] == "gap"]
    assert sum(gap["n"] for gap in gaps) == numbers["dropped"]
    outbox.close()


WRITER = """
import sys
from pathlib import Path
from rsu_agent.outlets.outbox import Outbox
said = open(sys.argv[2], "a", buffering=1)
outbox = Outbox(Path(sys.argv[1]), 8 << 20, lambda tags: said.write("".join(f"{t}\\n" for t in tags)))
n = int(sys.argv[3])
while True:
    n += 1
    while not outbox.append({"k": "e", "n": n}, "hi", n):
        pass
"""


def test_what_was_said_to_be_committed_survives_kill_nine(tmp_path: Path) -> None:
    dice, said, first = random.Random(4), tmp_path / "said", 0
    for _ in range(6):
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "box"), str(said), str(first)])
        lines = len(said.read_text().splitlines()) if said.exists() else 0
        until(lambda lines=lines: said.exists() and len(said.read_text().splitlines()) > lines + 20)
        time.sleep(dice.uniform(0, 0.05))
        child.kill()
        child.wait()
        first += 1_000_000
    told = {int(line) for line in said.read_text().splitlines() if line}
    outbox = Outbox(tmp_path / "box", QUOTA)
    held = {r["n"] for _, records in outbox.after("hi", 0, 1_000_000) for r in records}
    outbox.close()
    assert told <= held
    assert len(told) > 100


async def receive(store: Store, port: int) -> None:
    broker = Broker("127.0.0.1", port, "district-test")
    while True:
        try:
            async with connect(broker) as session:
                await Receiver(store).run(session)
        except* DeviceLost:
            await anyio.sleep(0.05)


def uplink_to(outbox: Outbox, port: int) -> Uplink:
    broker = Broker("127.0.0.1", port, "site-1")
    return Uplink(
        outbox, lambda: connect(broker), PREFIX, "site-1", SystemClock(), resend_s=0.5, first_back_off_s=0.1
    )


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
async def test_everything_reaches_the_district_once_and_leaves_the_outbox(tmp_path: Path, kind: str) -> None:
    port = free_port()
    outbox, store = Outbox(tmp_path / "box", QUOTA), Store(tmp_path / "d.sqlite")
    server = mosquitto(tmp_path, port) if kind == "mosquitto" else loopback_broker(port)
    async with server, anyio.create_task_group() as tasks:
        tasks.start_soon(receive, store, port)
        tasks.start_soon(uplink_to(outbox, port).run)
        for n in range(300):
            outbox.append(record(n), "hi" if n % 10 == 0 else "lo")
        await soon(lambda: len(stored_records(tmp_path / "d.sqlite", "phase")) == 300)
        await soon(lambda: all(x["produced"] == x["acknowledged"] for x in outbox.numbers().values()))
        tasks.cancel_scope.cancel()
    outbox.close()
    assert len(stored_records(tmp_path / "d.sqlite", "phase")) == 300


async def test_nothing_is_lost_or_doubled_when_broker_and_receiver_are_killed(tmp_path: Path) -> None:
    port, dice = free_port(), random.Random(9)
    outbox, store = Outbox(tmp_path / "box", QUOTA), Store(tmp_path / "d.sqlite")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(uplink_to(outbox, port).run)
        sent = 0
        for _ in range(5):
            async with mosquitto(tmp_path, port) as process, anyio.create_task_group() as receivers:
                receivers.start_soon(receive, store, port)
                for _ in range(60):
                    outbox.append(record(sent), "hi")
                    sent += 1
                await anyio.sleep(dice.uniform(0.1, 0.6))
                receivers.cancel_scope.cancel()
                process.send_signal(signal.SIGKILL)
        async with mosquitto(tmp_path, port), anyio.create_task_group() as receivers:
            receivers.start_soon(receive, store, port)
            await soon(lambda: outbox.numbers()["hi"]["acknowledged"] == sent)
            receivers.cancel_scope.cancel()
        tasks.cancel_scope.cancel()
    outbox.close()
    numbers = read_numbers(tmp_path / "box")["hi"]
    assert stored_envelopes(tmp_path / "d.sqlite")[numbers["epoch"], "hi"] == set(range(1, sent + 1))
    assert len(stored_records(tmp_path / "d.sqlite", "phase")) == sent


async def test_a_denied_topic_looks_delivered_to_mqtt_and_stays_in_our_outbox(tmp_path: Path) -> None:
    """Trap T1: aiomqtt's publish ignores the reason code; our receipt is the receiver's word alone."""
    port = free_port()
    (tmp_path / "acl").write_text("topic read #\n")
    outbox = Outbox(tmp_path / "box", QUOTA)
    extra = f"allow_anonymous true\nacl_file {tmp_path}/acl\n"
    async with mosquitto(tmp_path, port, extra), anyio.create_task_group() as tasks:
        uplink = uplink_to(outbox, port)
        tasks.start_soon(uplink.run)
        outbox.append(record(1), "hi")
        await soon(lambda: uplink.counters["sent"] > 1)
        tasks.cancel_scope.cancel()
    assert outbox.numbers()["hi"]["queued"] == 1
    outbox.close()


async def test_a_broker_that_accepts_and_never_answers_is_given_up(tmp_path: Path) -> None:
    """Trap T2: a fresh client every attempt, each with its own time-out."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        broker = Broker("127.0.0.1", port, "x", connect_s=0.4)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, _mute)
            with pytest.raises(DeviceLost, match="refused"):
                async with connect(broker):
                    pass
            tasks.cancel_scope.cancel()


async def test_a_lost_connection_leaves_no_error_that_nobody_looked_at(tmp_path: Path) -> None:
    """aiomqtt keeps the reason in a future; unread, its collection is an error of the whole event loop."""
    port, unread = free_port(), []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unread.append(context))
    async with mosquitto(tmp_path, port) as process, connect(Broker("127.0.0.1", port, "x")) as session:
        process.kill()
        with anyio.fail_after(10):
            while session.open:  # noqa: ASYNC110 (the condition lies in another process)
                await anyio.sleep(0.01)
    del session
    gc.collect()
    assert unread == []


async def _mute(stream: anyio.abc.SocketStream) -> None:
    async with stream:
        await anyio.sleep_forever()


def test_an_acknowledgement_survives_the_way() -> None:
    ack = Ack(5, "lo", 9, ((12, 14),), ((3, "too_big"),), 10)
    assert unpack_ack(pack_ack(ack)) == ack


async def test_a_socket_that_is_closed_before_its_writer_is_added_harms_nobody() -> None:
    """The number may be another's by then; anyio's runner fails this test for an error in a callback."""
    client = mqtt._client(Broker("127.0.0.1", 1, "x"), ProtocolVersion.V5, None)
    mqtt._write_to_an_open_socket(client)
    ours, theirs = socket.socketpair()
    number = ours.fileno()
    client._client.on_socket_register_write(client._client, None, ours)
    ours.close()
    await anyio.lowlevel.checkpoint()
    with pytest.raises(KeyError):
        client._loop._selector.get_key(number)
    ours, theirs = socket.socketpair()
    client._client.on_socket_register_write(client._client, None, ours)
    await anyio.lowlevel.checkpoint()
    assert client._loop._selector.get_key(ours.fileno())
    client._loop.remove_writer(ours.fileno())
    ours.close()
    theirs.close()
