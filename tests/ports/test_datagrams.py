"""What radios that are reached by UDP share: one datagram a call, refusals counted, nothing waited for."""

from __future__ import annotations

import socket

import pytest

from rsu_agent.ports.datagrams import DatagramSender
from rsu_agent.ports.trouble import DeviceLost


def receiver() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


def test_each_call_is_one_datagram_and_is_counted_by_kind() -> None:
    with receiver() as vehicle:
        sender = DatagramSender(*vehicle.getsockname())
        for kind, data in (("SPAT", b"a"), ("MAP", b"bb"), ("SPAT", b"ccc")):
            sender.send(kind, data)
        assert [vehicle.recv(10) for _ in range(3)] == [b"a", b"bb", b"ccc"]
        assert sender.counters == {"sent_SPAT": 2, "sent_MAP": 1}
        assert sender.address == vehicle.getsockname()
        sender.close()


def test_a_receiver_that_is_off_is_counted_and_tried_again() -> None:
    with receiver() as vehicle:
        address = vehicle.getsockname()
    sender = DatagramSender(*address)
    for _ in range(6):
        sender.send("SPAT", b"lost")
    assert sender.counters["refused"] >= 1
    assert sender.counters["sent_SPAT"] >= 1, "the first of each pair leaves before anybody can refuse it"
    sender.close()


def test_a_closed_socket_and_a_datagram_beyond_all_bounds_are_a_lost_device() -> None:
    with receiver() as vehicle:
        sender = DatagramSender(*vehicle.getsockname())
        with pytest.raises(DeviceLost):
            sender.send("MAP", bytes(70_000))
        sender.close()
        with pytest.raises(DeviceLost):
            sender.send("SPAT", b"x")


def test_an_interface_that_is_not_ours_is_refused_for_multicast_and_ignored_otherwise() -> None:
    with pytest.raises(DeviceLost):
        DatagramSender("239.118.122.97", 8947, "198.51.100.7")
    with receiver() as vehicle:
        DatagramSender(*vehicle.getsockname(), "198.51.100.7").close()
