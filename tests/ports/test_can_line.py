"""The contract of a CAN line against a fake bus: queue, counts, errors and their reasons, opening, closing.

socketcan cannot be opened where tests run; here is what we ask of it and what we do with what it may say.
"""

from __future__ import annotations

import builtins
import errno
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import can
import pytest
from can_peers import FakeBus, message

from rsu_agent.ports import can_bus, can_line
from rsu_agent.ports.can_bus import CanSettings
from rsu_agent.ports.can_declared import CanDeclared
from rsu_agent.ports.can_faults import lost_on_opening
from rsu_agent.ports.can_line import QUEUE, BusLine, CanFrame, CanLine, open_can
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()
SOCKETCAN = CanSettings("socketcan", "can0", filters=((0x201, 0x78F), (0x60A, 0x78F)))


@pytest.fixture
def buses(monkeypatch: pytest.MonkeyPatch) -> list[FakeBus]:
    """python-can gives fake buses; those made, in order."""
    made: list[FakeBus] = []

    def bus(**arguments: Any) -> FakeBus:
        made.append(FakeBus(**arguments))
        return made[-1]

    monkeypatch.setattr(can, "Bus", bus)
    monkeypatch.setattr(can_line, "RECV_S", 0.02)
    return made


@asynccontextmanager
async def opened(buses: list[FakeBus]) -> AsyncIterator[tuple[CanLine, FakeBus]]:
    async with open_can(SOCKETCAN, CLOCK) as line:
        yield line, buses[-1]


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 (the condition lies in another thread)
            await anyio.sleep(0.001)


async def drained(line: CanLine) -> None:
    while True:
        await line.read()


async def lost(line: CanLine) -> DeviceLost:
    with pytest.raises(DeviceLost) as raised, anyio.fail_after(10):
        await drained(line)
    return raised.value


async def test_socketcan_is_asked_for_its_interface_and_filters_only(buses: list[FakeBus]) -> None:
    async with opened(buses) as (_, bus):
        assert bus.arguments == {
            "interface": "socketcan",
            "channel": "can0",
            "ignore_config": True,  # no file of this machine may change what the site file says
            "can_filters": [
                {"can_id": 0x201, "can_mask": 0x78F, "extended": False},
                {"can_id": 0x60A, "can_mask": 0x78F, "extended": False},
            ],
        }
    assert bus.shut == 1


def test_the_settings_of_a_site_file_become_those_of_the_bus() -> None:
    declared = CanDeclared(interface="socketcand", channel="can1", host="192.0.2.7", port=30000, settle_s=0)
    made = declared.can(((0x201, 0x78F),))
    assert (made.where, made.filters) == ("socketcand can1@192.0.2.7:30000", ((0x201, 0x78F),))
    assert CanDeclared().can(()) == CanSettings("socketcan", "can0")


