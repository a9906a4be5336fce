"""Debian's referees: asn1c over the frames of China, tshark over what we emit in Europe."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from hil.bench.crossing import site
from rsu_agent.messages.csae53 import codec as csae53
from rsu_agent.messages.dsrc.map import map_value, rights_of
from rsu_agent.messages.dsrc.spat import spat_value
from rsu_agent.messages.etsi import pdu
from rsu_agent.messages.moment import Instant, utc_stamp
from rsu_agent.wire.geonet import Sender, frame
from rsu_agent.world.signal import Colour, Control, GroupOutlook, SignalOutlook
from tests.messages import asn1c_referee
from tests.messages.differential import CSAE53, value_of
from tests.messages.tshark import ETHERNET, TSHARK, USER_0, capture, dissected, fields

HALF_PAST_S = 1_790_000_000.0 - 1_790_000_000.0 % 3600.0 + 1800.0
with_asn1c = pytest.mark.skipif(
    bool(asn1c_referee.missing()), reason=f"not installed: {', '.join(asn1c_referee.missing())} (make tools)"
)
with_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed (make tools)")
STATES = {  # the number that tshark shows for each colour of a protected round or arrow light
    Colour.UNKNOWN: "0",
    Colour.DARK: "1",
    Colour.RED_FLASH: "2",
    Colour.RED: "3",
    Colour.RED_YELLOW: "4",
    Colour.YELLOW_FLASH: "9",
}


@with_asn1c
@pytest.mark.parametrize("name", CSAE53)
def test_asn1c_encodes_random_frames_again_to_the_same_bits(name: str) -> None:
    dice = random.Random(f"asn1c {name}")
    frames = [csae53.encode(value_of(name, dice)[1]) for _ in range(300)]
    assert asn1c_referee.again(frames) == frames


@with_asn1c
def test_asn1c_refuses_a_broken_frame_so_that_it_could_fail() -> None:
    good = csae53.encode(value_of("csae53.spat", random.Random(1))[1])
    assert asn1c_referee.again([good, good[:3]]) == [good, b""]


def emitted(colour: Colour) -> tuple[bytes, bytes]:
    """The SPATEM and the MAPEM of the virtual crossing while every lamp shows one colour."""
    crossing = site().crossing
    rights = rights_of(crossing, frozenset())
    groups = tuple(GroupOutlook(g, colour, 95.0, 110.0, 112.0, 114.0, 0.9, 160.0, 20.0) for g in rights)
    outlook = SignalOutlook(100.0, groups, Control.FIXED_TIME, 1, 1)
    identity, stamp = (crossing.node, crossing.region), utc_stamp(HALF_PAST_S)
    spat = spat_value(outlook, rights, identity, 1, Instant(100.0, HALF_PAST_S))
    values = {"spat": spat}, {"map": map_value(crossing, stamp, 1, region=crossing.region)}
    spatem, mapem = (
        pdu.encode((name, {"header": pdu.header(name, 123_456), **value}))
        for name, value in zip(("SPATEM", "MAPEM"), values, strict=True)
    )
    return spatem, mapem


@with_tshark
@pytest.mark.parametrize("colour", Colour)
def test_tshark_reads_every_colour_and_time_that_we_emit(colour: Colour, tmp_path: Path) -> None:
    spatem, _ = emitted(colour)
    taken = capture(tmp_path / "spatem.pcap", [spatem], USER_0)
    ((station, groups, states, minima),) = fields(
        taken, "its.stationID", "dsrc.signalGroup", "dsrc.eventState", "dsrc.minEndTime"
    )
    assert station == "123456"
    assert groups == ",".join(map(str, sorted(rights_of(site().crossing, frozenset()))))
    if colour in STATES:
        assert set(states.split(",")) == {STATES[colour]}
    timed = colour not in (Colour.UNKNOWN, Colour.DARK)
    assert set(filter(None, minima.split(","))) == ({"18100"} if timed else set())
    assert "Malformed" not in dissected(taken, "-V")


@with_tshark
def test_tshark_finds_nothing_malformed_in_the_frames_around_them(tmp_path: Path) -> None:
    sender = Sender(bytes.fromhex("020000000001"), 22.69, -114.34)
    sent = [
        frame(n, p, sender, HALF_PAST_S)
        for n, p in zip(("SPATEM", "MAPEM"), emitted(Colour.RED), strict=True)
    ]
    taken = capture(tmp_path / "frames.pcap", sent, ETHERNET)
    found = fields(taken, "frame.protocols", "btpb.dstport", "its.messageID", "geonw.src_pos.addr.type")
    assert [row[:3] for row in found] == [
        ["eth:ethertype:gnw:btpb:its", "2004", "4"],
        ["eth:ethertype:gnw:btpb:its", "2003", "5"],
    ]
    assert "Malformed" not in dissected(taken, "-V")


@with_tshark
def test_tshark_calls_a_cut_message_malformed_so_that_it_could_fail(tmp_path: Path) -> None:
    spatem, _ = emitted(Colour.RED)
    assert "Malformed" in dissected(capture(tmp_path / "cut.pcap", [spatem[:40]], USER_0), "-V")
