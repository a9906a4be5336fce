"""The ARS40x driver from bus to frame: on a fake clock, over an slcan adapter, over a socketcand server."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import anyio
import pytest
from ars40x_peer import cycle, decode, state

from drivers.ars40x.driver import PLUGIN, Radar
from drivers.ars40x.session import Session
from drivers.ars40x.settings import Settings
from rsu_agent.ports.can_line import CanFrame
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import Kind, plugins
from rsu_agent.ports.trouble import DeviceLost
from tests.ports.can_peers import SlcanAdapter, SocketcandServer

pytestmark = pytest.mark.anyio


class MemoryBus:
    """A CAN line on a fake clock: frames come at the instants they carry."""

    def __init__(self, clock: FakeClock, frames: Iterable[CanFrame]) -> None:
        self._clock, self._frames = clock, sorted(frames, key=lambda one: one.arrived_s)
        self.counters: Counter[str] = Counter()
        self.written: list[tuple[float, int, bytes]] = []

    async def read(self) -> tuple[CanFrame, ...]:
        """Those whose instant has come."""
        if not self._frames:
            await anyio.sleep_forever()
        await self._clock.sleep_until(self._frames[0].arrived_s)
        ready = [one for one in self._frames if one.arrived_s <= self._clock.now_s()]
        del self._frames[: len(ready)]
        return tuple(ready)

    async def write(self, frame_id: int, data: bytes) -> None:
        """Note it."""
        self.written.append((self._clock.now_s(), frame_id, data))


def traffic(seconds: float, sensor: int = 0) -> tuple[list[CanFrame], list[int]]:
    """A radar from 1000 s on as facts 2.3 measured it: 70 and 75 ms in turn, counts by 2, a state a second.

    And the number of its objects in each cycle.
    """
    frames, sizes, at_s, number = [], [], 1000.0, 0
    while at_s < 1000.0 + seconds:
        size = number // 2 % 7
        frames += cycle(number, [{"ID": n, "DistLong": 20.0 + 10 * n} for n in range(size)], at_s, sensor)
        sizes.append(size)
        at_s, number = at_s + (0.070 if number % 4 else 0.075), number + 2
    return [*frames, *(state(1000.2 + s, sensor) for s in range(int(seconds)))], sizes


async def watched(
    clock: FakeClock, frames: Iterable[CanFrame], seconds: float, **keys: Any
) -> tuple[list[RadarFrame], MemoryBus, Radar, DeviceLost | None]:
    bus, settings = MemoryBus(clock, frames), Settings(**keys)
    radar = Radar(bus, Session(settings, clock.now_s(), bus.counters), clock)
    found: list[RadarFrame] = []
    trouble: list[DeviceLost] = []

    async def watch() -> None:
        try:
            async for frame in radar:
                found.append(frame)
        except DeviceLost as lost:
            trouble.append(lost)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        await clock.advance(seconds)
        tasks.cancel_scope.cancel()
    return found, bus, radar, trouble[0] if trouble else None


async def test_every_cycle_comes_complete_and_none_is_called_lost_where_the_count_goes_by_two() -> None:
    frames, sizes = traffic(20.0)
    found, bus, _, trouble = await watched(FakeClock(), frames, 20.0, sensor_id=0)
    assert trouble is None
    assert [len(frame.targets) for frame in found] == sizes
    assert [frame.number for frame in found] == [2 * n for n in range(len(sizes))]
    assert sum(frame.missed for frame in found) == 0
    assert (bus.counters["incomplete"], bus.counters["late"], bus.counters["bad_length"]) == (0, 0, 0)


async def test_the_instant_of_a_cycle_is_its_status_less_the_latency() -> None:
    frames, _ = traffic(3.0)
    begun = [one.arrived_s for one in frames if one.id == 0x60A]
    found, *_ = await watched(FakeClock(), frames, 3.0, sensor_id=0, latency_ms=60)
    assert [frame.measured_s for frame in found] == pytest.approx([at_s - 0.06 for at_s in begun])


async def test_lost_frames_cost_their_object_and_lost_cycles_are_counted() -> None:
    frames, sizes = traffic(20.0)
    statuses = [one for one in frames if one.id == 0x60A]
    gone = {id(one) for one in statuses[100:103]}
    gone |= {
        id(one)
        for one in frames
        if one.id != 0x60A and statuses[100].arrived_s <= one.arrived_s < statuses[103].arrived_s
    }
    gone |= {id(next(one for one in frames if one.id == 0x60B and one.arrived_s > statuses[150].arrived_s))}
    found, bus, *_ = await watched(
        FakeClock(), [one for one in frames if id(one) not in gone], 20.0, sensor_id=0
    )
    assert len(found) == len(sizes) - 3
    assert sum(frame.missed for frame in found) == 3
    assert bus.counters["incomplete"] == 1
    assert sum(sizes) - sum(sizes[100:103]) - 1 == sum(len(frame.targets) for frame in found)


async def test_a_radar_that_falls_silent_is_lost_on_time() -> None:
    frames, _ = traffic(5.0)
    _, _, _, trouble = await watched(FakeClock(), frames, 7.8, sensor_id=0, silence_s=3)
    assert trouble is None
    _, _, _, trouble = await watched(FakeClock(), frames, 8.3, sensor_id=0, silence_s=3)
    assert trouble is not None
    assert trouble.reason == "silent"


async def test_motion_is_told_25_times_a_second_whether_or_not_something_is_heard() -> None:
    frames, _ = traffic(1.0)
    _, bus, *_ = await watched(FakeClock(), frames, 3.0, sensor_id=0, still=True)
    speeds = [at_s for at_s, frame_id, _ in bus.written if frame_id == 0x300]
    assert len(speeds) == pytest.approx(75, abs=2)
    assert max(b - a for a, b in pairwise(speeds)) < 0.05


async def test_a_wish_is_sent_in_answer_to_the_state() -> None:
    frames, _ = traffic(1.5)
    _, bus, radar, _ = await watched(
        FakeClock(), frames, 1.5, sensor_id=0, wanted={"output": "objects", "quality": True}
    )
    ((at_s, frame_id, data),) = bus.written
    assert (at_s, frame_id) == (pytest.approx(1000.2, abs=0.01), 0x200)
    assert decode(0x200, data)["SendQuality"] == decode(0x200, data)["Quality_valid"] == 1
    assert radar.session.state is not None


async def heard(settings: Settings, put: Callable[[CanFrame], Any], ready: anyio.Event) -> list[RadarFrame]:
    """Three cycles through the plug-in's own opener."""
    found: list[RadarFrame] = []
    with anyio.fail_after(30):
        async with PLUGIN.open(settings, SystemClock()) as radar:
            await ready.wait()
            for number in (2, 4, 6):
                for one in cycle(number, [{"ID": 7}, {"ID": 9, "DistLong": 80.0}], sensor=2):
                    if (sent := put(one)) is not None:
                        await sent
                async for frame in radar:
                    found.append(frame)
                    break
    return found


