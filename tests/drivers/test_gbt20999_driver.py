"""The GB/T 20999 driver on real pseudo-terminals and on a line in memory, against the scripted peer."""

from __future__ import annotations

import os
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import pytest
from gbt20999_peer import Peer

from drivers.gbt20999.driver import PLUGIN, open_controller
from drivers.gbt20999.memory import Shelf
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Kind
from rsu_agent.ports.clock import Clock, SystemClock
from rsu_agent.ports.dialogue import Dialogue
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.memory_line import MemoryEnd, plug, unplug
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Programme, SignalReport

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    os.close(slave)
    os.set_blocking(master, False)
    yield master, name
    try:
        os.close(master)
    except OSError:
        return  # the test pulled the plug itself


@asynccontextmanager
async def answering(master: int, peer: Peer) -> AsyncIterator[None]:
    """The peer answers on the pseudo-terminal's other end, in pieces of seven bytes."""

    async def answer() -> None:
        while True:
            await anyio.wait_readable(master)
            try:
                reply = peer.hears(os.read(master, 4096), CLOCK.now_s())
            except OSError:  # nobody holds the other end yet
                await anyio.sleep(0.01)
                continue
            for start in range(0, len(reply), 7):
                os.write(master, reply[start : start + 7])
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer)
        yield
        tasks.cancel_scope.cancel()


def chosen(port: str, **more: object) -> Settings:
    return Settings.model_validate({"port": port, "listen_first_s": 0.0, **more})


async def until_programme(reports: Dialogue) -> tuple[Programme, list[SignalReport]]:
    seen: list[SignalReport] = []
    with anyio.fail_after(20):
        async for item in reports:
            if isinstance(item, Programme):
                return item, seen
            seen.append(item)
    raise AssertionError("ended without a programme")


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["gbt20999"] is PLUGIN


async def test_reports_and_programme_come_over_a_pseudo_terminal_and_only_queries_go_out(
    pty: tuple[int, str],
) -> None:
    master, port = pty
    peer = Peer()
    async with answering(master, peer), open_controller(chosen(port), CLOCK, Shelf()) as reports:
        programme, seen = await until_programme(reports)
    assert programme.groups == (1, 2, 3, 4)
    assert any(report.complete for report in seen)
    assert all(report.first_byte_s <= report.last_byte_s for report in seen)
    assert set(peer.kinds) == {Kind.QUERY}
    assert reports.counters["garbled"] == 0


async def drain(reports: Dialogue) -> None:
    while True:
        await anext(reports)


async def test_unplugging_ends_in_closed_and_replugging_starts_with_what_is_known(
    pty: tuple[int, str],
) -> None:
    master, port = pty
    shelf = Shelf()
    async with open_controller(chosen(port), CLOCK, shelf) as reports:
        async with answering(master, Peer()):
            first, _ = await until_programme(reports)
        os.close(master)
        with pytest.raises(DeviceLost) as lost, anyio.fail_after(5):
            await drain(reports)
        assert lost.value.reason == "closed"
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    async with answering(master, Peer()), open_controller(chosen(os.ttyname(slave)), CLOCK, shelf) as reports:
        again, seen = await until_programme(reports)
    os.close(slave)
    os.close(master)
    assert again == first
    assert len(seen) <= 3


async def test_a_second_agent_on_the_same_port_is_told_it_is_busy(pty: tuple[int, str]) -> None:
    _, port = pty
    async with open_controller(chosen(port), CLOCK):
        with pytest.raises(DeviceLost) as lost:
            async with open_controller(chosen(port), CLOCK):
                pass
    assert lost.value.reason == "busy"


async def test_a_peer_that_says_nothing_is_silent(pty: tuple[int, str]) -> None:
    _, port = pty
    async with open_controller(chosen(port, silent_after_s=0.5), CLOCK) as reports:
        with pytest.raises(DeviceLost) as lost:
            await anext(reports)
    assert lost.value.reason == "silent"


async def run_far_end(far: MemoryEnd, peer: Peer, clock: Clock) -> None:
    try:
        while True:
            received = await far.read()
            await far.write(peer.hears(received.data, clock.now_s()))
    except DeviceLost:
        return


async def test_a_line_in_memory_serves_as_well_as_a_port() -> None:
    far = plug("controller", CLOCK, baud=115200)
    settings = chosen("memory:controller")
    async with open_controller(settings, CLOCK, Shelf()) as reports, anyio.create_task_group() as tasks:
        tasks.start_soon(run_far_end, far, Peer(), CLOCK)
        programme, seen = await until_programme(reports)
        assert programme.groups == (1, 2, 3, 4)
        assert any(report.complete for report in seen)
        unplug("controller")
        with pytest.raises(DeviceLost) as lost:
            await drain(reports)
        assert lost.value.reason == "closed"


async def test_on_a_line_in_memory_a_report_is_stamped_when_its_first_byte_left() -> None:
    clock = FakeClock(0.0)
    far = plug("stamped", clock, baud=9600)
    left: list[float] = []
    got: list[SignalReport] = []

    class Noting(Peer):
        def hears(self, data: bytes, now_s: float = 0.0) -> bytes:
            if answer := super().hears(data, now_s):
                left.append(now_s)
            return answer

    async with open_controller(chosen("memory:stamped", baud=9600), clock, Shelf()) as reports:

        async def collect() -> None:
            async for item in reports:
                if isinstance(item, SignalReport):
                    got.append(item)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run_far_end, far, Noting(), clock)
            tasks.start_soon(collect)
            await clock.advance(1.0)
            tasks.cancel_scope.cancel()
    assert got
    assert all(min(abs(report.first_byte_s - at) for at in left) < 0.003 for report in got)
    unplug("stamped")
