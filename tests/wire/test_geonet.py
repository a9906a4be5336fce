"""GeoNetworking frames: the facts' own sample byte for byte, both headers, every way to be none."""

from __future__ import annotations

import pytest

from rsu_agent.wire.geonet import Area, NotGeo, Sender, frame, read
from rsu_agent.wire.its_time import EPOCH_S, LEAP_S

# facts/radio.md 2.1: a whole frame that tshark decoded field by field
SPATEM = bytes.fromhex("02040001e2400018800001f48100003d0903039010010467177017a21789500102180bb800")
SAMPLE = (
    bytes.fromhex(
        "ffffffffffff020000000001894711001a0120500200002901003c000200000000013497b1380d8638204426e64080000000"
        "0000000007d40000"
    )
    + SPATEM
)
SENDER = Sender(bytes.fromhex("020000000001"), 22.69, 114.34)
AT_S = EPOCH_S - LEAP_S + (0x3497B138 + (1 << 32) * 160) / 1000  # mod 2^32 milliseconds


def test_a_single_hop_frame_is_the_sample_of_the_facts() -> None:
    assert frame("SPATEM", SPATEM, SENDER, AT_S) == SAMPLE


def test_the_sample_is_read_with_or_without_its_ethernet_header() -> None:
    for data in (SAMPLE, SAMPLE[14:], SAMPLE + bytes(6)):
        got = read(data)
        assert (got.station_type, got.address, got.port, got.payload) == (15, SENDER.address, 2004, SPATEM)


def test_a_geo_broadcast_carries_its_circle_and_is_read() -> None:
    sent = frame(
        "DENM", b"\x02\x01" + bytes(9), SENDER, AT_S, area=Area(-22.5, -114.0, 300.0), sequence=0x1234
    )
    assert sent[14 + 4 + 1] == 0x40
    extended = sent[14 + 4 + 8 :]
    assert extended[:4] == bytes.fromhex("12340000")
    assert int.from_bytes(extended[28:32], "big", signed=True) == -225_000_000
    assert int.from_bytes(extended[32:36], "big", signed=True) == -1_140_000_000
    assert extended[36:44] == bytes.fromhex("012c000000000000")
    assert (read(sent).port, read(sent).payload) == (2002, b"\x02\x01" + bytes(9))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data[:30], "too few"),
        (lambda data: data[:-1], "41 bytes announced"),
        (lambda data: data[:14] + b"\x12" + data[15:], "secured"),
        (lambda data: data[:14] + b"\x21" + data[15:], "no GeoNetworking"),
        (lambda data: data[:18] + b"\x10" + data[19:], "only BTP-B"),
        (lambda data: data[:19] + b"\x10" + data[20:], "neither single-hop"),
    ],
)
def test_what_is_no_frame_says_why(change: object, why: str) -> None:
    with pytest.raises(NotGeo, match=why):
        read(change(SAMPLE))  # type: ignore[operator]


def test_a_message_without_a_port_cannot_be_sent() -> None:
    with pytest.raises(KeyError):
        frame("RSM", b"", SENDER, AT_S)
