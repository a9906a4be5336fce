"""IEEE 1609.2 and DSMP around a message: opened as the facts lay them out, refused with a reason."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.bench.crossing import site
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import Instant
from rsu_agent.messages.recognise import recognise
from rsu_agent.outlets.message_sets import MESSAGE_SETS
from rsu_agent.settings.speech import speech
from rsu_agent.wire import geonet
from rsu_agent.wire.wrapped import NotWrapped, opened_1609, opened_dsmp
from tests.wire.test_geonet import SAMPLE, SPATEM


def coer_length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    return b"\x81" + bytes([size]) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")


def unsecured(payload: bytes) -> bytes:
    return b"\x03\x80" + coer_length(len(payload)) + payload


def signed(payload: bytes) -> bytes:
    """facts/radio.md 4.2: header with psid and time, a digest as signer, an r and s of 32 bytes each."""
    head = b"\x40\x01\x89" + bytes(8) + b"\x80" + bytes(8)
    return b"\x03\x81\x00\x40" + unsecured(payload) + head + b"\x80\x80" + bytes(64)


@given(st.binary(max_size=700))
def test_whatever_was_put_in_comes_out(payload: bytes) -> None:
    assert opened_1609(unsecured(payload)) == payload
    assert opened_1609(signed(payload)) == payload
    for aid in (b"\x6f", b"\x80\x09", b"\xc0\x12\x34", b"\xe0\x00\x00\x17"):
        for family in (b"", b"\x04"):
            dsm = family + b"\x00" + aid + len(payload).to_bytes(2, "big") + payload
            if payload:
                assert opened_dsmp(dsm) == (int.from_bytes(aid, "big"), payload)


@given(st.binary(max_size=80))
def test_noise_is_refused_or_opened_and_never_breaks(data: bytes) -> None:
    for opener in (opened_1609, opened_dsmp):
        with contextlib.suppress(NotWrapped):
            opener(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (unsecured(b"x" * 20)[:-1], "20 bytes announced, 19 follow"),
        (b"\x03\x82" + bytes(20), "encrypted"),
        (b"\x03\x81\x00\x80" + bytes(20), "without its data"),
        (b"\x03\x80\x84\x00\x00\x00\x01x", "length cannot be read"),
        (b"\x02\x04" + bytes(9), "no IEEE 1609.2"),
    ],
)
def test_what_cannot_be_opened_says_why(data: bytes, why: str) -> None:
    with pytest.raises(NotWrapped, match=why):
        opened_1609(data)


def test_a_secured_geonetworking_packet_shows_its_message_and_that_nobody_verified_it() -> None:
    packet = SAMPLE[14:]
    secured = SAMPLE[:14] + b"\x12" + packet[1:4] + signed(packet[4:])
    got = geonet.read(secured)
    assert (got.payload, got.port, got.signed) == (SPATEM, 2004, True)
    for data in (secured, secured[14:]):
        read = recognise(data)
        assert read.name == "SPATEM"
        assert any("not verified" in note for note in read.notes)
    with pytest.raises(geonet.NotGeo, match="a secured packet"):
        geonet.read(secured[:60])


@pytest.mark.parametrize("standard", ["csae53-2020", "j2735", "etsi"])
def test_messages_of_every_set_are_found_in_their_wrappers(standard: str) -> None:
    said = replace(speech(site().settings, site().crossing), standard=standard)
    for frame in (
        MESSAGE_SETS[standard].spat(said, Counts()).unavailable(),
        MESSAGE_SETS[standard].map(said, site().crossing, Counts()).frames(Instant(0.0, 1.79e9))[0],
    ):
        bare = recognise(frame)
        dsm = b"\x04\x00\x80\x0a" + len(signed(frame)).to_bytes(2, "big") + signed(frame)
        for wrapped, notes in ((unsecured(frame), 1), (signed(frame), 1), (dsm, 2)):
            read = recognise(wrapped)
            assert (read.standard, read.name, read.value) == (bare.standard, bare.name, bare.value)
            assert len(read.notes) == len(bare.notes) + notes
            assert recognise(wrapped, standard.removesuffix("-2020")).value == bare.value
