"""The virtual controller's TSCBM face: blobs read by hand from the table of the facts."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.controller_view import COLOURS, Span
from hil.devices.tscbm_front import TscbmFront, TscbmManners
from tests.hil.small_view import SmallView, ends_in

# Offsets of the u16 bitmaps, facts 5
REDS, YELLOWS, GREENS, DONT_WALK, PED_CLEAR, WALK = range(210, 222, 2)
OVERLAP_REDS, OVERLAP_YELLOWS, OVERLAP_GREENS, FLASHING, FLASHING_OVERLAPS = range(222, 232, 2)
BITMAPS = range(210, 232, 2)
DAY_S = 86_400


def blob(view: SmallView, version: int = 1, now_s: float = 0.0) -> bytes:
    front = TscbmFront(view, TscbmManners(version=version))
    front.opened(now_s)
    (data,) = front.due(now_s)
    return data


def times(data: bytes, phase: int) -> tuple[int, ...]:
    """Vehicle, pedestrian and overlap (least, most) of a phase, in tenths of a second."""
    number, *fields = struct.unpack_from(">B6H", data, 2 + 13 * (phase - 1))
    assert number == phase
    return tuple(fields)


def lit(data: bytes) -> dict[int, int]:
    """offset -> bitmap, of those that are not empty."""
    found = {at: int.from_bytes(data[at : at + 2], "big") for at in BITMAPS}
    return {at: bits for at, bits in found.items() if bits}


def only(group: int, colour: str) -> dict[int, int]:
    """What a blob lights where only this group does not stand dark."""
    return lit(blob(SmallView(known=dict.fromkeys(range(1, 25), "dark") | {group: colour})))


@pytest.mark.parametrize(("version", "size", "flags"), [(1, 241, 0x08), (2, 245, 0x10)])
def test_each_version_has_its_length_and_says_so(version: int, size: int, flags: int) -> None:
    data = blob(SmallView(), version)
    assert len(data) == size
    assert data[:2] == b"\xcd\x10"
    assert data[234] == flags


def test_a_blob_of_nothing_is_its_frame_byte_for_byte() -> None:
    # By hand from facts 5: sixteen numbered blocks of zeros, no lamp, version 1, 3661.5 s into the day
    data = blob(SmallView(known={}, utc_less_now_s=3661.5))
    blocks = b"".join(bytes((number,)) + bytes(12) for number in range(1, 17))
    assert data[:235] == b"\xcd\x10" + blocks + bytes(22) + b"\x00\x00\x08"
    assert data[236:] == bytes.fromhex("000e4d" + "01f4")


@pytest.mark.parametrize(
    ("group", "phase", "place"),
    [(1, 1, 0), (16, 16, 0), (17, 1, 2), (20, 4, 2), (21, 1, 4), (24, 4, 4)],
)
def test_each_group_has_its_place_in_the_blocks(group: int, phase: int, place: int) -> None:
    others = dict.fromkeys(set(range(1, 25)) - {group}, Span(0.0, 0.0, 0.0))
    data = blob(SmallView(spans=others | {group: Span(30.0, None, None)}))
    assert times(data, phase)[place : place + 2] == (300, 0xFFFF)
    assert sum(0xFFFF in times(data, number) for number in range(1, 17)) == 1


@given(st.floats(0.0, 6000.0), st.floats(0.0, 500.0))
def test_the_truth_lies_between_least_and_most(least_s: float, more_s: float) -> None:
    data = blob(SmallView(spans={3: Span(least_s, least_s, least_s + more_s)}))
    least, most = times(data, 3)[:2]
    assert least_s - 0.11 <= least / 10 <= least_s + 1e-9
    assert least_s + more_s - 1e-9 <= most / 10 <= least_s + more_s + 0.11


def test_an_end_that_nobody_knows_may_come_at_once_or_never() -> None:
    assert times(blob(SmallView(spans={3: Span(None, None, None)})), 3)[:2] == (0, 0xFFFF)


@pytest.mark.parametrize("seconds", [6553.5, 7000.0, 1e9])
def test_a_far_end_is_never_taken_for_an_unknown_one(seconds: float) -> None:
    assert times(blob(SmallView(spans={3: ends_in(seconds)})), 3)[:2] == (0xFFFE, 0xFFFE)


def test_a_phase_without_lamps_has_no_times() -> None:
    data = blob(SmallView(known={1: "red"}))
    assert times(data, 1) == (0, 0xFFFF, 0, 0, 0, 0)
    assert times(data, 5) == (0,) * 6


@pytest.mark.parametrize(
    ("colour", "maps"),
    [("dark", ()), ("red", (REDS,)), ("red_flash", (REDS, FLASHING)), ("red_yellow", (REDS, YELLOWS)),
     ("yellow", (YELLOWS,)), ("yellow_flash", (YELLOWS, FLASHING)), ("green", (GREENS,)),
     ("green_flash", (GREENS, FLASHING))],
)  # fmt: skip
@pytest.mark.parametrize("phase", [1, 9, 16])
def test_vehicles_light_their_phases_bits(phase: int, colour: str, maps: tuple[int, ...]) -> None:
    assert only(phase, colour) == dict.fromkeys(maps, 1 << phase - 1)


@pytest.mark.parametrize(
    ("colour", "maps"),
    [("dark", ()), ("red", (DONT_WALK,)), ("red_flash", (DONT_WALK,)), ("green", (WALK,)),
     ("green_flash", (PED_CLEAR,))],
)  # fmt: skip
def test_pedestrians_walk_clear_and_wait(colour: str, maps: tuple[int, ...]) -> None:
    assert only(19, colour) == dict.fromkeys(maps, 1 << 2)


@pytest.mark.parametrize(
    ("colour", "maps"),
    [("dark", ()), ("red", (OVERLAP_REDS,)), ("red_yellow", (OVERLAP_REDS, OVERLAP_YELLOWS)),
     ("yellow_flash", (OVERLAP_YELLOWS, FLASHING_OVERLAPS)), ("green", (OVERLAP_GREENS,)),
     ("green_flash", (OVERLAP_GREENS, FLASHING_OVERLAPS))],
)  # fmt: skip
def test_overlaps_light_bits_of_their_own(colour: str, maps: tuple[int, ...]) -> None:
    assert only(24, colour) == dict.fromkeys(maps, 1 << 3)


@given(st.dictionaries(st.integers(1, 24), st.sampled_from(COLOURS)))
def test_lamps_of_any_colours_never_light_a_green_and_a_red_of_one_phase(known: dict[int, str]) -> None:
    bits = lit(blob(SmallView(known=known)))
    for red, green in ((REDS, GREENS), (OVERLAP_REDS, OVERLAP_GREENS), (DONT_WALK, WALK)):
        assert bits.get(red, 0) & bits.get(green, 0) == 0


@pytest.mark.parametrize(
    ("view", "bit"),
    [(SmallView(), 0), (SmallView(mode="manual"), 0), (SmallView(mode="flash", faults=(0x10,)), 2),
     (SmallView(preempt=1), 3), (SmallView(priority=1), 4), (SmallView(mode="flash"), 7)],
)  # fmt: skip
def test_the_status_counts_its_bits_as_all_bitmaps_of_the_blob_do(view: SmallView, bit: int) -> None:
    assert blob(view)[232] == (0 if view == SmallView() else 1 << bit)


@pytest.mark.parametrize(
    ("utc_s", "second", "ms"),
    [(0.0, 0, 0), (DAY_S - 0.5, DAY_S - 1, 500), (7 * DAY_S + 1.25, 1, 250), (-0.5, DAY_S - 1, 500)],
)
def test_the_clock_is_seconds_and_milliseconds_of_the_day(utc_s: float, second: int, ms: int) -> None:
    data = blob(SmallView(utc_less_now_s=utc_s))
    assert (int.from_bytes(data[236:239], "big"), int.from_bytes(data[239:241], "big")) == (second, ms)


def test_blobs_come_ten_times_a_second_and_are_numbered() -> None:
    front = TscbmFront(SmallView(), TscbmManners())
    assert front.next_s() is None
    front.opened(5.0)
    numbers = []
    for _ in range(300):
        next_s = front.next_s()
        assert next_s is not None
        assert front.due(next_s - 0.001) == []
        numbers.append(front.due(next_s)[0][235])
    assert all((after - before) % 256 == 1 for before, after in pairwise(numbers))
    assert front.next_s() == pytest.approx(35.0)


def test_another_period_is_kept_too() -> None:
    front = TscbmFront(SmallView(), TscbmManners(period_s=0.25))
    front.opened(0.0)
    assert [len(front.due(tick / 100)) for tick in range(100)].count(1) == 4


def test_a_frozen_unit_repeats_one_blob() -> None:
    view = SmallView()
    front = TscbmFront(view, TscbmManners())
    front.opened(0.0)
    front.due(0.0)
    front.frozen = True
    view.known[1], view.mode = "green", "manual"
    first, second = front.due(0.1), front.due(0.2)
    assert first == second
    assert lit(first[0])[REDS] == 0xFFFF
    front.frozen = False
    assert lit(front.due(0.35)[0])[GREENS] == 1


def test_a_line_that_closes_ends_the_blobs() -> None:
    front = TscbmFront(SmallView(), TscbmManners())
    front.opened(0.0)
    front.closed()
    assert front.next_s() is None
    assert front.due(9.0) == []


def test_changes_wait_for_the_next_blob() -> None:
    assert TscbmFront(SmallView(), TscbmManners()).changed([1], 0.0) == []


@given(st.lists(st.binary(max_size=300), max_size=9))
def test_what_it_hears_is_counted_and_neither_raises_nor_is_taken_for_a_write(heard: list[bytes]) -> None:
    front = TscbmFront(SmallView(), TscbmManners())
    front.opened(0.0)
    for data in heard:
        front.hear(data, 0.0)
    assert (front.unexpected, front.writes) == (len(heard), 0)
    assert len(front.due(0.0)) == 1
