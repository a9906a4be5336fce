"""GB/T 20999-2017 frames: recorded vectors, what may be sent, and what no rubbish can cost."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drivers.gbt20999
from drivers.gbt20999 import wire
from drivers.gbt20999.deframer import LARGEST_BYTES, LONGEST_GAP_S, Deframer
from drivers.gbt20999.wire import (
    END,
    ESCAPE,
    HEAD,
    START,
    Address,
    Checksum,
    Dialect,
    Frame,
    Garbled,
    Identity,
    Kind,
    heartbeat_reply,
    parse,
    query,
)

CAPTURES = Path(drivers.gbt20999.__path__[0]) / "captures" / "frames.txt"
ROWS = [line.split() for line in CAPTURES.read_text().splitlines() if line and line[0] != "#"]
FRAMES = {name: bytes.fromhex(text) for name, _, text in ROWS}
ON_UDP = {name for name, origin, _ in ROWS if origin == "recorded"}
HOST_5 = Identity(version=0x0102, host=5, controller=0, crossing=1)
GOOD = FRAMES["trap-lamps-and-stage"]


def escaped(frame: bytes) -> bytes:
    """A datagram's frame as a serial line carries it."""
    inside = b"".join(
        bytes([ESCAPE, byte]) if byte in (START, END, ESCAPE) else bytes([byte]) for byte in frame[1:-1]
    )
    return bytes([START]) + inside + bytes([END])


SERIAL = {name: escaped(frame) if name in ON_UDP else frame for name, frame in FRAMES.items()}


def read(*chunks: bytes, checksum: Checksum = Checksum.X1005) -> list[Frame | Garbled]:
    deframer = Deframer(checksum)
    return [event for chunk in chunks for event in deframer.receive(chunk, 1.0)]


def frames(*chunks: bytes) -> list[Frame]:
    return [event for event in read(*chunks) if isinstance(event, Frame)]


def rebuilt(frame: bytes, length_change: int, checksum: Checksum) -> bytes:
    """The same frame with another length convention or checksum."""
    body = bytearray(frame[1:-3])
    body[:2] = (int.from_bytes(body[:2], "big") + length_change).to_bytes(2, "big")
    return escaped(b"\x7e" + body + checksum.crc.of(bytes(body)).to_bytes(2, "big") + b"\x7d")


@pytest.mark.parametrize(
    ("name", "kind", "values"),
    [
        ("query-lamp-1", Kind.QUERY, [((3, 3, 1, 1), b"")]),
        ("reply-lamp-1-off", Kind.REPLY, [((3, 3, 1, 1), b"\x01")]),
        ("reply-remaining-5-s", Kind.REPLY, [((6, 3, 4, 1), b"\x00\x05")]),
        ("reply-mode-23", Kind.REPLY, [((13, 2, 2, 1), b"\x23")]),
        ("error-reply-17-2-1-1", Kind.ERROR_REPLY, [((17, 2, 1, 1), b"\x30")]),
        ("heartbeat-query", Kind.HEARTBEAT_QUERY, []),
        ("heartbeat-reply", Kind.HEARTBEAT_REPLY, []),
        (
            "trap-lamps-and-stage",
            Kind.TRAP,
            [
                ((3, 3, 1, 1), b"\x20"),
                ((3, 3, 1, 2), b"\x10"),
                ((6, 3, 2, 1), b"\x20"),
                ((6, 3, 3, 1), b"\x00\x7d"),
                ((6, 3, 4, 1), b"\x00\x05"),
            ],
        ),
    ],
)
def test_the_known_frames_read_as_published(name: str, kind: Kind, values: list[object]) -> None:
    (frame,) = read(SERIAL[name])
    assert isinstance(frame, Frame)
    assert (frame.kind, frame.host) == (kind, 5)
    assert [(tuple(address), data) for address, data in frame.values] == values


def test_our_query_is_the_recorded_one_byte_for_byte() -> None:
    identity = Identity(version=0x0100, host=5, controller=0, crossing=0)
    assert query(identity, 1, [Address(3, 3, 1, 1)], Dialect()) == SERIAL["query-lamp-1"]
    assert heartbeat_reply(HOST_5, 1, Dialect()) == SERIAL["heartbeat-reply"]


@given(st.lists(st.builds(Address, *[st.integers(0, 255)] * 4), max_size=300), st.integers(0, 1000))
def test_whatever_is_asked_only_queries_leave_and_never_to_a_commanding_class(
    addresses: list[Address], sequence: int
) -> None:
    allowed = 1 <= len(addresses) <= 255 and not any(a.data_class in (17, 18) for a in addresses)
    if not allowed:
        with pytest.raises(ValueError, match=r"values|commands"):
            query(HOST_5, sequence, addresses, Dialect())
        return
    frame = parse(query(HOST_5, sequence, addresses, Dialect())[1:-1], Checksum.X1005)
    assert isinstance(frame, Frame)
    assert frame.kind == 0x10
    assert [value.address for value in frame.values] == addresses
    assert all(value.data == b"" for value in frame.values)


def test_there_is_no_way_to_encode_a_setting_frame() -> None:
    makers = {
        name
        for name, function in inspect.getmembers(wire, inspect.isfunction)
        if "sequence" in str(inspect.signature(function))
    }
    assert makers == {"query", "heartbeat_reply", "_frame"}
    assert {int(kind) for kind in wire.Sendable} == {0x10, 0x80}
    assert "kind: 'Sendable'" in str(inspect.signature(wire._frame)).replace(
        "kind: Sendable", "kind: 'Sendable'"
    )
    for source in CAPTURES.parents[1].glob("*.py"):
        for word in ("Kind.SET", "SET_REPLY", "Sendable(0x30"):
            assert word not in source.read_text()


