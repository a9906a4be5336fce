"""RTMS G4: recorded sums, worked events, stamps in decimal digits, both units, any split, lies."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.rtms_g4 import wire
from drivers.rtms_g4.deframer import LARGEST_BYTES, PATIENCE_S, Deframer, Garbled, Heard
from drivers.rtms_g4.driver import PLUGIN
from drivers.rtms_g4.link import Link
from drivers.rtms_g4.settings import Settings
from rsu_agent.ports.devices import Passing, RadarFrame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.memory_line import plug, unplug
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

CAPTURES = Path(__file__).parents[2] / "drivers/rtms_g4/captures/frames.txt"
VECTORS = {
    row.split()[0]: bytes.fromhex(row.split()[2])
    for row in CAPTURES.read_text().splitlines()
    if not row.startswith("#")
}
MPH = 0.44704


def framed(kind: int, data: bytes, sensor: int = 4) -> bytes:
    """Laid out by hand (facts/radars 3.3)."""
    inside = sensor.to_bytes(2, "big") + data
    return b"\xff\xaa" + bytes((kind, len(inside))) + inside + (sum(inside) % 65536).to_bytes(2, "big")


def passed(
    zone: int = 3, stamp: str = "2530410805140326", unit: int = 0, speed: int = 80, length: int = 46
) -> bytes:
    body = bytes((zone, 2, length, speed)) + b"\x01\x5e" + bytes.fromhex(stamp) + bytes([unit])
    return framed(0x5E, body)


def chosen(**more: object) -> Settings:
    return Settings.model_validate({"port": "tcp://192.0.2.1:9", "latency_ms": 0, **more})


def run(*chunks: bytes, step_s: float = 0.1, **more: object) -> tuple[list[RadarFrame], Link]:
    link = Link(chosen(**more), 0.0)
    return [f for n, chunk in enumerate(chunks) for f in link.receive(chunk, 1.0 + n * step_s)], link


def only(*chunks: bytes, **more: object) -> Passing:
    (frame,), _ = run(*chunks, **more)  # type: ignore[arg-type]
    (passing,) = frame.passings
    return passing


def test_the_sums_of_recorded_frames_hold_and_they_tell_no_vehicle() -> None:
    frames, link = run(VECTORS["volumes"] + VECTORS["statistics-end"])
    assert frames == []
    assert (link.counters["frames"], link.counters["other_frames"], link.counters["garbled"]) == (2, 2, 0)


def test_the_worked_car_is_read_as_it_was_worked() -> None:
    passing = only(VECTORS["car"])
    assert (passing.zone, passing.dwell_s) == (3, 0.35)
    assert passing.speed_mps == pytest.approx(80 / 3.6)
    assert passing.length_m == pytest.approx(4.6)


def test_the_worked_truck_of_a_sensor_in_miles_an_hour_is_read_so() -> None:
    passing = only(VECTORS["truck-mph"])
    assert passing.zone == 1
    assert passing.speed_mps == pytest.approx(35 * MPH)
    assert passing.length_m == pytest.approx(12.0)


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2530410805140326", datetime(2026, 3, 14, 8, 41, 30, 250_000, tzinfo=UTC)),
        ("9959592302311225", datetime(2025, 12, 31, 23, 59, 59, 990_000, tzinfo=UTC)),
        ("0000000007290228", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_stamps_are_decimal_digits_from_hundredths_to_year(stamp: str, at: datetime) -> None:
    told = wire.vehicle(passed(stamp=stamp)[6:-2])
    assert told is not None
    assert told.stamp_s == pytest.approx(at.timestamp())


@pytest.mark.parametrize(
    "stamp", ["0000000000000000", "0a30410805140326", "0000000007290227", "0060000007010126"]
)
def test_a_stamp_that_is_no_date_costs_nothing_but_itself(stamp: str) -> None:
    (frame,), link = run(passed(stamp=stamp))
    assert frame.passings[0].at_s == 1.0, "the arrival"
    assert link.counters["bad_stamps"] == 1


def test_what_the_sensor_did_not_measure_is_none() -> None:
    passing = only(passed(speed=0, length=0))
    assert (passing.speed_mps, passing.length_m) == (None, None)


@pytest.mark.parametrize("body", [b"", bytes(14), bytes(16), bytes(14) + b"\x02"])
def test_an_event_of_another_size_or_unit_is_counted_and_not_guessed(body: bytes) -> None:
    frames, link = run(framed(0x5E, body))
    assert frames == []
    assert link.counters["strange_events"] == 1


def test_a_line_that_stalls_moves_no_vehicle() -> None:
    stamps = ["0010000805140326", "0011000805140326", "0012000805140326"]
    link = Link(chosen(), 0.0)
    arrivals = (20.0, 21.0, 25.5)
    frames = [
        f for stamp, at in zip(stamps, arrivals, strict=True) for f in link.receive(passed(stamp=stamp), at)
    ]
    assert [frame.passings[0].at_s for frame in frames] == [pytest.approx(t) for t in (20.0, 21.0, 22.0)]


def test_a_clock_set_by_an_hour_moves_no_vehicle_either() -> None:
    frames, link = run(passed(stamp="0010000805140326"), passed(stamp="0010000905140326"))
    assert [frame.passings[0].at_s for frame in frames] == [pytest.approx(1.0), pytest.approx(1.1)]
    assert link.counters["clock_jumps"] == 1


def test_only_the_named_sensor_of_a_shared_line_counts() -> None:
    frames, link = run(passed(zone=1), framed(0x5E, passed(zone=2)[6:-2], sensor=5), sensor=5)
    assert [frame.passings[0].zone for frame in frames] == [2]
    assert link.counters["other_sensors"] == 1


@pytest.mark.parametrize(("at", "why"), [(8, "sum"), (-1, "sum")])
def test_a_flipped_bit_costs_its_frame_only(at: int, why: str) -> None:
    good = passed()
    broken = bytearray(good)
    broken[at] ^= 0x10
    frames, link = run(bytes(broken) + good)
    assert len(frames) == 1
    assert link.counters[f"garbled_{why}"] == 1


@pytest.mark.parametrize("length", [0, 1, 40, 255])
def test_a_length_that_lies_costs_no_good_frame(length: int) -> None:
    good = passed()
    liar = good[:3] + bytes([length]) + good[4:]
    frames, link = run(liar + good, b"", step_s=PATIENCE_S + 0.5)
    assert [frame.passings[0].zone for frame in frames][-1:] == [3]
    assert link.counters["garbled"] >= 1


STREAM = b"".join(passed(zone=n) + framed(0x10, b"\xff\xaa" * n) for n in range(6))


@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=40))
def test_any_frames_survive_any_split(cuts: set[int]) -> None:
    deframer, places = Deframer(), [0, *sorted(cuts), len(STREAM)]
    found = [f for a, b in pairwise(places) for f in deframer.receive(STREAM[a:b], 1.0)]
    assert not [f for f in found if isinstance(f, Garbled)]
    zones = [f.frame.data[0] for f in found if isinstance(f, Heard) and f.frame.kind == 0x5E]
    assert zones == list(range(6))


@given(st.binary(max_size=200))
def test_noise_never_costs_the_next_good_frame(noise: bytes) -> None:
    frames, _ = run(noise + passed(), b"", step_s=2.0)  # a mark in the noise may hold it back
    assert [frame.passings[0].zone for frame in frames][-1:] == [3]


@given(
    st.lists(
        st.one_of(st.binary(max_size=200), st.sampled_from([b"\xff\xaa", *VECTORS.values()])), max_size=30
    )
)
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    _, link = run(*chunks, step_s=0.01)
    assert link.kept_bytes <= LARGEST_BYTES


def test_a_night_without_vehicles_is_no_loss_unless_the_site_says_so() -> None:
    Link(chosen(), 0.0).check(40_000.0)
    with pytest.raises(DeviceLost, match="silent"):
        Link(chosen(silence_s=60), 0.0).check(61.0)


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["rtms_g4"] is PLUGIN


@pytest.mark.anyio
async def test_over_a_slow_line_the_first_byte_is_the_instant() -> None:
    clock = FakeClock()
    far = plug("g4", clock, baud=9600)
    got: list[RadarFrame] = []

    async def listen() -> None:
        async with PLUGIN.open(chosen(port="memory:g4", latency_ms=100), clock) as radar:
            async for frame in radar:
                got.append(frame)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.advance(1.0)
        written_s = clock.now_s()
        await far.write(passed())
        await clock.advance(1.0)
        tasks.cancel_scope.cancel()
    unplug("g4")
    assert got[0].passings[0].at_s == pytest.approx(written_s - 0.1, abs=0.005)