def check(found: list[RadarFrame]) -> None:
    assert [frame.number for frame in found] == [2, 4, 6]
    for frame in found:
        assert [target.target for target in frame.targets] == [7, 9]
        assert frame.targets[1].x_forward_m == pytest.approx(80.0)
        assert frame.targets[0].length_m == pytest.approx(4.6)


async def test_a_radar_behind_an_slcan_adapter() -> None:
    async with SlcanAdapter() as adapter:
        settings = Settings(interface="slcan", channel=adapter.path, settle_s=0, sensor_id=2)
        check(await heard(settings, lambda one: adapter.put(one.id, one.data), adapter.open))


async def test_a_radar_behind_a_socketcand_server() -> None:
    async with SocketcandServer().serving() as server:
        settings = Settings(interface="socketcand", port=server.port, sensor_id=2)
        check(await heard(settings, lambda one: server.put(one.id, one.data), server.raw))


def test_the_driver_is_registered_as_a_radar() -> None:
    assert plugins()["ars40x"] is PLUGIN
    assert PLUGIN.kind is Kind.RADAR


def test_python_can_is_loaded_by_nobody_who_opens_no_bus() -> None:
    look = "import sys, drivers.ars40x.driver, drivers.ars40x.session; print('can' in sys.modules)"
    said = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True
    )
    assert said.stdout == "False\n"