@pytest.mark.parametrize("length_change", [0, -2])
@pytest.mark.parametrize("checksum", list(Checksum))
def test_both_length_conventions_and_both_checksums_are_read(length_change: int, checksum: Checksum) -> None:
    changed = rebuilt(FRAMES["reply-mode-23"], length_change, checksum)
    (frame,) = read(changed, checksum=checksum)
    assert isinstance(frame, Frame)


@pytest.mark.parametrize("kind", [0x70, 0x71, 0x80])
@pytest.mark.parametrize("count", [b"", b"\x00"])
def test_a_heartbeat_is_read_with_and_without_its_count(kind: int, count: bytes) -> None:
    body = HEAD.write(wire.Head(12 + len(count), 0x0102, 5, 0, 1, 1, kind)) + count
    sent = escaped(b"\x7e" + body + Checksum.X1005.crc.of(body).to_bytes(2, "big") + b"\x7d")
    assert [(frame.kind, frame.values) for frame in frames(sent)] == [(kind, ())]


@given(st.data())
def test_any_frames_survive_any_split(draw: st.DataObject) -> None:
    names = draw.draw(st.lists(st.sampled_from(sorted(SERIAL)), min_size=1, max_size=6))
    stream = b"".join(SERIAL[name] for name in names)
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(stream) - 1), max_size=30)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    events = read(*chunks)
    assert not [event for event in events if isinstance(event, Garbled)]
    assert [event.values for event in events if isinstance(event, Frame)] == [
        frame.values for name in names for frame in frames(SERIAL[name])
    ]


RUBBISH = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([START, END, ESCAPE, 0]), max_size=60).map(bytes),
    st.integers(1, len(GOOD) - 1).map(lambda cut: GOOD[:cut]),
)


@settings(max_examples=400)
@given(st.lists(RUBBISH, max_size=4))
def test_rubbish_never_costs_the_next_good_frame(rubbish: list[bytes]) -> None:
    (expected,) = frames(GOOD)
    got = frames(*rubbish, GOOD)
    assert got
    assert got[-1].values == expected.values


@given(st.integers(0, 5000), st.sampled_from([0, 0x33, START, ESCAPE]))
def test_a_long_run_without_an_end_is_dropped_and_memory_stays_bounded(size: int, byte: int) -> None:
    deframer = Deframer(Checksum.X1005)
    for start in range(0, size, 100):
        list(deframer.receive(bytes([START, *[byte] * 99]) if not start else bytes([byte]) * 100, 1.0))
        assert len(deframer._raw or b"") <= LARGEST_BYTES + 100
    assert [event for event in deframer.receive(GOOD, 1.0) if isinstance(event, Frame)]


@given(st.binary(max_size=3000))
@settings(max_examples=200)
def test_no_bytes_at_all_can_raise(data: bytes) -> None:
    events = read(data)
    assert sum(event.size for event in events if isinstance(event, Garbled)) <= len(data)


@given(st.integers(0, len(SERIAL["reply-mode-23"]) * 8 - 1))
def test_a_flipped_bit_is_never_taken_for_a_frame(bit: int) -> None:
    damaged = bytearray(SERIAL["reply-mode-23"])
    damaged[bit // 8] ^= 1 << bit % 8
    assert not frames(bytes(damaged))


def test_a_pause_inside_a_frame_ends_it_and_the_next_frame_is_whole() -> None:
    deframer = Deframer(Checksum.X1005)
    assert list(deframer.receive(GOOD[:20], 1.0)) == []
    events = list(deframer.receive(GOOD, 1.0 + LONGEST_GAP_S * 1.1))
    assert [type(event) for event in events] == [Garbled, Frame]
    assert events[0] == Garbled("gap", 20)


def test_what_is_wrong_with_a_frame_is_named() -> None:
    good = SERIAL["reply-mode-23"]
    body = bytearray(FRAMES["reply-mode-23"][1:-3])
    body[12] = 2  # says two values, holds one
    two = escaped(b"\x7e" + body + Checksum.X1005.crc.of(bytes(body)).to_bytes(2, "big") + b"\x7d")
    assert [event.why for event in read(b"ab") if isinstance(event, Garbled)] == ["noise"]
    assert [event.why for event in read(good[:10], good) if isinstance(event, Garbled)] == ["cut"]
    assert [event.why for event in read(good[:-4] + b"\x00" + good[-3:]) if isinstance(event, Garbled)] == [
        "checksum"
    ]
    assert [event.why for event in read(b"\x7e\x00\x01\x7d") if isinstance(event, Garbled)] == ["length"]
    assert [event.why for event in read(two) if isinstance(event, Garbled)] == ["values"]


def test_a_frame_is_stamped_at_its_first_byte_on_the_wire() -> None:
    byte_s = 10 / 9600
    deframer = Deframer(Checksum.X1005, byte_s)
    assert list(deframer.receive(GOOD[:30], 5.0)) == []
    (frame,) = deframer.receive(GOOD[30:], 5.0 + (len(GOOD) - 30) * byte_s)
    assert isinstance(frame, Frame)
    assert frame.first_byte_s == pytest.approx(5.0 - 30 * byte_s)
    assert frame.last_byte_s == pytest.approx(5.0 + (len(GOOD) - 30) * byte_s)
