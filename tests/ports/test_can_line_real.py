"""CAN lines by the real python-can: an slcan adapter on a pseudo-terminal, a socketcand server over TCP."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import can
import pytest
from can_peers import SlcanAdapter, SocketcandServer

from rsu_agent.ports import can_bus, can_line
from rsu_agent.ports.can_bus import CanSettings
from rsu_agent.ports.can_line import BusLine, CanFrame, CanLine, open_can
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()
FILTERS = ((0x201, 0x78F), (0x60A, 0x78F), (0x60B, 0x78F))


@pytest.fixture(autouse=True)
def quick_closing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(can_line, "RECV_S", 0.05)


def slcan(path: str) -> CanSettings:
    return CanSettings("slcan", path, settle_s=0.0, filters=FILTERS)


def socketcand(server: SocketcandServer, bus: str = "can0") -> CanSettings:
    return CanSettings("socketcand", bus, host="127.0.0.1", port=server.port, settle_s=0.0, filters=FILTERS)


async def frames(line: CanLine, count: int) -> list[CanFrame]:
    found: list[CanFrame] = []
    with anyio.fail_after(20):
        while len(found) < count:
            found += await line.read()
    return found


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():  # noqa: ASYNC110 (the condition lies in another thread)
            await anyio.sleep(0.001)


async def drained(line: CanLine) -> None:
    while True:
        await line.read()


async def lost(line: CanLine) -> DeviceLost:
    with pytest.raises(DeviceLost) as raised, anyio.fail_after(20):
        await drained(line)
    return raised.value


async def test_an_slcan_adapter_is_set_to_500_kbit_and_opened_and_carries_frames_both_ways() -> None:
    async with SlcanAdapter() as adapter:
        async with open_can(slcan(adapter.path), CLOCK) as line:
            await adapter.open.wait()
            before_s = CLOCK.now_s()
            adapter.put(0x60A, bytes.fromhex("0203E810"))
            adapter.put(0x67B, bytes.fromhex("0754C3ED77A02294"))
            first, second = await frames(line, 2)
            assert (first.id, first.data) == (0x60A, bytes.fromhex("0203E810"))
            assert (second.id, second.data) == (0x67B, bytes.fromhex("0754C3ED77A02294"))
            assert before_s <= first.arrived_s <= second.arrived_s <= CLOCK.now_s()
            await line.write(0x200, bytes.fromhex("79190000081C0000"))
            await line.write(0x301, b"\x80\x00")
            await until(lambda: len(adapter.sent) == 2)
            assert adapter.sent == [(0x200, bytes.fromhex("79190000081C0000")), (0x301, b"\x80\x00")]
        await until(lambda: adapter.commands[-1] == "C")
        assert [command for command in adapter.commands if command] == ["C", "S6", "O", "O", "C"]


async def test_frames_of_others_are_filtered_out() -> None:
    async with SlcanAdapter() as adapter, open_can(slcan(adapter.path), CLOCK) as line:
        await adapter.open.wait()
        for frame_id in (0x68B, 0x123, 0x60C, 0x60B):
            adapter.put(frame_id, b"\x01")
        (only,) = await frames(line, 1)
        assert only.id == 0x60B


@pytest.mark.parametrize(
    "noise",
    [
        b"tZZZ8\r",
        b"t60B80754\r",
        b"t\r",
        b"\x07",
        b"\r\r",
        b"FD77A02294\r",
        b"\xff\xfe\xff\r",
        b"T1234\r",
        b"z\r",
    ],
)
async def test_noise_on_an_slcan_line_costs_no_later_frame(noise: bytes) -> None:
    async with SlcanAdapter() as adapter, open_can(slcan(adapter.path), CLOCK) as line:
        await adapter.open.wait()
        adapter.put(0x60B, b"before")
        await frames(line, 1)
        adapter.write(noise)
        await until(lambda: sum(line.counters.values()) > 0 or noise in QUIET)
        adapter.put(0x60B, b"after")
        while (found := await frames(line, 1))[-1].data != b"after":
            assert found[-1].id == 0x60B


QUIET = (b"\x07", b"\r\r", b"z\r", b"t60B80754\r", b"FD77A02294\r")  # python-can passes over these itself


async def test_pulling_the_slcan_adapters_plug_ends_the_line() -> None:
    async with SlcanAdapter() as adapter, open_can(slcan(adapter.path), CLOCK) as line:
        await adapter.open.wait()
        adapter.hang_up()
        trouble = await lost(line)
        assert (trouble.reason, bool(trouble.hint)) == ("closed", True)


async def test_an_slcan_port_opens_again_after_it_was_closed_and_a_second_opener_disturbs_nobody() -> None:
    async with SlcanAdapter() as adapter:
        for _ in range(2):
            async with open_can(slcan(adapter.path), CLOCK) as line:
                await until(lambda: adapter.commands.count("O") == 2)
                adapter.commands.clear()
                with pytest.raises(DeviceLost, match="busy"):
                    async with open_can(slcan(adapter.path), CLOCK):
                        pass
                adapter.put(0x60B, b"again")
                assert [frame.data for frame in await frames(line, 1)] == [b"again"]
                assert adapter.commands == []


async def test_an_slcan_port_that_is_not_there_is_missing() -> None:
    with pytest.raises(DeviceLost) as raised:
        async with open_can(slcan("/dev/serial/by-id/none"), CLOCK):
            pass
    assert (raised.value.reason, "ls -l" in raised.value.hint) == ("missing", True)


async def test_a_bitrate_that_slcan_does_not_know_is_refused() -> None:
    async with SlcanAdapter() as adapter:
        with pytest.raises(DeviceLost, match="refused"):
            async with open_can(CanSettings("slcan", adapter.path, bitrate=400_000, settle_s=0.0), CLOCK):
                pass


async def test_an_slcan_port_is_waited_for_in_the_kernel_and_not_asked_a_thousand_times_a_second() -> None:
    async with SlcanAdapter() as adapter, open_can(slcan(adapter.path), CLOCK) as line:
        assert isinstance(line, BusLine)
        assert line._bus.serialPortOrig.timeout == can_bus.TTY_WAIT_S >= 0.1  # type: ignore[attr-defined]


async def test_a_socketcand_server_carries_frames_both_ways() -> None:
    async with SocketcandServer().serving() as server, open_can(socketcand(server), CLOCK) as line:
        await server.put(0x60A, bytes.fromhex("0203E810"))
        await server.put(0x67B, bytes.fromhex("0754C3ED77A02294"))
        first, second = await frames(line, 2)
        assert (first.id, first.data) == (0x60A, bytes.fromhex("0203E810"))
        assert (second.id, second.data) == (0x67B, bytes.fromhex("0754C3ED77A02294"))
        await line.write(0x200, bytes.fromhex("F8000000089C0000"))
        await until(lambda: bool(server.sent))
        assert server.sent == [(0x200, bytes.fromhex("F8000000089C0000"))]


async def test_frames_split_and_merged_by_tcp_all_arrive() -> None:
    async with SocketcandServer().serving() as server, open_can(socketcand(server), CLOCK) as line:
        stream = b"".join(b"< frame 60B 1.000000 %016X >" % n for n in range(200))
        for start in range(0, len(stream), 37):
            await server.write(stream[start : start + 37])
        found = await frames(line, 200)
        assert [int.from_bytes(frame.data, "big") for frame in found] == list(range(200))


async def test_a_server_that_speaks_nonsense_ends_the_line_with_one_line_of_detail() -> None:
    async with SocketcandServer().serving() as server, open_can(socketcand(server), CLOCK) as line:
        await server.put(0x60B, b"before")
        await frames(line, 1)
        await server.write(b"< frame sixty B >")
        trouble = await lost(line)
        assert trouble.reason == "closed"
        assert "\n" not in trouble.detail


async def test_two_radars_share_a_bus_of_one_server() -> None:
    async with SocketcandServer().serving() as server:
        settings = socketcand(server)
        async with open_can(settings, CLOCK) as first, open_can(settings, CLOCK) as second:
            for stream in server.streams:
                await stream.send(b"< frame 60B 1.000000 01 >")
            assert [frame.data for frame in await frames(first, 1) + await frames(second, 1)] == [b"\x01"] * 2


async def test_a_socketcand_server_that_ends_the_connection_ends_the_line() -> None:
    async with SocketcandServer().serving() as server, open_can(socketcand(server), CLOCK) as line:
        await server.end()
        assert (await lost(line)).reason == "closed"


async def test_a_socketcand_server_that_is_not_there_is_refused_before_python_can_tries_for_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with SocketcandServer().serving() as server:
        settings = socketcand(server)
    monkeypatch.setattr(can, "Bus", None)
    with pytest.raises(DeviceLost) as raised, anyio.fail_after(20):
        async with open_can(settings, CLOCK):
            pass
    assert (raised.value.reason, "socketcand running" in raised.value.hint) == ("refused", True)


async def test_a_bus_that_the_server_does_not_offer_is_refused() -> None:
    async with SocketcandServer().serving() as server:
        with pytest.raises(DeviceLost, match="refused"), anyio.fail_after(20):
            async with open_can(socketcand(server, "can9"), CLOCK):
                pass


@pytest.mark.parametrize("silent_at", ["open", "rawmode"])
async def test_a_server_that_falls_silent_in_the_greeting_is_a_timeout_and_holds_one_thread_only(
    silent_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(can_bus, "OPEN_S", 0.3)
    async with SocketcandServer(silent_at=silent_at).serving() as server:
        for reason in ("timeout", "busy"):
            with pytest.raises(DeviceLost, match=reason):
                async with open_can(socketcand(server), CLOCK):
                    pass
    await until(lambda: not can_bus._hanging)
