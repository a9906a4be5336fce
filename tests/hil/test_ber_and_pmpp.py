"""The virtual controller's own BER and PMPP: worked vectors, a referee, and what no line can cost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import PROTOCOL_MODULES, SNMP_VERSION_1

from hil.devices.ber import (
    GET,
    GET_NEXT,
    RESPONSE,
    SET,
    SnmpMessage,
    Varbind,
    build_message,
    element,
    integer,
    null,
    octets,
    oid,
    read_message,
    ticks,
)
from hil.devices.pmpp_codec import (
    GOOD_FCS,
    LONGEST,
    PmppFrame,
    PmppReader,
    build_frame,
    fcs_register,
)

V1 = PROTOCOL_MODULES[SNMP_VERSION_1]
# Built with pysnmp and an independent FCS (facts 4.2): GET of the greens of phases 1-8 at address 1 ...
ASK = bytes.fromhex(
    "7e0513c1302d02010004067075626c6963a02002010102010002010030153013060f2b0601040189360402010104010401050067b37e"
)
# ... and an answer: reds DD, yellows 0, greens 22
ANSWER = bytes.fromhex(
    "7e0513c1305b02010004067075626c6963a24e02010102010002010030433015060f2b0601040189360402010104010201020200dd"
    "3014060f2b06010401893604020101040103010201003014060f2b060104018936040201010401040102012291327e"
)
STATUS = (1, 3, 6, 1, 4, 1, 1206, 4, 2, 1, 1, 4, 1)
ASKED = SnmpMessage(0, b"public", GET, 1, 0, 0, (Varbind((*STATUS, 4, 1), null()),))
ANSWERED = SnmpMessage(
    *(0, b"public", RESPONSE, 1, 0, 0),
    tuple(Varbind((*STATUS, c, 1), integer(v)) for c, v in ((2, 0xDD), (3, 0), (4, 0x22))),
)

arcs = st.integers(0, 2**32 - 1)
names = st.builds(lambda first, rest: (1, first, *rest), st.integers(0, 39), st.lists(arcs, max_size=20))
values = st.one_of(
    st.integers(-(2**31), 2**31 - 1).map(integer),
    st.binary(max_size=300).map(octets),
    st.just(null()),
    names.map(oid),
    st.integers(0, 2**32 - 1).map(ticks),
)
messages = st.builds(
    SnmpMessage,
    version=st.just(0),
    community=st.binary(max_size=20),
    pdu=st.sampled_from([GET, GET_NEXT, RESPONSE, SET]),
    request=st.integers(-(2**31), 2**31 - 1),
    error=st.integers(0, 5),
    index=st.integers(0, 255),
    varbinds=st.lists(st.builds(Varbind, names, values), max_size=6).map(tuple),
)
frames = st.builds(
    PmppFrame,
    address=st.integers(0, 63),
    payload=st.binary(max_size=200),
    control=st.sampled_from([0x13, 0x03]),
    ipi=st.sampled_from([0xC1, 0xC0]),
    group=st.booleans(),
    wide=st.booleans(),
)


def framed(content: bytes) -> bytes:
    """A frame with a right FCS round any content that needs no escapes."""
    return b"\x7e" + content + (fcs_register(content) ^ 0xFFFF).to_bytes(2, "little") + b"\x7e"


def referee(data: bytes) -> Any:
    message, rest = decoder.decode(data, asn1Spec=V1.Message())
    assert rest == b""
    return message


@pytest.mark.parametrize(("frame", "message"), [(ASK, ASKED), (ANSWER, ANSWERED)])
def test_the_worked_frames_are_read_and_written_byte_for_byte(frame: bytes, message: SnmpMessage) -> None:
    (read,) = PmppReader().feed(frame)
    assert read == PmppFrame(1, build_message(message))
    assert read_message(read.payload) == message
    assert build_frame(PmppFrame(1, build_message(message))) == frame


def test_the_frame_check_of_the_digits_is_that_of_the_facts() -> None:
    assert fcs_register(b"123456789") ^ 0xFFFF == 0x906E
    assert fcs_register(ASK[1:-1]) == GOOD_FCS == 0xF0B8


@pytest.mark.parametrize(
    ("number", "content"),
    # X.690 8.3: two's complement, the first nine bits neither all ones nor all zeros
    [(0, "00"), (127, "7f"), (128, "0080"), (0xDD, "00dd"), (-1, "ff"), (-128, "80"), (-129, "ff7f")],
)
def test_integers_take_the_fewest_octets(number: int, content: str) -> None:
    assert integer(number) == element(2, bytes.fromhex(content))


def test_ticks_wrap_at_thirty_two_bits_and_stay_positive() -> None:
    assert ticks(2**32 - 1) == bytes.fromhex("430500ffffffff")
    assert ticks(2**32) == ticks(0) == bytes.fromhex("430100")


@given(messages)
def test_the_referee_reads_what_is_built(message: SnmpMessage) -> None:
    theirs = referee(build_message(message))
    pdu = V1.apiMessage.get_pdu(theirs)
    assert bytes(V1.apiMessage.get_community(theirs)) == message.community
    assert int(V1.apiPDU.get_request_id(pdu)) == message.request
    assert [tuple(name) for name, _ in V1.apiPDU.get_varbinds(pdu)] == [row.oid for row in message.varbinds]
    assert encoder.encode(theirs) == build_message(message)


@given(messages)
def test_a_message_comes_back_as_it_was_and_never_cut_or_prolonged(message: SnmpMessage) -> None:
    data = build_message(message)
    assert read_message(data) == message
    assert read_message(data[:-1]) is None
    assert read_message(data + b"\0") is None


def test_lengths_longer_than_needed_are_read() -> None:
    # as net-snmp writes its sequences: 30 82 00 2d
    short = build_message(ASKED)
    assert read_message(bytes((0x30, 0x82, 0, short[1])) + short[2:]) == ASKED


@pytest.mark.parametrize(
    "name",
    ["", "80", "2b8001", "2b81", "2bffffffff7f"],
    ids=["empty", "only padding", "padded", "cut", "an arc over 32 bits"],
)
def test_names_that_are_none_make_no_message(name: str) -> None:
    row = element(0x30, element(6, bytes.fromhex(name)) + null())
    body = integer(1) + integer(0) + integer(0) + element(0x30, row)
    assert read_message(element(0x30, integer(0) + octets(b"public") + element(GET, body))) is None


@pytest.mark.parametrize(
    "data",
    [
        element(0x30, integer(0) + octets(b"public") + element(0xA4, b"")),
        element(0x30, integer(0) + octets(b"public") + element(GET, element(2, bytes(6)))),
        element(0x30, integer(3) + element(0x30, integer(1))),
        b"\x30\x80" + build_message(ASKED)[2:] + b"\0\0",
        b"\x30\x85\0\0\0\0\x2d" + build_message(ASKED)[2:],
    ],
    ids=[
        "a trap",
        "a request number of six octets",
        "SNMPv3",
        "an indefinite length",
        "a length of five octets",
    ],
)
def test_other_shapes_are_no_message(data: bytes) -> None:
    assert read_message(data) is None


@given(st.binary(max_size=200), st.integers(0, 60), st.binary(max_size=4))
def test_no_bytes_upset_the_readers(noise: bytes, place: int, patch: bytes) -> None:
    good = build_message(ASKED)
    for data in (noise, good[:place] + patch + good[place + len(patch) :]):
        read_message(data)
        PmppReader().feed(data)


@given(st.lists(frames, max_size=4), st.data())
def test_frames_survive_any_split(sent: list[PmppFrame], data: st.DataObject) -> None:
    line = b"".join(build_frame(frame) for frame in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=6)))
    reader = PmppReader()
    bounds = zip([0, *cuts], [*cuts, len(line)], strict=True)
    assert [frame for start, end in bounds for frame in reader.feed(line[start:end])] == sent
    assert reader.bad == 0


@given(st.binary(max_size=60))
def test_after_any_noise_the_second_frame_is_whole(noise: bytes) -> None:
    reader = PmppReader()
    assert reader.feed(noise + ASK + ASK)[-1] == PmppFrame(1, build_message(ASKED))


def test_two_frames_may_share_a_flag() -> None:
    assert len(PmppReader().feed(ASK + ASK[1:])) == 2


def test_flags_and_escapes_are_escaped_also_in_the_check() -> None:
    payload = next(  # one whose FCS has a flag in it
        bytes((0x30, 0x7E, 0x7D, *two))
        for two in ((high, low) for high in range(256) for low in range(256))
        if 0x7E
        in (fcs_register(bytes((5, 0x13, 0xC1, 0x30, 0x7E, 0x7D, *two))) ^ 0xFFFF).to_bytes(2, "little")
    )
    line = build_frame(PmppFrame(1, payload))
    assert line.startswith(bytes.fromhex("7e0513c1307d5e7d5d"))
    assert line.count(0x7E) == 2
    assert PmppReader().feed(line) == [PmppFrame(1, payload)]


@pytest.mark.parametrize(
    ("head", "frame"),
    [
        ("0503c1", PmppFrame(1, b"0", 0x03)),
        ("0513c0", PmppFrame(1, b"0", ipi=0xC0)),
        ("000313c1", PmppFrame(1, b"0", wide=True)),
        ("fcff13c1", PmppFrame(8191, b"0", wide=True)),
        ("ff13c1", PmppFrame(63, b"0", group=True)),
    ],
    ids=["no poll", "T2", "two octets", "the last of two octets", "all stations"],
)
def test_the_other_forms_are_read_too(head: str, frame: PmppFrame) -> None:
    assert PmppReader().feed(framed(bytes.fromhex(head) + b"0")) == [frame]
    assert build_frame(frame) == framed(bytes.fromhex(head) + b"0")


@pytest.mark.parametrize("content", ["", "05", "0513", "0413c130", "040413c130", "0573c130", "0513cf30"])
def test_frames_of_no_known_kind_are_counted_and_passed_over(content: str) -> None:
    reader = PmppReader()
    assert reader.feed(framed(bytes.fromhex(content))) == []
    assert reader.bad == 1
    assert len(reader.feed(ASK)) == 1


def test_a_broken_check_an_abort_and_a_frame_without_end_are_counted() -> None:
    reader = PmppReader()
    broken = bytearray(ASK)
    broken[8] ^= 1
    assert reader.feed(bytes(broken)) == []
    assert reader.feed(ASK[:20] + b"\x7d\x7e") == []
    assert reader.feed(b"\x7e" + bytes(3 * LONGEST) + b"\x7e") == []
    assert reader.bad == 3
    assert len(reader.feed(ASK)) == 1


def test_the_longest_frame_is_read_and_one_octet_more_is_not() -> None:
    reader = PmppReader()
    assert len(reader.feed(build_frame(PmppFrame(1, bytes(LONGEST - 5))))) == 1
    assert reader.feed(build_frame(PmppFrame(1, bytes(LONGEST - 4)))) == []


@pytest.mark.parametrize(("address", "wide"), [(64, False), (8192, True), (-1, False)])
def test_an_address_that_its_form_cannot_hold_is_refused(address: int, wide: bool) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        build_frame(PmppFrame(address, b"", wide=wide))
