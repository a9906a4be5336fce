"""The rig's RTSP server by the RFCs: requests however they are split, and packets whose heads are known."""

from __future__ import annotations

import struct
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.rtp_jpeg import LARGEST_PAYLOAD, Packer, parts_of
from hil.devices.rtsp_requests import LARGEST_REQUEST, Request, RequestReader, Unreadable, answer, interleaved

DESCRIBE = b"DESCRIBE rtsp://cam/live RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n"
WITH_BODY = b"GET_PARAMETER rtsp://cam/live RTSP/1.0\r\nCSeq: 3\r\nContent-Length: 4\r\n\r\nping"
STREAM = DESCRIBE + b"$\x01\x00\x08\r\n\r\nRTCP" + WITH_BODY + DESCRIBE


def jpeg(width: int, height: int, seed: int = 1) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
def test_requests_survive_any_split_and_frames_between_them(cuts: list[int]) -> None:
    reader, bounds = RequestReader(), [0, *sorted(set(cuts)), len(STREAM)]
    found = [request for start, end in pairwise(bounds) for request in reader.receive(STREAM[start:end])]
    assert [(each.method, each.headers["cseq"]) for each in found] == [
        ("DESCRIBE", "2"),
        ("GET_PARAMETER", "3"),
        ("DESCRIBE", "2"),
    ]
    assert found[0].headers["accept"] == "application/sdp"


@given(st.binary(max_size=300))
def test_garbage_is_unreadable_or_waits_for_more(data: bytes) -> None:
    try:
        for request in RequestReader().receive(data + b"\r\n\r\n"):
            assert isinstance(request, Request)
    except Unreadable:
        pass


@pytest.mark.parametrize(
    "bad",
    [
        b"x" * (LARGEST_REQUEST + 1),
        b"GET / HTTP/1.1\r\n\r\n",
        b"OPTIONS * RTSP/1.0\r\nContent-Length: 99999999999\r\n\r\n",
    ],
)
def test_requests_without_end_of_another_protocol_or_with_huge_bodies_are_unreadable(bad: bytes) -> None:
    with pytest.raises(Unreadable):
        list(RequestReader().receive(bad))


def test_an_answer_carries_the_requests_number_and_the_length_of_its_body() -> None:
    (request,) = RequestReader().receive(DESCRIBE)
    assert answer(200, request, {"Content-Type": "application/sdp"}, b"v=0\r\n") == (
        b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    )
    assert interleaved(0, b"abc") == b"$\x00\x00\x03abc"


def test_the_first_packet_has_the_heads_of_rfc_3550_and_2435_and_the_tables() -> None:
    """By hand: V=2; M=0 PT=26; number 0; 0.1 s = 9000 = 0x2328 ticks; type 1 (4:2:0), Q 255, 8 x 6 blocks."""
    parts = parts_of(jpeg(64, 48))
    first = next(Packer(0x01020304).packets(parts, 0.1))
    assert first[:12] == bytes.fromhex("801a0000 00002328 01020304")
    assert first[12:20] == bytes.fromhex("00000000 01ff0806")
    assert first[20:24] == bytes.fromhex("00000080")
    assert first[24:152] == parts.tables
    assert first[152:] == parts.scan[: len(first) - 152]


def test_a_large_picture_is_whole_in_its_packets_and_the_last_one_is_marked() -> None:
    parts, packer = parts_of(jpeg(640, 384)), Packer(1)
    packets = list(packer.packets(parts, 1.0))
    assert len(packets) > 50
    assert max(map(len, packets)) <= LARGEST_PAYLOAD + 12
    assert [packet[1] >> 7 for packet in packets] == [0] * (len(packets) - 1) + [1]
    assert [struct.unpack_from(">H", packet, 2)[0] for packet in packets] == list(range(len(packets)))
    offsets = [struct.unpack_from(">I", packet, 12)[0] for packet in packets]
    pieces = [packet[20 + (132 if n == 0 else 0) :] for n, packet in enumerate(packets)]
    assert offsets == [sum(map(len, pieces[:n])) for n in range(len(pieces))]
    assert b"".join(pieces) == parts.scan
    assert struct.unpack_from(">H", next(packer.packets(parts, 2.0)), 2)[0] == len(packets)


@pytest.mark.parametrize("size", [(60, 48), (64, 44), (2048, 48)])
def test_pictures_that_rtp_cannot_carry_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="multiples of 8 up to 2040"):
        parts_of(jpeg(*size))
