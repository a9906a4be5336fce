"""The radio of Europe on real loopback sockets: headers around each message, and what the parent may send."""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from drivers.gn_udp.driver import PLUGIN
from drivers.gn_udp.settings import Settings
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import plugins
from tests.messages.tshark import ETHERNET, TSHARK, capture, fields

pytestmark = pytest.mark.anyio
# facts/radio.md 2.1, the message of the worked frame
SPATEM = bytes.fromhex("02040001e2400018800001f48100003d0903039010010467177017a21789500102180bb800")
ANTENNA: dict[str, Any] = {"address": "02:00:00:00:00:01", "lat_deg": -22.69, "lon_deg": 114.34}


def receiver() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


async def sent(kind: str, payload: bytes, times: int = 1, **more: Any) -> list[bytes]:
    with receiver() as rsu:
        settings = Settings(host="127.0.0.1", port=rsu.getsockname()[1], **ANTENNA, **more)
        async with PLUGIN.open(settings, FakeClock()) as radio:
            for _ in range(times):
                await radio.send(kind, payload)
            return [rsu.recv(4096) for _ in range(times)]


async def test_a_spatem_goes_to_whoever_hears_it_and_a_denm_to_a_circle_around_us() -> None:
    (single_hop,) = await sent("SPATEM", SPATEM, traffic_class=5)
    assert single_hop.endswith(bytes.fromhex("07d40000") + SPATEM)
    assert (single_hop[12:14].hex(), single_hop[19], single_hop[20]) == ("8947", 0x50, 5)
    first, second = await sent("DENM", b"\x02\x01" + bytes(60), 2, hazard_radius_m=300.0)
    assert (first[19], first[20]) == (0x40, 1)
    assert [int.from_bytes(frame[26:28], "big") for frame in (first, second)] == [1, 2], "sequence numbers"
    assert struct.unpack(">iiH", first[54:64]) == (-226_900_000, 1_143_400_000, 300)


@pytest.mark.skipif(TSHARK is None, reason="tshark is missing: make tools")
async def test_tshark_names_the_headers_and_finds_the_message(tmp_path: Path) -> None:
    frames = await sent("SPATEM", SPATEM, 2)
    names = ("geonw.src_pos.addr.type", "btpb.dstport", "its.messageID", "_ws.malformed")
    told = fields(capture(tmp_path / "geo.pcap", frames, ETHERNET), *names)
    assert told == [["15", "2004", "4", ""]] * 2


async def test_what_has_no_port_or_is_too_large_is_counted_and_not_sent() -> None:
    with receiver() as rsu:
        rsu.settimeout(0.2)
        settings = Settings(host="127.0.0.1", port=rsu.getsockname()[1], **ANTENNA)
        async with PLUGIN.open(settings, FakeClock()) as radio:
            await radio.send("RSM", b"x" * 40)
            await radio.send("MAPEM", b"x" * 1600)
            assert radio.counters == {"no_port_RSM": 1, "too_large": 1}
            with pytest.raises(TimeoutError):
                rsu.recv(100)


async def test_the_parent_gets_the_whole_frame_and_the_place_of_its_time_stamp() -> None:
    clock = FakeClock()
    settings = Settings(host="127.0.0.1", port=9, **ANTENNA)
    async with PLUGIN.open(settings, clock) as radio:
        before = radio.last_word("SPATEM", SPATEM)
        await clock.advance(1.5)
        after = radio.last_word("SPATEM", SPATEM)
        assert radio.last_word("DENM", b"") is None
    at = before.stamp_at
    times = [int.from_bytes(word.data[at : at + 4], "big") for word in (before, after)]
    assert times[1] - times[0] == 1500
    assert before.data[:at] + before.data[at + 4 :] == after.data[:at] + after.data[at + 4 :]


async def test_frames_reach_a_multicast_group_on_loopback() -> None:
    group = "239.118.122.97"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as vehicle:
        vehicle.bind((group, 0))
        vehicle.settimeout(5)
        member = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
        vehicle.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        settings = Settings(host=group, port=vehicle.getsockname()[1], interface="127.0.0.1", **ANTENNA)
        async with PLUGIN.open(settings, FakeClock()) as radio:
            await radio.send("SPATEM", SPATEM)
        assert vehicle.recv(200).endswith(SPATEM)


async def test_the_site_file_finds_this_driver_and_it_takes_one_set_only() -> None:
    assert plugins()["gn_udp"] is PLUGIN
    assert PLUGIN.standards == {"etsi"}