async def test_frames_come_in_order_with_the_instant_of_their_arrival(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        before_s = CLOCK.now_s()
        for number in range(100):
            bus.arriving.put(message(0x60B, bytes([number])))
        frames: list[CanFrame] = []
        with anyio.fail_after(10):
            while len(frames) < 100:
                frames += await line.read()
        assert [frame.data[0] for frame in frames] == list(range(100))
        stamps = [frame.arrived_s for frame in frames]
        assert stamps == sorted(stamps)
        assert before_s <= stamps[0]
        assert stamps[-1] <= CLOCK.now_s()


async def test_a_reader_that_waits_is_woken_for_each_frame(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        for number in range(20):
            async with anyio.create_task_group() as tasks:
                got: list[CanFrame] = []

                async def read(into: list[CanFrame]) -> None:
                    into.extend(await line.read())

                tasks.start_soon(read, got)
                await anyio.wait_all_tasks_blocked()
                bus.arriving.put(message(0x60B, bytes([number])))
            assert [frame.data[0] for frame in got] == [number]


async def test_a_cancelled_read_loses_no_frame(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        with anyio.move_on_after(0.01):
            await line.read()
        bus.arriving.put(message(0x60B, b"kept"))
        assert [frame.data for frame in await line.read()] == [b"kept"]


async def test_of_too_many_frames_the_newest_are_kept_and_the_others_counted(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        for number in range(QUEUE + 300):
            bus.arriving.put(message(0x60B, number.to_bytes(4, "big")))
        await until(lambda: line.counters["dropped_frames"] == 300)
        frames = await line.read()
        assert [int.from_bytes(frame.data, "big") for frame in frames] == list(range(300, QUEUE + 300))


async def test_frames_that_are_not_a_radars_are_counted_apart(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.arriving.put(message(0x60B, is_extended_id=True))
        bus.arriving.put(message(0x60B, is_remote_frame=True))
        bus.arriving.put(message(0x60B, bytes(12), is_fd=True))
        bus.arriving.put(message(0x60B, b"ours"))
        assert [frame.data for frame in await line.read()] == [b"ours"]
        assert line.counters["foreign_frames"] == 3


async def test_lines_that_are_no_frame_cost_a_count_and_not_the_next_frame(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.arriving.put(ValueError("invalid literal for int"))
        bus.arriving.put(IndexError("string index out of range"))
        undecoded = can.CanOperationError("Could not read from serial device")
        undecoded.__cause__ = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        bus.arriving.put(undecoded)
        bus.arriving.put(message(0x60B, b"next"))
        assert [frame.data for frame in await line.read()] == [b"next"]
        assert line.counters["garbled"] == 3
        assert bus.flushed == 1  # only what slcan would keep for ever


async def test_error_frames_are_counted_and_bus_off_ends_the_line(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.arriving.put(message(0x04, bytes(8), is_error_frame=True))  # CAN_ERR_CRTL
        bus.arriving.put(message(0x60B, b"last"))
        bus.arriving.put(message(0x44, bytes(8), is_error_frame=True))  # and CAN_ERR_BUSOFF
        assert [frame.data for frame in await line.read()] == [b"last"]
        trouble = await lost(line)
        assert trouble.reason == "bus_off"
        assert "restart-ms 100" in trouble.hint
        assert line.counters["bus_errors"] == 2


async def test_a_bus_whose_state_is_error_is_off(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.state = can.BusState.ERROR
        assert (await lost(line)).reason == "bus_off"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (can.CanOperationError("Error receiving: Network is down", errno.ENETDOWN), "down"),
        (OSError(errno.ENODEV, "No such device"), "missing"),
        (can.CanOperationError("Could not read from serial device"), "closed"),
        (OSError(errno.EIO, "Input/output error"), "closed"),
    ],
)
async def test_an_error_of_the_bus_ends_reading_and_writing_with_its_reason(
    buses: list[FakeBus], error: Exception, reason: str
) -> None:
    async with opened(buses) as (line, bus):
        bus.arriving.put(error)
        trouble = await lost(line)
        assert trouble.reason == reason
        assert trouble.hint
        with pytest.raises(DeviceLost, match=reason):
            await line.write(0x200, bytes(8))


async def test_a_fault_of_ours_in_the_thread_reaches_the_reader_as_it_is(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.arriving.put(ZeroDivisionError("ours"))
        with pytest.raises(ZeroDivisionError, match="ours"), anyio.fail_after(10):
            await line.read()


async def test_frames_that_came_before_the_end_are_still_read(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.arriving.put(message(0x60B, b"last"))
        bus.arriving.put(OSError(errno.EIO, "unplugged"))
        await until(lambda: bus.arriving.empty())
        assert [frame.data for frame in await line.read()] == [b"last"]
        assert (await lost(line)).reason == "closed"


async def test_a_frame_is_sent_with_an_11_bit_identifier(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        await line.write(0x300, b"\x00\x00")
        (sent,) = bus.sent
        assert (sent.arbitration_id, bytes(sent.data), sent.is_extended_id) == (0x300, b"\x00\x00", False)


@pytest.mark.parametrize(
    "error",
    [
        can.CanOperationError("Failed to transmit: No buffer space available", errno.ENOBUFS),
        can.CanOperationError("Transmit buffer full"),
    ],
)
async def test_a_frame_that_nobody_acknowledges_is_unsent_and_the_line_goes_on(
    buses: list[FakeBus], error: Exception
) -> None:
    async with opened(buses) as (line, bus):
        bus.refuse = error
        await line.write(0x300, b"\x00\x00")
        assert line.counters["unsent"] == 1
        bus.arriving.put(message(0x60B, b"on"))
        assert [frame.data for frame in await line.read()] == [b"on"]


async def test_a_write_that_fails_loses_the_line(buses: list[FakeBus]) -> None:
    async with opened(buses) as (line, bus):
        bus.refuse = can.CanOperationError("Failed to transmit", errno.ENETDOWN)
        with pytest.raises(DeviceLost, match="down"):
            await line.write(0x300, b"\x00\x00")


async def test_a_write_that_hangs_is_given_up(buses: list[FakeBus], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(can_line, "WRITE_S", 0.02)
    release = threading.Event()
    async with opened(buses) as (line, bus):
        bus.send = lambda *_, **__: release.wait(30)  # type: ignore[method-assign, assignment, misc]
        with pytest.raises(DeviceLost, match="timeout"):
            await line.write(0x300, b"\x00\x00")
        release.set()


async def test_closing_ends_the_thread_and_gives_the_bus_back_also_when_cancelled(
    buses: list[FakeBus],
) -> None:
    with anyio.move_on_after(0.05) as scope:
        async with opened(buses) as (line, bus):
            await line.read()
    assert scope.cancelled_caught
    assert bus.shut == 1
    assert isinstance(line, BusLine)
    assert not line._thread.is_alive()


async def test_a_bus_that_fails_to_shut_down_does_no_harm(buses: list[FakeBus]) -> None:
    def fails() -> None:
        raise can.CanOperationError("Could not write to serial device")

    async with opened(buses) as (_, bus):
        bus.shutdown = fails  # type: ignore[method-assign]


@pytest.mark.parametrize(
    ("interface", "error", "reason", "hint"),
    [
        ("socketcan", OSError(errno.EAFNOSUPPORT, "Address family not supported"), "refused", "modprobe"),
        ("socketcan", OSError(errno.ENODEV, "No such device"), "missing", "ip -br link"),
        ("socketcan", OSError(errno.ENETDOWN, "Network is down"), "down", "ip link set"),
        ("socketcan", OSError(errno.EPERM, "Operation not permitted"), "permission", "AF_CAN"),
        ("socketcan", can.CanInitializationError("strange"), "refused", "ip -details"),
        ("slcan", OSError(errno.ENOENT, "No such file"), "missing", "ls -l"),
        ("slcan", OSError(errno.EACCES, "Permission denied"), "permission", "dialout"),
        ("slcan", BlockingIOError(errno.EAGAIN, "busy"), "busy", "fuser"),
        ("slcan", ValueError("Invalid bitrate, choose one of"), "refused", "slcan adapter"),
        ("socketcand", can.CanError("< ok > message expected!"), "refused", "offer this bus"),
        ("socketcand", OSError(errno.ECONNREFUSED, "refused"), "refused", "socketcand running"),
    ],
)
def test_each_error_of_opening_has_its_reason_and_a_hint(
    interface: str, error: Exception, reason: str, hint: str
) -> None:
    trouble = lost_on_opening(interface, "there", error)
    assert trouble.reason == reason
    assert hint in trouble.hint


def test_an_error_that_python_can_wraps_is_known_by_what_the_system_said() -> None:
    error = can.CanInitializationError("could not open port")
    error.__cause__ = PermissionError(errno.EACCES, "Permission denied")
    assert lost_on_opening("slcan", "/dev/x", error).reason == "permission"


async def test_without_a_can_socket_in_the_kernel_opening_says_so() -> None:
    """The real python-can; where a machine has CAN, its interface of this name is missing."""
    with pytest.raises(DeviceLost) as raised:
        async with open_can(CanSettings("socketcan", "rsu-none0"), CLOCK):
            pass
    assert raised.value.reason in ("refused", "missing")
    assert raised.value.hint


async def test_without_python_can_opening_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_can(name: str, *rest: Any) -> Any:
        if name == "can":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_can)
    with pytest.raises(DeviceLost, match="missing: python-can is not installed") as raised:
        async with open_can(SOCKETCAN, CLOCK):
            pass
    assert raised.value.hint == "pip install 'rsu-agent[can]'"


async def test_an_opening_that_hangs_is_given_up_not_repeated_and_cleared_away_when_it_comes_after_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release, made = threading.Event(), FakeBus()

    def hangs(**_: Any) -> FakeBus:
        assert release.wait(30)
        return made

    monkeypatch.setattr(can, "Bus", hangs)
    monkeypatch.setattr(can_bus, "OPEN_S", 0.02)
    settings = CanSettings("socketcan", f"can-{os.getpid()}", settle_s=0.0)
    for reason in ("timeout", "busy", "busy"):
        with pytest.raises(DeviceLost, match=reason):
            async with open_can(settings, CLOCK):
                pass
    release.set()
    await until(lambda: made.shut == 1)
    made = FakeBus()
    async with open_can(settings, CLOCK):
        pass
    assert made.shut == 1
