"""Inputs that once broke a reader."""

from __future__ import annotations

import json
import resource
from typing import Any

import msgpack
import pytest
import zstandard

from drivers.gbt20999 import deframer as deframing
from drivers.gbt20999.deframer import MOST_INNER, Deframer
from drivers.gbt20999.wire import Checksum, Garbled, parse
from drivers.mjpeg_http.link import LARGEST_HEAD, LARGEST_PICTURE, MjpegReader
from rsu_agent.ports.envelope import LARGEST, BadEnvelope, unpack_ack, unpack_envelope
from rsu_agent.ports.link import Link, socket_pair

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"
GOOD_PART = b"--b\r\nContent-Length: 4\r\nX-Frame-Number: 8\r\n\r\n\xff\xd8\xff\xd9\r\n"


@pytest.mark.parametrize("length", [0, LARGEST_PICTURE + 1])
def test_thousands_of_parts_that_are_no_picture_in_one_chunk_cost_counters_only(length: int) -> None:
    reader = MjpegReader()
    parts = b"--b\r\nContent-Length: %d\r\n\r\n" % length * 5000
    (picture,) = reader.receive(ANSWER + parts + GOOD_PART, 1.0)
    assert picture.number == 8
    assert reader.counters["not_jpeg" if length == 0 else "too_large"] == 5000


def test_a_part_whose_head_never_ends_keeps_no_more_than_a_head() -> None:
    reader = MjpegReader()
    for _ in range(100):
        assert (
            list(reader.receive((ANSWER if reader._boundary is None else b"") + b"--b" + b"x" * 5000, 1.0))
            == []
        )
        assert len(reader._buffer) <= LARGEST_HEAD + 2 * 5003
    assert reader.counters["bad_heads"] > 0
    assert [picture.number for picture in reader.receive(b"\r\n" + GOOD_PART, 1.0)] == [8]


def test_a_topic_that_is_no_text_is_garbled_and_not_the_end_of_the_process() -> None:
    near, far = socket_pair()
    with near, far:
        far.send(b"\x02\xff\xfe" + msgpack.packb([None, 1]))
        far.send(b"\x02ok" + msgpack.packb([None, 1]))
        link = Link(near)
        with pytest.raises(StopIteration) as received:
            link.receive().send(None)  # needs no loop: both messages are there
    assert received.value.value == ("ok", 1)
    assert link.garbled == 1


def test_a_small_envelope_that_unpacks_to_much_is_refused_before_the_memory_is_taken() -> None:
    packer = zstandard.ZstdCompressor(level=3).compressobj(size=700 << 20)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(700)) + packer.flush()
    assert len(bomb) < LARGEST
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for read in (unpack_envelope, unpack_ack):
        with pytest.raises(BadEnvelope) as bad:
            read(bomb)
        assert bad.value.code == "too_big"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 100 << 10


def envelope(**changes: Any) -> bytes:
    records = [{"k": "flow", "t": 5}]
    value = {"v": 1, "s": "site", "e": 1, "l": "hi", "q": 1, "t": 5, "c": None, "n": 1, "r": records}
    return bytes(msgpack.packb(value | changes))


@pytest.mark.parametrize("where", ["e", "q", "t"])
def test_numbers_that_sqlite_cannot_hold_are_refused(where: str) -> None:
    with pytest.raises(BadEnvelope):
        unpack_envelope(envelope(**{where: 1 << 63}))
    with pytest.raises(BadEnvelope):
        unpack_ack(msgpack.packb({"e": 1, "l": "hi", "c": 1 << 63}))


@pytest.mark.parametrize("value", [b"bytes", {b"key": 1}, 1 << 63, [[b"deep"]], msgpack.Timestamp(5)])
def test_a_record_that_json_cannot_hold_is_refused_with_its_number(value: object) -> None:
    with pytest.raises(BadEnvelope) as bad:
        unpack_envelope(envelope(r=[{"k": "flow", "x": value}]))
    assert bad.value.identity == (1, "hi", 1)  # so that the sender hears of it and buries it


def test_records_of_plain_values_are_taken_and_make_json() -> None:
    record = {"k": "flow", "t": 5, "x": [1, -1, 1.5, None, True, "字", {"deep": [[0]]}]}
    (taken,) = unpack_envelope(envelope(r=[record])).records
    assert json.loads(json.dumps(taken)) == record


def test_a_frame_full_of_escaped_start_bytes_costs_a_few_checksums_and_not_a_thousand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed: list[int] = []

    def counting(raw: bytes, checksum: Checksum) -> Any:
        parsed.append(len(raw))
        return parse(raw, checksum)

    monkeypatch.setattr(deframing, "parse", counting)
    events = list(Deframer(Checksum.X1005).receive(b"\x7e" + bytes.fromhex("5c7e") * 900 + b"\x7d", 0.0))
    assert [event.size for event in events if isinstance(event, Garbled)] == [1800]
    assert len(parsed) <= 1 + MOST_INNER


def test_a_long_run_after_an_escaped_start_byte_is_dropped_and_not_kept() -> None:
    deframer = Deframer(Checksum.X1005)
    events = list(deframer.receive(bytes.fromhex("7e5c7e") + b"x" * 3000, 0.0))
    assert events == [Garbled("long", 2), Garbled("long", 3001)]
    assert deframer._raw is None
