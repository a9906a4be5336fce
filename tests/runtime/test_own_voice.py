"""Our own name on air: a repeating radio and a second speaker are told apart, our echo and others are not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rsu_agent.outlets.bits import NotSpat
from rsu_agent.runtime.own_voice import GRACE_S, LASTS_S, OLD_S, REMEMBERED, REPEATS, SECOND, SURE, OwnVoice
from rsu_agent.world.health import DeviceHealth, DeviceState


@dataclass(frozen=True)
class Read:
    node: int
    region: int


def read(frame: bytes) -> Read:
    """Frames of this test: `S`, node, anything."""
    if frame[:1] != b"S":
        raise NotSpat("no SPAT")
    return Read(frame[1], 0)


def ours(number: int) -> bytes:
    return b"S\x0c" + number.to_bytes(4, "big")


@pytest.fixture
def told() -> list[DeviceHealth]:
    return []


@pytest.fixture
def voice(told: list[DeviceHealth]) -> OwnVoice:
    made = OwnVoice(read, "SPAT", (12, 0), told.append)
    for tick in range(100):
        made.sent("SPAT", ours(tick), tick / 10)
    return made


def reasons(told: list[DeviceHealth]) -> list[tuple[DeviceState, str]]:
    return [(health.state, health.reason) for health in told]


def test_our_own_frame_heard_at_once_is_an_echo(voice: OwnVoice, told: list[DeviceHealth]) -> None:
    for tick in range(60, 100):
        voice.overheard(ours(tick), tick / 10 + OLD_S / 2)
    assert voice.counters == {"own": 40}
    assert told == []


def test_an_old_frame_of_ours_is_a_radio_that_repeats(voice: OwnVoice, told: list[DeviceHealth]) -> None:
    for n in range(SURE):
        assert told == []
        voice.overheard(ours(80), 10.0 + n)
    assert reasons(told) == [(DeviceState.DEGRADED, REPEATS)]


def test_a_frame_with_our_identity_that_we_never_sent_is_somebody_else(
    voice: OwnVoice, told: list[DeviceHealth]
) -> None:
    for n in range(SURE + 5):
        voice.overheard(b"S\x0c" + bytes([n]) + b"other", 10.0 + n / 10)
    assert reasons(told) == [(DeviceState.DEGRADED, SECOND)]


def test_the_next_crossing_bsms_and_noise_are_of_no_concern(
    voice: OwnVoice, told: list[DeviceHealth]
) -> None:
    for frame in (b"S\x0dnext", b"Bsm", b"", b"\xff" * 40):
        for n in range(10):
            voice.overheard(frame, 10.0 + n / 10)
    assert (dict(voice.counters), told) == ({}, [])


def test_single_frames_far_apart_are_no_alarm(voice: OwnVoice, told: list[DeviceHealth]) -> None:
    for n in range(20):
        voice.overheard(b"S\x0cx" + bytes([n]), 20.0 + 7.0 * n)
    assert told == []


def test_what_our_last_run_sent_is_not_somebody_else() -> None:
    told: list[DeviceHealth] = []
    voice = OwnVoice(read, "SPAT", (12, 0), told.append)
    for n in range(10):
        voice.overheard(ours(n), float(n) / 10)
    voice.sent("SPAT", ours(100), 1.0)
    for n in range(10):
        voice.overheard(ours(n), 1.0 + GRACE_S * n / 11)
    assert told == []
    for n in range(SURE):
        voice.overheard(ours(n), 1.1 + GRACE_S + n)
    assert reasons(told) == [(DeviceState.DEGRADED, SECOND)]


def test_it_is_over_a_minute_after_the_last_one_also_when_nothing_is_heard_any_more(
    voice: OwnVoice, told: list[DeviceHealth]
) -> None:
    for n in range(SURE):
        voice.overheard(ours(80), 10.0 + n)
    voice.sent("SPAT", ours(500), 12.0 + LASTS_S - 0.1)
    assert len(told) == 1
    voice.sent("SPAT", ours(501), 12.1 + LASTS_S)
    assert reasons(told)[1:] == [(DeviceState.OK, "ok")]


def test_only_spat_is_remembered_and_not_for_ever(voice: OwnVoice) -> None:
    voice.sent("MAP", b"S\x0cmap", 10.0)
    for tick in range(REMEMBERED + 10):
        voice.sent("SPAT", ours(10_000 + tick), 10.0 + tick / 10)
    assert len(voice._sent) == REMEMBERED
    voice.overheard(b"S\x0cmap", 300.0)
    assert voice.counters == {SECOND: 1}
