"""The five traps of aiomqtt, T1 to T5: each with the bare library at a real broker, then with our session."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import anyio
import pytest
from aiomqtt import ProtocolVersion

from rsu_agent.district.broker import free_port
from rsu_agent.ports.incoming import Incoming
from rsu_agent.ports.mqtt import IN_FLIGHT, Broker, Session, connect
from rsu_agent.ports.trouble import DeviceLost
from tests.runtime.brokers import HOST, mosquitto

pytestmark = pytest.mark.anyio
UP, ACK = "rsu/1/d/s/up/hi", "rsu/1/d/s/ack"
VERSIONS = [(5, ProtocolVersion.V5), (3, ProtocolVersion.V311)]
PLUGINS = sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))


async def soon(true: Any, seconds: float = 30.0) -> None:
    with anyio.fail_after(seconds):
        while not true():  # noqa: ASYNC110 (the condition lies in another process)
            await anyio.sleep(0.02)


def bare(port: int, version: ProtocolVersion = ProtocolVersion.V5, **options: Any) -> aiomqtt.Client:
    """The library as it comes."""
    return aiomqtt.Client(HOST, port, protocol=version, **options)


@asynccontextmanager
async def heard(port: int) -> AsyncIterator[list[bytes]]:
    """What comes on the high lane."""
    got: list[bytes] = []

    async def hear(session: Session) -> None:
        async for _, payload in session.messages():
            got.append(payload)

    async with connect(Broker(HOST, port, "ear")) as session, anyio.create_task_group() as tasks:
        await session.subscribe(UP, 1)
        tasks.start_soon(hear, session)
        yield got
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(("version", "protocol"), VERSIONS)
async def test_t1_publish_hides_the_brokers_refusal_and_our_session_reads_it(
    tmp_path: Path, version: int, protocol: ProtocolVersion
) -> None:
    port = free_port()
    (tmp_path / "acl").write_text("topic read #\n")
    async with mosquitto(tmp_path, port, f"allow_anonymous true\nacl_file {tmp_path}/acl\n"):
        async with heard(port) as got:
            async with bare(port, protocol) as client:
                await client.publish(UP, b"lost", qos=1)  # returns as if it had been taken
            async with connect(Broker(HOST, port, "edge", version=version)) as session:
                session.send(UP, b"lost too")
                await soon(lambda: session.behind == 0)
                # 3.1.1 has no word for it: there the receiver's silence is what tells (`unheard`).
                assert session.refused == {5: "Not authorized", 3: None}[version]
        assert got == []


async def test_t2_a_client_used_again_takes_silence_for_a_connection_and_we_never_use_one_again(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with mosquitto(tmp_path, port) as process:
        client = bare(port, timeout=0.5)
        async with client:
            process.kill()
            await soon(client._disconnected.done)
            assert client._disconnected.exception() is not None
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(
            await anyio.create_tcp_listener(local_host=HOST, local_port=port)
        )
        tasks = await stack.enter_async_context(anyio.create_task_group())
        tasks.start_soon(listener.serve, _mute)
        async with client:
            await client.publish(UP, b"into the void", qos=0)  # no CONNACK has ever come
            client._disconnected.set_result(None)
        for _ in range(2):
            with pytest.raises(DeviceLost, match="refused"):
                async with connect(Broker(HOST, port, "edge", connect_s=0.3)):
                    pass
        tasks.cancel_scope.cancel()


async def _mute(stream: anyio.abc.SocketStream) -> None:
    async with stream:
        await anyio.sleep_forever()


async def test_t3_a_full_queue_loses_what_the_broker_was_told_we_have(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with mosquitto(tmp_path, port), bare(port, max_queued_incoming_messages=3) as client:
        await client.subscribe(UP, 1)
        await published(port, 10)
        await soon(lambda: caplog.text.count("Message queue is full. Discarding message.") == 7)
        assert len(client.messages) == 3
        log = tmp_path / "mosquitto.log"
        # the broker keeps none of them
        await soon(lambda: log.read_text().count("Received PUBACK from") >= 10)


@pytest.mark.parametrize("version", [5, 3])
async def test_t3_what_waits_for_us_is_many_times_a_window_and_beyond_its_bound_the_newest_go_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, version: int
) -> None:
    port, many = free_port(), 3000
    roomy = Broker(HOST, port, "roomy", version=version)
    tight = Broker(HOST, port, "tight", version=version, most_waiting_bytes=100_000)
    roomy_broker = mosquitto(tmp_path, port, "allow_anonymous true\nmax_queued_messages 100000\n")
    async with roomy_broker, connect(roomy) as one, connect(tight) as other:
        for session in (one, other):
            await session.subscribe(UP, 1)
        await published(port, many)
        waiting: Incoming = one._client._queue  # type: ignore[assignment]
        await soon(lambda: waiting.qsize() == many)
        few: Incoming = other._client._queue  # type: ignore[assignment]
        await soon(lambda: few.qsize() + tight.counts["discarded"] == many)
        for session, expected in ((one, many), (other, few.qsize())):
            assert [int(payload) for payload in await taken(session, expected)] == list(range(expected))
        assert (waiting.held_bytes, few.held_bytes) == (0, 0)
        await published(port, 1)
        assert await taken(other, 1) == [b"0"], "there is room again"
    assert 0 < tight.counts["discarded"] < many
    assert not roomy.counts["discarded"]
    assert caplog.text.count("messages come faster than they are taken") == 1, (
        "said once, not thousands of times"
    )


@pytest.mark.parametrize("ours", [True, False])
async def test_t4_a_publish_that_timed_out_still_goes_out_and_many_in_flight_flood_no_log_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, ours: bool
) -> None:
    port, timed_out, many = free_port(), list[int](), 2 * IN_FLIGHT  # what may not fly yet waits within paho

    async def publish(client: aiomqtt.Client, n: int) -> None:
        try:
            await client.publish(UP, str(n).encode(), qos=1, timeout=0.5)
        except aiomqtt.MqttError as error:
            if str(error) == "Operation timed out":
                timed_out.append(n)

    async with mosquitto(tmp_path, port) as process, heard(port) as got, AsyncExitStack() as stack:
        if ours:
            client = (await stack.enter_async_context(connect(Broker(HOST, port, "edge"))))._client
        else:
            client = await stack.enter_async_context(bare(port))
        os.kill(process.pid, signal.SIGSTOP)
        async with anyio.create_task_group() as tasks:
            for n in range(many):
                tasks.start_soon(publish, client, n)
        os.kill(process.pid, signal.SIGCONT)
        assert sorted(timed_out) == list(range(many))
        await soon(lambda: sorted(map(int, got)) == list(range(many)))
    assert ("pending publish calls" in caplog.text) != ours


@pytest.mark.parametrize(("version", "protocol"), VERSIONS)
async def test_t5_subscribe_returns_the_brokers_refusal_and_our_session_raises_it(
    tmp_path: Path, version: int, protocol: ProtocolVersion
) -> None:
    port = free_port()
    async with mosquitto(tmp_path, port, denying(tmp_path, ACK)):
        async with bare(port, protocol) as client:
            (code,) = await client.subscribe(ACK, 0)
            assert code.is_failure if version == 5 else int(getattr(code, "value", code)) == 0x80
        async with connect(Broker(HOST, port, "edge", version=version)) as session:
            await session.subscribe("rsu/1/d/s/dn/cmd", 1)
            with pytest.raises(DeviceLost, match="refused") as caught:
                await session.subscribe(ACK, 0)
            assert caught.value.hint == "the broker's access list forbids this topic"


def denying(folder: Path, topic: str) -> str:
    """Lines for a broker that refuses to let anybody subscribe to this topic: an acl_file cannot."""
    if not PLUGINS:
        pytest.skip("mosquitto has no mosquitto_dynamic_security.so here: apt install mosquitto")
    refusal = {"acltype": "subscribeLiteral", "topic": topic, "priority": 0, "allow": False}
    access = ("publishClientSend", "publishClientReceive", "subscribe", "unsubscribe")
    told = {
        "defaultACLAccess": dict.fromkeys(access, True),
        "anonymousGroup": "anybody",
        "groups": [{"groupname": "anybody", "roles": [{"rolename": "limited"}]}],
        "roles": [{"rolename": "limited", "acls": [refusal]}],
        "clients": [],
    }
    (folder / "access.json").write_text(json.dumps(told))
    return f"allow_anonymous true\nplugin {PLUGINS[0]}\nplugin_opt_config_file {folder}/access.json\n"


async def published(port: int, count: int) -> None:
    async with connect(Broker(HOST, port, "pole")) as session:
        for n in range(count):
            session.send(UP, str(n).encode())
        await soon(lambda: session.behind == 0)


async def taken(session: Session, count: int) -> list[bytes]:
    messages = session.messages()
    with anyio.fail_after(30):
        return [(await anext(messages))[1] for _ in range(count)]
