"""The UDP radio on real loopback sockets: one message a datagram, and an RSU that is off stops nothing."""

from __future__ import annotations

import socket

import pytest

from drivers.udp_raw.driver import PLUGIN
from drivers.udp_raw.settings import Settings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()


def receiver() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


async def test_each_message_is_one_datagram_unchanged() -> None:
    with receiver() as rsu:
        async with PLUGIN.open(Settings(host="127.0.0.1", port=rsu.getsockname()[1]), CLOCK) as radio:
            for kind, payload in (("SPAT", b"\x00" * 300), ("RSM", bytes(range(256)) * 4)):
                await radio.send(kind, payload)
                assert rsu.recv(4096) == payload
            await radio.drop_repeats()
            assert radio.counters == {"sent_SPAT": 1, "sent_RSM": 1}


async def test_an_rsu_that_comes_back_is_heard_again_without_reopening() -> None:
    with receiver() as rsu:
        address = rsu.getsockname()
    async with PLUGIN.open(Settings(host="127.0.0.1", port=address[1]), CLOCK) as radio:
        for _ in range(4):
            await radio.send("SPAT", b"lost")
        assert radio.counters["refused"] >= 1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(address)
            again.settimeout(5)
            await radio.send("SPAT", b"first")
            await radio.send("SPAT", b"heard")
            assert again.recv(100) in (b"first", b"heard")


async def test_a_name_that_leads_nowhere_is_a_lost_device_with_a_hint() -> None:
    with pytest.raises(DeviceLost) as lost:
        async with PLUGIN.open(Settings(host="no-such-rsu.invalid", port=1), CLOCK):
            pass
    assert lost.value.hint


async def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["udp_raw"] is PLUGIN


async def test_only_the_rsu_is_heard_and_only_what_is_not_too_long() -> None:
    with receiver() as free:
        port = free.getsockname()[1]
    settings = Settings(host="127.0.0.2", port=9, receive_port=port, receive_host="127.0.0.1")
    async with PLUGIN.open(settings, CLOCK) as radio:
        assert radio.open_receiver is not None
        async with radio.open_receiver() as received:
            for address, data in (
                ("127.0.0.3", b"stranger"),
                ("127.0.0.2", b"x" * 3000),
                ("127.0.0.2", b"rsu"),
            ):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.bind((address, 0))
                    sender.sendto(data, ("127.0.0.1", port))
            first = await anext(received)
    assert (first.data, first.verified) == (b"rsu", False)
    assert radio.counters == {"received_stranger": 1, "received_too_long": 1, "received": 1}


async def test_without_a_port_nothing_is_received() -> None:
    async with PLUGIN.open(Settings(host="127.0.0.1", port=9), CLOCK) as radio:
        assert radio.open_receiver is None
