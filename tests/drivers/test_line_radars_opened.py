"""Line radars as they are opened: for writing only where the site asks, and one of them over real TCP."""

from __future__ import annotations

import os
import tty
from collections.abc import Iterator
from typing import Any

import anyio
import anyio.abc
import pytest
from test_ss125 import VALID, Sensor

from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.plugins import Kind, plugins
from rsu_agent.ports.radar_line import LineRadar
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()


@pytest.fixture
def port() -> Iterator[str]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


OPENED: list[tuple[str, dict[str, Any], bool]] = [
    ("umrr0c", {}, False),
    ("rtms_g4", {}, False),
    ("ops243", {}, False),
    ("ops243", {"configure": True}, True),
    ("ops243", {"set_clock": True}, True),
    ("csr_speed", {"format": "ascii"}, False),
    ("csr_speed", {"format": "ascii", "mode": "trigger"}, False),
    ("csr_speed", {"format": "ascii", "mode": "answer"}, True),
    ("csr_speed", {"format": "ascii", "low_limit_kmh": 20}, True),
    ("ss125", {"sensor": 245}, True),
]


@pytest.mark.parametrize(("name", "keys", "writes"), OPENED)
async def test_a_port_is_opened_for_writing_only_where_the_site_asks_for_it(
    port: str, name: str, keys: dict[str, Any], writes: bool
) -> None:
    plugin = plugins()[name]
    assert plugin.kind is Kind.RADAR
    async with plugin.open(plugin.settings.model_validate({"port": port, **keys}), CLOCK) as radar:
        assert isinstance(radar, LineRadar)
        if writes:
            await radar._line.write(b"?")
            return
        with pytest.raises(PermissionError):
            await radar._line.write(b"?")


async def until_lost(radar: LineRadar, frames: list[RadarFrame]) -> None:
    async for frame in radar:
        frames.append(frame)


async def test_a_polled_sensor_answers_over_tcp_until_it_hangs_up() -> None:
    sensor = Sensor(VALID[:-1])
    plugin = plugins()["ss125"]

    async def serve(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            while len(sensor.asked) < 8:
                await stream.send(sensor.hears(await stream.receive()))

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        where = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, serve)
            settings = plugin.settings.model_validate(
                {"port": f"tcp://127.0.0.1:{where}", "sensor": 245, "poll_hz": 20}
            )
            frames: list[RadarFrame] = []
            with anyio.fail_after(20):
                async with plugin.open(settings, CLOCK) as radar:
                    with pytest.raises(DeviceLost) as lost:
                        await until_lost(radar, frames)
            tasks.cancel_scope.cancel()
    assert lost.value.reason == "closed"
    assert [passing.zone for frame in frames for passing in frame.passings] == [1]
    assert len(frames) >= 6, "what holds no vehicle is a frame too"
