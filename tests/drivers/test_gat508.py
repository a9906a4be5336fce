"""GA/T 508 displays: both generations in one stream, colours and seconds, hostile bytes."""

from __future__ import annotations

import itertools
from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.gat508.session import LEARN_S, Session
from drivers.gat508.settings import Settings
from drivers.gat508.wire import Deframer, Entry, Frame, Garbled
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Control, GroupTimes, Lamp, Programme, SignalReport


def old(direction: int, colour: int, seconds: int) -> bytes:
    """A frame of 2004, by the facts' table."""
    head = colour | direction << 2 | 0x20
    digits = bytes.fromhex(f"{seconds:04d}")
    return bytes([0xFE, head, *digits, 0x7F & (head ^ digits[0] ^ digits[1])])


def new(entries: dict[int, tuple[int, int]], count: int = 4) -> bytes:
    """A frame of 2014; addresses that are not named are black."""
    body = bytes([count])
    for address in range(count):
        colour, seconds = entries.get(address, (0, 0))
        body += bytes([colour | address << 3, seconds])
    return b"\x55\xaa" + body + bytes([reduce(xor, body)])


def entries(*chunks: bytes) -> list[Entry]:
    deframer = Deframer()
    events = [event for chunk in chunks for event in deframer.receive(chunk, 0.0)]
    return [entry for event in events if isinstance(event, Frame) for entry in event.entries]


def test_a_frame_of_2004_tells_one_direction() -> None:
    assert old(2, 3, 47).hex() == "fe2b00476c"
    assert entries(old(2, 3, 47)) == [Entry(2, 3, 47)]
    assert entries(old(0, 1, 1234)) == [Entry(0, 1, 1234)]


@pytest.mark.parametrize(("count", "size"), [(4, 12), (32, 68)])
def test_a_frame_of_2014_tells_every_address(count: int, size: int) -> None:
    frame = new({0: (1, 30), count - 1: (3, 99)}, count)
    assert len(frame) == size
    told = entries(frame)
    assert (told[0], told[-1]) == (Entry(0, 1, 30), Entry(count - 1, 3, 99))


@given(st.lists(st.integers(0, 200), max_size=8), st.binary(max_size=10))
def test_frames_of_both_generations_survive_any_split_and_noise(cuts: list[int], noise: bytes) -> None:
    clean = bytes(byte for byte in noise if byte not in (0xFE, 0x55, 0xAA))
    stream = clean + old(1, 2, 3) + new({1: (3, 9)}) + clean + old(3, 1, 60)
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    told = entries(*(stream[a:b] for a, b in itertools.pairwise(places)))
    assert [entry for entry in told if entry.colour] == [Entry(1, 2, 3), Entry(1, 3, 9), Entry(3, 1, 60)]


@pytest.mark.parametrize("at", range(12))
def test_a_flipped_bit_is_no_frame(at: int) -> None:
    for frame in (new({0: (1, 30)}), old(1, 2, 33)):
        if at < len(frame):
            broken = bytes([*frame[:at], frame[at] ^ 0x04, *frame[at + 1 :]])
            assert not entries(broken + b"\0" * 80)


def test_digits_that_are_none_are_no_frame() -> None:
    head = 1 | 0x20
    assert not entries(bytes([0xFE, head, 0x0A, 0x00, 0x7F & (head ^ 0x0A)]))


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_no_bytes_can_break_a_session_or_fill_it(chunks: list[bytes]) -> None:
    own = Session(Settings(port="x"), 0.0)
    for n, chunk in enumerate(chunks):
        list(own.receive(chunk + b"\x55\xaa\x20", n * 0.01))
    assert len(own._deframer._held) < 100


def test_a_pause_ends_a_frame() -> None:
    deframer = Deframer()
    assert not list(deframer.receive(new({})[:5], 0.0))
    assert [type(e) for e in deframer.receive(new({}), 2.0)] == [Garbled, Frame]


def heard(own: Session, frames: list[bytes], every_s: float = 1.0) -> list[SignalReport | Programme]:
    return [item for n, frame in enumerate(frames) for item in own.receive(frame, n * every_s)]


def test_displays_that_are_ever_lit_become_groups_and_black_is_no_colour_of_the_lamp() -> None:
    frames = [new({0: (1, 30 - n), 2: (3, 60 - n) if n != 8 else (0, 0)}) for n in range(10)]
    got = heard(Session(Settings(port="x"), 0.0), frames)
    programme = next(item for item in got if isinstance(item, Programme))
    assert programme.groups == (1, 3)
    assert programme.lamps[1].name == "display 2"
    reports = [item for item in got if isinstance(item, SignalReport)]
    assert [report.complete for report in reports].index(True) == int(LEARN_S)
    assert reports[8].lamps == (Lamp(1, Colour.GREEN), Lamp(3, Colour.UNKNOWN))
    assert reports[9].times == (
        GroupTimes(1, likely_s=21.0, display=True),
        GroupTimes(3, likely_s=51.0, display=True),
    )
    assert reports[9].control is Control.UNKNOWN


def test_frames_of_one_direction_each_make_a_complete_report_together() -> None:
    frames = [old(n % 4, 3 if n % 2 else 1, 20) for n in range(40)]
    got = heard(Session(Settings(port="x"), 0.0), frames, 0.25)
    whole = [item for item in got if isinstance(item, SignalReport) and item.complete]
    assert len(whole) >= 4
    assert {lamp.group for lamp in whole[-1].lamps} == {1, 2, 3, 4}


def test_the_site_file_names_displays_and_then_only_those_count() -> None:
    own = Session(Settings(port="x", groups={7: 2}), 0.0)
    programme, report = heard(own, [new({0: (1, 5), 2: (2, 3)})])
    assert isinstance(programme, Programme)
    assert isinstance(report, SignalReport)
    assert report.lamps == (Lamp(7, Colour.YELLOW),)
    assert report.complete


def test_nothing_is_ever_sent_and_silence_and_rubbish_are_told_apart() -> None:
    own = Session(Settings(port="x"), 0.0)
    assert own.next_bytes(1.0) is None
    with pytest.raises(DeviceLost, match="silent"):
        own.check(own.wake_s(0.0) + 0.1)
    list(own.receive(bytes(40), 6.0))
    with pytest.raises(DeviceLost, match="garbled"):
        own.check(20.0)
