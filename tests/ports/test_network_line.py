"""Lines over a network, on loopback: bounds of datagrams are kept, ends are told, nobody waits for ever."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import anyio
import pytest

from rsu_agent.ports import network_line
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.line import LineSettings, open_line
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(5.0)
        yield own


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as own:
        own.bind(("127.0.0.1", 0))
        return int(own.getsockname()[1])


async def test_a_datagram_out_and_two_back_are_three_and_stay_apart(peer: socket.socket) -> None:
    at = f"udp://127.0.0.1:{peer.getsockname()[1]}"
    async with open_line(LineSettings(at, 9600), CLOCK) as line:
        await line.write(b"question")
        data, sender = peer.recvfrom(100)
        assert data == b"question"
        peer.sendto(b"one", sender)
        peer.sendto(b"two", sender)
        assert [(await line.read()).data, (await line.read()).data] == [b"one", b"two"]
        assert line.errors() is None


async def test_a_controller_that_is_not_there_refuses_datagrams_and_the_line_goes_on() -> None:
    port = free_port(socket.SOCK_DGRAM)
    async with open_line(LineSettings(f"udp://127.0.0.1:{port}", 9600), CLOCK) as line:
        for _ in range(3):
            await line.write(b"?")
        with anyio.move_on_after(0.05) as scope:
            await line.read()
        assert scope.cancelled_caught


async def test_who_sends_to_our_port_is_heard_and_answered(peer: socket.socket) -> None:
    port = free_port(socket.SOCK_DGRAM)
    async with open_line(LineSettings(f"udp-in://127.0.0.1:{port}", 9600), CLOCK) as line:
        await line.write(b"nobody has spoken yet")
        peer.sendto(b"report", ("127.0.0.1", port))
        assert (await line.read()).data == b"report"
        await line.write(b"thanks")
        assert peer.recv(100) == b"thanks"


async def test_a_port_that_another_program_holds_is_busy(peer: socket.socket) -> None:
    at = f"udp-in://127.0.0.1:{peer.getsockname()[1]}"
    with pytest.raises(DeviceLost, match="busy"):
        async with open_line(LineSettings(at, 9600), CLOCK):
            pass


async def test_a_connection_carries_bytes_and_its_end_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        at = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        async with open_line(LineSettings(at, 9600), CLOCK) as line:
            other, _ = server.accept()
            await line.write(b"hello")
            assert other.recv(100) == b"hello"
            other.sendall(b"world")
            assert (await line.read()).data == b"world"
            other.close()
            with pytest.raises(DeviceLost, match="closed"):
                await line.read()


async def test_a_refused_connection_names_the_address() -> None:
    port = free_port(socket.SOCK_STREAM)
    with pytest.raises(DeviceLost, match=f"refused: tcp://127.0.0.1:{port}"):
        async with open_line(LineSettings(f"tcp://127.0.0.1:{port}", 9600), CLOCK):
            pass


async def test_who_dials_while_we_were_away_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port(socket.SOCK_STREAM)
    at = LineSettings(f"tcp-in://127.0.0.1:{port}", 9600)
    monkeypatch.setattr(network_line, "DIALLED_S", 0.05)
    try:
        with pytest.raises(DeviceLost, match="nobody dials"):
            async with open_line(at, CLOCK):
                pass
        with socket.create_connection(("127.0.0.1", port)) as site:
            site.sendall(b"version")
            async with open_line(at, CLOCK) as line:
                assert (await line.read()).data == b"version"
    finally:
        network_line._listening.pop(("127.0.0.1", port)).close()


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
async def test_a_listener_never_writes(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        at = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        async with open_line(LineSettings(at, 9600, "listener"), CLOCK) as line:
            with pytest.raises(PermissionError):
                await line.write(b"?")
