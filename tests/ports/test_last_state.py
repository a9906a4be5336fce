"""Who leaves a broker in order: the retained state must not go on saying that he is there."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from rsu_agent.district.broker import free_port
from rsu_agent.ports.mqtt import IN_FLIGHT, Broker, connect
from tests.runtime.brokers import HOST, mosquitto

pytestmark = pytest.mark.anyio
STATE, WILL = "rsu/1/d/s/state", b'{"on":0}'


async def retained(port: int) -> bytes:
    async with connect(Broker(HOST, port, "reader")) as session:
        await session.subscribe(STATE, 1)
        with anyio.fail_after(10):
            async for _, payload in session.messages():
                return payload
    raise AssertionError("the connection ended")


@pytest.mark.parametrize("unanswered", [0, 3 * IN_FLIGHT])
@pytest.mark.parametrize("version", [5, 3])
async def test_the_will_is_said_before_leaving(tmp_path: Path, version: int, unanswered: int) -> None:
    port = free_port()
    async with mosquitto(tmp_path, port):
        async with connect(Broker(HOST, port, "rsu-s", version=version), (STATE, WILL)) as session:
            await session.publish(STATE, b'{"on":1}', qos=1, retain=True)
            assert await retained(port) == b'{"on":1}'
            for _ in range(unanswered):
                session.send("rsu/1/d/s/up/lo", b"x")
        assert await retained(port) == WILL


async def test_it_is_said_by_one_who_is_cancelled_too(tmp_path: Path) -> None:
    port = free_port()
    async with mosquitto(tmp_path, port):
        with anyio.CancelScope() as scope:
            async with connect(Broker(HOST, port, "rsu-s"), (STATE, WILL)) as session:
                await session.publish(STATE, b'{"on":1}', qos=1, retain=True)
                scope.cancel()
                await anyio.sleep_forever()
        assert await retained(port) == WILL
