"""The line in memory behaves as a wire does: paced, exclusive, pulled and plugged again."""

from __future__ import annotations

import anyio
import pytest

from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.line import LineSettings, open_line
from rsu_agent.ports.memory_line import plug, unplug
from rsu_agent.ports.received import Received
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
NEAR = LineSettings("memory:test", 9600)


async def test_bytes_take_the_time_of_their_bits() -> None:
    clock = FakeClock(0.0)
    far = plug("test", clock, baud=9600)
    got: list[Received] = []

    async with open_line(NEAR, clock) as line, anyio.create_task_group() as tasks:

        async def listen() -> None:
            while sum(len(each.data) for each in got) < 96:
                got.append(await line.read())

        tasks.start_soon(listen)
        await far.write(bytes(96))
        await clock.advance(0.0999)
        assert sum(len(each.data) for each in got) == 64
        await clock.advance(0.0002)
    assert got[-1].arrived_s == pytest.approx(0.1)


async def test_without_a_baud_rate_bytes_take_no_time_and_pass_both_ways() -> None:
    clock = FakeClock(0.0)
    far = plug("test", clock)
    async with open_line(NEAR, clock) as line:
        await line.write(b"ask")
        assert (await far.read()).data == b"ask"
        await far.write(b"answer")
        assert (await line.read()).data == b"answer"


async def test_unplugging_ends_both_ends_and_leaves_the_port_missing_until_replugged() -> None:
    clock = FakeClock(0.0)
    far = plug("test", clock)
    async with open_line(NEAR, clock) as line:
        unplug("test")
        with pytest.raises(DeviceLost) as lost:
            await line.read()
        assert lost.value.reason == "closed"
    with pytest.raises(DeviceLost):
        await far.write(b"x")
    with pytest.raises(DeviceLost) as missing:
        async with open_line(NEAR, clock):
            pass
    assert missing.value.reason == "missing"
    plug("test", clock)
    async with open_line(NEAR, clock):
        pass


async def test_a_second_opener_finds_it_busy_and_old_bytes_are_thrown_away() -> None:
    clock = FakeClock(0.0)
    far = plug("test", clock)
    await far.write(b"stale")
    async with open_line(NEAR, clock) as line:
        with pytest.raises(DeviceLost) as lost:
            async with open_line(NEAR, clock):
                pass
        assert lost.value.reason == "busy"
        await far.write(b"fresh")
        assert (await line.read()).data == b"fresh"
