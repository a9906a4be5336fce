"""Faults of the virtual radars: what each does to frames, clock and weather, and that it ends when told."""

from __future__ import annotations

import random

import pytest

from hil.devices.fault_table import FAULTS
from hil.devices.radar_faults import COMMON, HELD_BYTES, TRUNCATED_SHARE, VALUES, OwnClock, RadarFaults
from hil.devices.radar_front import after

FRAME = bytes(range(200))
FRAMES = 3000


def lie(frame: bytes, dice: random.Random) -> bytes:
    return b"lie" + frame[3:]


def with_fault(name: str, on: bool | float = True) -> RadarFaults:
    faults = RadarFaults(1)
    assert faults.obey(name, on, 0.0)
    return faults


def spoilt(faults: RadarFaults, keep: int = 0) -> list[bytes]:
    return [faults.spoil(FRAME, lie, keep) for _ in range(FRAMES)]


def test_without_a_fault_frames_are_whole() -> None:
    assert set(spoilt(RadarFaults(1))) == {FRAME}


@pytest.mark.parametrize(("on", "share"), [(True, 0.2), (0.5, 0.5), (1.0, 1.0)])
def test_frames_are_dropped_by_their_share(on: bool | float, share: float) -> None:
    gone = spoilt(with_fault("drop_frame", on))
    assert gone.count(b"") / FRAMES == pytest.approx(share, abs=0.03)
    assert set(gone) <= {FRAME, b""}


def test_some_frames_lack_so_many_bytes_at_their_end() -> None:
    gone = spoilt(with_fault("truncate", 30.0))
    assert set(gone) == {FRAME, FRAME[:-30]}
    assert gone.count(FRAME[:-30]) / FRAMES == pytest.approx(TRUNCATED_SHARE, abs=0.03)


def test_bits_flip_by_their_share_of_bytes() -> None:
    gone = spoilt(with_fault("bitflip", 0.01))
    wrong = [a ^ b for frame in gone for a, b in zip(frame, FRAME, strict=True) if a != b]
    assert len(wrong) / (FRAMES * len(FRAME)) == pytest.approx(0.01, rel=0.05)
    assert set(wrong) == {1 << bit for bit in range(8)}


def test_a_share_of_frames_lies() -> None:
    gone = spoilt(with_fault("length_lie"))
    assert sum(frame.startswith(b"lie") for frame in gone) / FRAMES == pytest.approx(0.3, abs=0.03)


def test_noise_stands_before_and_within() -> None:
    gone = {frame for frame in spoilt(with_fault("garbage")) if frame != FRAME}
    assert {len(frame) for frame in gone} == {len(FRAME) + 39}


def test_silent_nothing_leaves() -> None:
    assert set(spoilt(with_fault("silence"))) == {b""}


@pytest.mark.parametrize("name", ["truncate", "bitflip", "garbage"])
def test_the_identifier_of_a_can_frame_is_never_damaged(name: str) -> None:
    faults = with_fault(name, 0.3 if name == "bitflip" else True)
    assert all(frame[:2] == FRAME[:2] for frame in spoilt(faults, 2))


def test_a_stall_holds_back_and_lets_all_go_at_once() -> None:
    faults = with_fault("stall", 2.0)
    assert faults.stalled_until(1.0) == 2.0
    assert faults.held([b"a", b"b"], 0.5) == []
    assert faults.held([b"c"], 1.9) == []
    assert faults.held([b"d"], 2.1) == [b"a", b"b", b"c", b"d"]
    assert faults.held([b"e"], 2.2) == [b"e"]
    assert faults.stalled_until(2.2) is None


def test_a_long_stall_loses_what_no_buffer_holds() -> None:
    faults = with_fault("stall", 100.0)
    for _ in range(200):
        faults.held([bytes(1000)], 1.0)
    assert sum(map(len, faults.held([], 101.0))) <= HELD_BYTES


def test_cooked_carriage_returns_become_line_feeds() -> None:
    assert RadarFaults(1).cooked(b"\r\n") == b"\r\n"
    assert with_fault("cooked_tty").cooked(b"a\r\nb\r") == b"a\n\nb\n"


def test_a_skewed_clock_does_not_jump_when_it_is_set() -> None:
    clock = OwnClock(100.0)
    assert clock.own_s(160.0) == 60.0
    clock.skew(1000.0, 160.0)
    assert clock.own_s(160.0) == 60.0
    assert clock.own_s(170.0) == pytest.approx(70.01)
    assert clock.ahead_s(170.0) == pytest.approx(0.01)
    clock.skew(0.0, 170.0)
    assert clock.own_s(180.0) == pytest.approx(80.01)
    clock.reset(180.0)
    assert clock.own_s(181.0) == pytest.approx(1.0)
    clock.skew(-1000.0, 181.0)
    assert clock.true_s(1.0) > 1.0


def test_weather_follows_its_faults() -> None:
    faults = with_fault("blocked")
    faults.obey("interference", True, 0.0)
    faults.obey("freeze", True, 0.0)
    assert (faults.weather.blocked, faults.weather.interference, faults.weather.frozen) == (True, True, True)
    for name in ("blocked", "interference", "freeze"):
        faults.obey(name, False, 0.0)
    assert (faults.weather.blocked, faults.weather.interference, faults.weather.frozen) == (
        False,
        False,
        False,
    )


@pytest.mark.parametrize("name", [*VALUES, *COMMON])
def test_every_fault_ends_when_told(name: str) -> None:
    faults = with_fault(name)
    faults.obey(name, False, 1.0)
    assert faults.held([faults.spoil(FRAME, lie)], 1.0) == [FRAME]
    assert faults.cooked(b"\r") == b"\r"
    assert not faults.on(name)


def test_the_rig_knows_the_same_faults_and_no_others_are_obeyed() -> None:
    assert set(VALUES) | set(COMMON) == set(FAULTS["radar"]) - {"unplug", "replug", "kill"}
    assert not RadarFaults(1).obey("black", True, 0.0)


def test_a_beat_is_kept_until_it_is_missed_by_a_quarter() -> None:
    assert after(1.0, 0.1, 1.02) == pytest.approx(1.1)
    assert after(1.0, 0.1, 1.05) == pytest.approx(1.15)
    assert after(1.0, 0.1, 9.0) == pytest.approx(9.1)
