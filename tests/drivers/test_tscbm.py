"""TSCBM blobs: layout, colours, the controller's own bounds, order of datagrams, hostile bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.tscbm.meaning import FAULT_FLASH, FLASH, MANUAL, PREEMPT, PRIORITY, outputs
from drivers.tscbm.session import LEARN_S, Session
from drivers.tscbm.settings import Settings
from drivers.tscbm.wire import Blob, parse
from rsu_agent.ports.named_groups import NamedGroups
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Colour, Control, GroupTimes, Lamp, Programme, SignalReport

NOON_MS = 43_200_000


def made(
    maps: dict[str, int] | None = None,
    times: dict[int, tuple[int, ...]] | None = None,
    *,
    status: int = 0,
    day_ms: int = NOON_MS,
    sequence: int = 0,
    version: int = 1,
) -> bytes:
    """A blob made here by offset (facts/controllers 5)."""
    data = bytearray(241 if version == 1 else 245)
    data[0:2] = 0xCD, 16
    for n in range(16):
        values = (times or {}).get(n + 1, (0, 0xFFFF) * 3)
        data[2 + 13 * n : 15 + 13 * n] = bytes([n + 1]) + struct.pack(">6H", *values)
    names = (
        "red",
        "yellow",
        "green",
        "dont",
        "clear",
        "walk",
        "ored",
        "oyellow",
        "ogreen",
        "flash",
        "oflash",
    )
    for n, name in enumerate(names):
        data[210 + 2 * n : 212 + 2 * n] = (maps or {}).get(name, 0).to_bytes(2, "big")
    data[232], data[234], data[235] = status, version << 3, sequence
    data[236:239] = (day_ms // 1000).to_bytes(3, "big")
    data[239:241] = (day_ms % 1000).to_bytes(2, "big")
    return bytes(data)


RING = {"green": 0b00100010, "red": 0b11011101, "dont": 0b10001000, "clear": 0b00000010, "walk": 0b00100000}


def run(own: Session, blobs: list[bytes], start_s: float = 0.0) -> list[SignalReport | Programme]:
    return [item for n, blob in enumerate(blobs) for item in own.receive(blob, start_s + n * 0.1)]


def ticks(count: int, **more: object) -> list[bytes]:
    return [made(RING, day_ms=NOON_MS + 100 * n, sequence=n % 256, **more) for n in range(count)]  # type: ignore[arg-type]


def test_the_layout_is_read_at_its_offsets() -> None:
    blob = parse(made(RING, {3: (15, 300, 0, 0, 0, 0)}, status=0x20, day_ms=NOON_MS + 700, version=2))
    assert isinstance(blob, Blob)
    assert (blob.version, blob.status, blob.day_ms) == (2, 0x20, NOON_MS + 700)
    assert (blob.blocks[2].vehicle_least, blob.blocks[2].vehicle_most) == (15, 300)
    assert blob.bitmaps.greens == 0b00100010


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "mark"),
        (b"\xcc" + made()[1:], "mark"),
        (made()[:-1], "size"),
        (made() + b"\0", "size"),
        (b"\xcd\x08" + made()[2:], "blocks"),
        (made(version=2)[:234] + b"\x08" + made(version=2)[235:], "version"),
        (made()[:236] + b"\xff\xff\xff" + made()[239:], "time"),
    ],
)
def test_what_is_wrong_with_a_blob_is_named(data: bytes, why: str) -> None:
    assert parse(data) == why


def test_bytes_236_are_the_second_of_day_and_not_hour_minute_second() -> None:
    blob = parse(made(day_ms=86_399_900))
    assert isinstance(blob, Blob)
    assert blob.day_ms == 86_399_900


@pytest.mark.parametrize(
    ("maps", "shows"),
    [
        ({"red": 1}, Colour.RED),
        ({"red": 1, "flash": 1}, Colour.RED_FLASH),
        ({"red": 1, "yellow": 1}, Colour.RED_YELLOW),
        ({"yellow": 1}, Colour.YELLOW),
        ({"yellow": 1, "flash": 1}, Colour.YELLOW_FLASH),
        ({"green": 1}, Colour.GREEN),
        ({"green": 1, "flash": 1}, Colour.GREEN_FLASH),
        ({}, Colour.DARK),
        ({"red": 1, "green": 1}, Colour.UNKNOWN),
    ],
)
def test_colours_of_a_vehicle_phase(maps: dict[str, int], shows: Colour) -> None:
    blob = parse(made(maps))
    assert isinstance(blob, Blob)
    assert next(told for told in outputs(blob) if told.output == ("phase", 1)).colour is shows


@pytest.mark.parametrize(
    ("maps", "shows"),
    [
        ({"dont": 4}, Colour.RED),
        ({"clear": 4}, Colour.GREEN_FLASH),
        ({"dont": 4, "clear": 4}, Colour.GREEN_FLASH),
        ({"walk": 4}, Colour.GREEN),
        ({"walk": 4, "dont": 4}, Colour.UNKNOWN),
    ],
)
def test_colours_of_a_pedestrian_output(maps: dict[str, int], shows: Colour) -> None:
    blob = parse(made(maps))
    assert isinstance(blob, Blob)
    assert next(told for told in outputs(blob) if told.output == ("ped", 3)).colour is shows


@pytest.mark.parametrize(
    ("pair", "least_s", "most_s"),
    [
        ((15, 300), 1.5, 30.0),
        ((0, 0xFFFF), 0.0, None),
        ((40, 30), 4.0, None),
        ((0xFFFF, 0xFFFF), None, None),
        ((0, 0), 0.0, None),
        ((0, 1), 0.0, 0.1),
    ],
)
def test_bounds_are_in_seconds_and_an_unknown_maximum_is_none(
    pair: tuple[int, int], least_s: float | None, most_s: float | None
) -> None:
    blob = parse(made({"green": 1}, {1: (*pair, 0, 0, 0, 0)}))
    assert isinstance(blob, Blob)
    told = next(outputs(blob))
    assert (told.least_s, told.most_s) == (least_s, most_s)


def test_the_block_of_a_phase_is_found_by_its_number_and_not_by_its_place() -> None:
    data = bytearray(made({"green": 0b100}))
    data[2:15] = bytes([3]) + struct.pack(">6H", 10, 20, 0, 0, 0, 0)
    data[2 + 26 : 15 + 26] = bytes([1]) + struct.pack(">6H", 70, 80, 0, 0, 0, 0)
    blob = parse(bytes(data))
    assert isinstance(blob, Blob)
    told = {each.output: each for each in outputs(blob)}
    assert told["phase", 3].most_s == 2.0
    assert told["phase", 1].most_s == 8.0


def test_outputs_that_are_ever_lit_become_groups_after_two_seconds_and_reports_are_complete_then() -> None:
    got = run(Session(Settings(), 0.0), ticks(30))
    programme = next(item for item in got if isinstance(item, Programme))
    assert programme.groups == (1, 2, 3, 4, 5, 6, 7, 8, 102, 104, 106, 108)
    assert programme.lamps[-1].name == "ped 8"
    reports = [item for item in got if isinstance(item, SignalReport)]
    assert [report.complete for report in reports].index(True) == int(LEARN_S * 10)
    assert Lamp(102, Colour.GREEN_FLASH) in reports[-1].lamps
    assert reports[-1].controller_day_ms == NOON_MS + 2900


def test_an_output_that_lights_up_later_is_added() -> None:
    own = Session(Settings(), 0.0)
    run(own, ticks(30))
    later = made(RING | {"ored": 1}, day_ms=NOON_MS + 5000)
    programme = next(item for item in run(own, [later], 5.0) if isinstance(item, Programme))
    assert programme.groups[-1] == 201


def test_the_site_file_names_groups_and_then_only_those_count() -> None:
    own = Session(Settings(groups={17: "ped 2", 1: "phase 2"}), 0.0)
    programme, report = run(own, ticks(1))
    assert isinstance(programme, Programme)
    assert isinstance(report, SignalReport)
    assert programme.groups == (1, 17)
    assert report.lamps == (Lamp(1, Colour.GREEN), Lamp(17, Colour.GREEN_FLASH))
    assert report.complete
    assert report.times[0] == GroupTimes(1, least_s=0.0)


@pytest.mark.parametrize(
    ("status", "control"),
    [(0, Control.ACTUATED), (0x20, Control.ACTUATED), (MANUAL, Control.MANUAL), (2, Control.MANUAL),
     (FAULT_FLASH, Control.FLASH), (FLASH, Control.FLASH)],
)  # fmt: skip
def test_the_status_byte_never_means_fixed_time(status: int, control: Control) -> None:
    report = run(Session(Settings(), 0.0), [made(RING, status=status)])[-1]
    assert isinstance(report, SignalReport)
    assert report.control is control
    assert report.fault_flash is bool(status & FAULT_FLASH)


def test_preemption_and_priority_are_told() -> None:
    report = run(Session(Settings(), 0.0), [made(RING, status=PREEMPT | PRIORITY)])[-1]
    assert isinstance(report, SignalReport)
    assert (report.preempt, report.priority) == (True, True)


def test_a_doubled_and_a_late_blob_are_passed_over_but_midnight_and_a_set_clock_are_not() -> None:
    own = Session(Settings(), 0.0)
    times = [86_399_900, 86_399_900, 86_399_800, 0, 100, 50_000_000, 40_000_000]
    got = run(own, [made(RING, day_ms=t) for t in times])
    assert own.counters["out_of_order"] == 2
    assert [r.controller_day_ms for r in got if isinstance(r, SignalReport)] == [
        86_399_900, 0, 100, 50_000_000, 40_000_000
    ]  # fmt: skip


def test_a_clock_without_milliseconds_costs_no_blob() -> None:
    own = Session(Settings(), 0.0)
    run(own, [made(RING, day_ms=NOON_MS, sequence=n) for n in range(10)])
    assert own.counters["reports"] == 10


def test_silence_and_other_datagrams_are_told_apart_and_nothing_is_ever_sent() -> None:
    own = Session(Settings(), 0.0)
    assert own.next_bytes(0.0) is None
    with pytest.raises(DeviceLost, match="silent"):
        own.check(own.wake_s(0.0) + 0.1)
    list(own.receive(b"GET / HTTP/1.1 and so on and so on and so on", 1.0))
    with pytest.raises(DeviceLost, match="garbled"):
        own.check(9.0)


@given(st.binary(max_size=300), st.binary(min_size=239, max_size=239))
def test_no_datagram_can_break_the_session(any_bytes: bytes, body: bytes) -> None:
    own = Session(Settings(), 0.0)
    for datagram in (any_bytes, b"\xcd\x10" + body, b"\xcd\x10" + body + bytes(4)):
        list(own.receive(datagram, 1.0))


def test_numbers_of_named_groups_stay_when_more_are_learnt() -> None:
    groups = NamedGroups({})
    assert groups.learn([("phase", 2), ("overlap", 1)])
    assert not groups.learn([("phase", 2)])
    assert groups.learn([("ped", 2)])
    assert groups.known == {("phase", 2): 2, ("ped", 2): 102, ("overlap", 1): 201}
