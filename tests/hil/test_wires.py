"""What the virtual controller hangs on: ends that vanish and come back, marks, dialling again."""

from __future__ import annotations

import os
import socket
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from hil.devices.wires import DIAL_AGAIN_S, PtyWire, TcpWire, UdpWire, Wire, misread, readable


def arrived(wire: Wire, now_s: float = 0.0) -> list[bytes]:
    """What is there within five seconds."""
    readable(wire.files(), 5.0)
    return wire.read(now_s)


@pytest.fixture
def agent() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.settimeout(5.0)
        yield own


# A serial line


def test_a_serial_line_carries_bytes_at_its_pace_and_marks_come_out_when_the_last_has_gone(
    tmp_path: Path,
) -> None:
    wire = PtyWire(tmp_path / "port", 9600)
    reader = os.open(tmp_path / "port", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(reader)
    wire.send(b"x" * 96, 10.0, "mark")
    wire.due(10.05)
    assert len(os.read(reader, 200)) == 48
    assert not wire.passed()
    assert wire.next_s() == pytest.approx(10.052, abs=0.001)
    wire.due(10.2)
    assert len(os.read(reader, 200)) == 48
    assert wire.passed() == ["mark"]
    assert wire.next_s() is None
    os.write(reader, b"question")
    assert arrived(wire) == [b"question"]
    os.close(reader)
    wire.unplug()


def test_a_port_that_is_pulled_loses_what_was_on_the_way_and_comes_back_under_its_name(
    tmp_path: Path,
) -> None:
    wire = PtyWire(tmp_path / "port", 9600)
    wire.send(b"lost", 0.0)
    wire.unplug()
    assert not wire.up
    assert not (tmp_path / "port").exists()
    wire.send(b"nobody hears", 0.0)
    assert wire.files() == []
    assert wire.read(0.0) == []
    wire.plug()
    assert wire.up
    reader = os.open(tmp_path / "port", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    wire.due(10.0)
    with pytest.raises(BlockingIOError):
        os.read(reader, 10)
    os.close(reader)
    wire.unplug()


# Datagrams


def test_datagrams_go_to_whoever_spoke_last(agent: socket.socket) -> None:
    wire = UdpWire()
    wire.send(b"to nobody yet", 0.0, "mark")
    assert wire.passed() == []
    agent.sendto(b"who are you", ("127.0.0.1", wire.told["udp_port"]))
    assert arrived(wire) == [b"who are you"]
    wire.send(b"a cabinet", 0.0, "mark")
    assert agent.recv(100) == b"a cabinet"
    assert wire.passed() == ["mark"]
    assert wire.passed() == []
    wire.unplug()


def test_a_cabinet_that_begins_by_itself_sends_where_it_was_told(agent: socket.socket) -> None:
    wire = UdpWire(agent.getsockname())
    wire.send(b"blob", 0.0)
    assert agent.recv(100) == b"blob"
    assert wire.next_s() is None
    wire.unplug()


def test_a_datagram_port_comes_back_with_the_same_number(agent: socket.socket) -> None:
    wire = UdpWire()
    number = wire.told["udp_port"]
    wire.unplug()
    assert not wire.up
    assert wire.files() == []
    wire.plug()
    agent.sendto(b"again", ("127.0.0.1", number))
    assert arrived(wire) == [b"again"]
    wire.unplug()


# Connections


def test_one_host_is_served_and_when_it_hangs_up_the_next() -> None:
    wire = TcpWire()
    at = ("127.0.0.1", wire.told["tcp_port"])
    for word in (b"first", b"second"):
        with socket.create_connection(at, 5.0) as host:
            assert arrived(wire) == [], "accepting is not reading"
            assert wire.up
            host.sendall(word)
            assert arrived(wire) == [word]
            wire.send(b"hello", 0.0, "mark")
            assert host.recv(10) == b"hello"
            assert wire.passed() == ["mark"]
        assert arrived(wire) == []
        assert not wire.up
    wire.unplug()


def test_unplugged_it_refuses_and_plugged_it_listens_at_the_same_number() -> None:
    wire = TcpWire()
    at = ("127.0.0.1", wire.told["tcp_port"])
    wire.unplug()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(at, 5.0)
    wire.plug()
    with socket.create_connection(at, 5.0):
        arrived(wire)
        assert wire.up
    wire.unplug()


def test_a_cabinet_that_dials_does_so_again_and_again() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    at = server.getsockname()
    server.close()
    wire = TcpWire(at)
    wire.due(1.0)
    assert not wire.up
    assert wire.next_s() == 1.0 + DIAL_AGAIN_S
    wire.due(1.1)
    assert not wire.up, "not before its time"
    with socket.create_server(at) as again:
        wire.due(1.0 + DIAL_AGAIN_S)
        assert wire.up
        assert wire.next_s() is None
        host, _ = again.accept()
        wire.send(b"version", 2.0)
        assert host.recv(100) == b"version"
        host.close()
    wire.unplug()
    wire.due(9.0)
    assert not wire.up, "away is away"


def test_a_file_that_is_closed_meanwhile_is_nothing_to_read() -> None:
    one, other = socket.socketpair()
    number = one.fileno()
    one.close()
    other.close()
    assert readable([number], 0.0) == []


def test_a_line_at_another_rate_is_misread_both_ways_and_well_again_at_its_own(tmp_path: Path) -> None:
    wire = PtyWire(tmp_path / "port", 9600)
    with serial.Serial(str(tmp_path / "port"), 19200, timeout=0) as ours:
        wire.send(b"0123456789", 0.0)
        wire.due(1.0)
        assert ours.read(20) == misread(b"0123456789") != b"0123456789"
        ours.write(b"hello")
        assert wire.read(1.0) == [misread(b"hello")]
        ours.baudrate = 9600
        wire.send(b"0123456789", 2.0)
        wire.due(3.0)
        assert ours.read(20) == b"0123456789"
