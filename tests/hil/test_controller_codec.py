"""The virtual controller's own GB/T 20999 frames: worked vectors of the facts, and what no line can cost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.gbt20999_codec import LONGEST, Message, Profile, Reader, build, checksum

# Recorded on UDP (unescaped): version 0100, host 5, controller 0, crossing 0; requests serial 1, replies 2
RECORDED = {
    "7e001301000500000000000110010104030301017dc17d": (0x10, 1, (3, 3, 1, 1), b""),
    "7e001401000500000000000220010105030301010197047d": (0x20, 2, (3, 3, 1, 1), b"\x01"),
    "7e001501000500000000000220010106060304010005acdd7d": (0x20, 2, (6, 3, 4, 1), b"\x00\x05"),
    "7e0014010005000000000002200101050d0202012394f47d": (0x20, 2, (13, 2, 2, 1), b"\x23"),
    "7e0014010005000000000002210101051102010130fa977d": (0x21, 2, (17, 2, 1, 1), b"\x30"),
}
# Computed from the rules seen in the recordings, escaped for serial: version 0102, crossing 1, serial 1
HEARTBEAT = bytes.fromhex("7e000c01020500000000010170ba5c5c7d")
HEARTBEAT_REPLY = bytes.fromhex("7e000c01020500000000010180495f7d")
TRAP = bytes.fromhex(
    "7e0032010205000000000101600501050303010120020503030102100305060302012004060603"
    "0301005c7d050606030401000586807d"
)
TRAP_ENTRIES = (
    (1, (3, 3, 1, 1), b"\x20"),
    (2, (3, 3, 1, 2), b"\x10"),
    (3, (6, 3, 2, 1), b"\x20"),
    (4, (6, 3, 3, 1), b"\x00\x7d"),
    (5, (6, 3, 4, 1), b"\x00\x05"),
)
NEWER = Profile(version=0x0102)

addresses = st.tuples(*[st.integers(0, 255)] * 4)
entries = st.lists(st.tuples(st.integers(1, 255), addresses, st.binary(max_size=16)), max_size=8)
messages = st.builds(
    Message,
    kind=st.sampled_from([0x10, 0x20, 0x21, 0x60, 0x70]),
    host=st.integers(0, 255),
    controller=st.integers(0, 2**32 - 1),
    crossing=st.integers(0, 255),
    serial=st.integers(0, 255),
    entries=entries.map(tuple),
)
profiles = st.builds(
    Profile,
    version=st.integers(0, 0xFFFF),
    check=st.sampled_from(["1005", "1021"]),
    length_counts_check=st.booleans(),
)


def read(data: bytes, profile: Profile = NEWER) -> list[Message]:
    return list(Reader(profile).feed(data))


def test_the_checksums_of_the_digits_are_those_of_the_facts() -> None:
    assert checksum(b"123456789") == 0x5BB8
    assert checksum(b"123456789", 0x1021, 0xFFFF) == 0x29B1


@pytest.mark.parametrize("text", RECORDED)
def test_a_recorded_frame_is_written_byte_for_byte(text: str) -> None:
    kind, serial, address, value = RECORDED[text]
    message = Message(kind, 5, 0, 0, serial, ((1, address, value),))
    assert build(message, Profile(), escaped=False).hex() == text


def test_heartbeats_are_written_without_a_count_and_with_their_checksum_escaped() -> None:
    assert build(Message(0x70, 5, 0, 1, 1, ()), NEWER, bare_heartbeat=True) == HEARTBEAT
    assert build(Message(0x80, 5, 0, 1, 1, ()), NEWER, bare_heartbeat=True) == HEARTBEAT_REPLY


def test_the_worked_trap_is_written_and_read() -> None:
    message = Message(0x60, 5, 0, 1, 1, TRAP_ENTRIES)
    assert build(message, NEWER) == TRAP
    assert read(TRAP) == [message]


def test_a_heartbeat_is_read_with_and_without_its_count() -> None:
    counted = build(Message(0x70, 5, 0, 1, 1, ()), NEWER)
    assert read(HEARTBEAT) == read(counted) == [Message(0x70, 5, 0, 1, 1, ())]


def test_the_other_length_convention_is_two_bytes_shorter_and_still_read() -> None:
    message = Message(0x10, 5, 0, 1, 1, TRAP_ENTRIES)
    shorter = build(message, Profile(length_counts_check=False), escaped=False)
    usual = build(message, Profile(), escaped=False)
    assert int.from_bytes(shorter[1:3], "big") == int.from_bytes(usual[1:3], "big") - 2
    assert read(build(message, Profile(length_counts_check=False))) == [message]


@settings(deadline=None)
@given(messages, profiles, st.data())
def test_any_message_survives_the_line_however_it_is_split(
    message: Message, profile: Profile, data: st.DataObject
) -> None:
    line = build(message, profile)
    cut = data.draw(st.integers(0, len(line)))
    reader = Reader(profile)
    assert [*reader.feed(line[:cut]), *reader.feed(line[cut:])] == [message]
    assert reader.bad == 0


@settings(deadline=None)
@given(messages)
def test_inside_a_written_frame_every_special_byte_is_escaped(message: Message) -> None:
    inside = build(message, NEWER)[1:-1]
    at = 0
    while at < len(inside):
        assert inside[at] not in (0x7E, 0x7D)
        at += 2 if inside[at] == 0x5C else 1


@settings(deadline=None)
@given(st.binary(max_size=200).filter(lambda noise: not noise.endswith(b"\x5c")))
def test_noise_before_a_frame_does_not_cost_it(noise: bytes) -> None:
    """Unless the noise ends in an escape byte: the byte after it is literal by the rule."""
    assert read(noise + TRAP)[-1:] == read(TRAP)


@settings(deadline=None)
@given(st.integers(0, len(TRAP) - 1), st.integers(1, 255))
def test_a_changed_byte_never_gives_a_different_message(at: int, change: int) -> None:
    spoilt = TRAP[:at] + bytes([TRAP[at] ^ change]) + TRAP[at + 1 :]
    assert read(spoilt + TRAP)[-1:] == read(TRAP)
    assert all(message == read(TRAP)[0] for message in read(spoilt + TRAP))


def test_a_cut_frame_costs_only_itself_and_is_counted() -> None:
    reader = Reader(NEWER)
    assert list(reader.feed(TRAP[:-9] + b"\x7d" + TRAP)) == read(TRAP)
    assert reader.bad == 1


def test_an_endless_frame_is_bounded_and_the_next_one_is_read() -> None:
    reader = Reader(NEWER)
    assert list(reader.feed(b"\x7e" + b"\x15" * (2 * LONGEST) + b"\x7d" + TRAP)) == read(TRAP)
    assert reader.bad == 1
