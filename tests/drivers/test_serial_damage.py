"""Both serial lines under damage: bytes lost, added, flipped, split and merged cost no good frame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from gbt20999_peer import sent
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_frames import SIZES, built

from drivers.gbt20999.deframer import LARGEST_BYTES
from drivers.gbt20999.deframer import Deframer as ControllerDeframer
from drivers.gbt20999.wire import Address, Checksum, Frame, Garbled, Kind
from drivers.ti_mmwave.link import LARGEST_BUFFER
from drivers.ti_mmwave.link import Deframer as RadarDeframer

DAMAGES = st.one_of(
    st.just(("whole", 0, b"")),
    st.just(("whole", 0, b"")),
    st.tuples(st.just("head lost"), st.integers(1, 300), st.just(b"")),
    st.tuples(st.just("tail lost"), st.integers(1, 300), st.just(b"")),
    st.tuples(st.just("middle lost"), st.integers(1, 300), st.just(b"")),
    st.tuples(st.just("flipped"), st.integers(0, 5000), st.just(b"")),
    st.tuples(st.just("garbage before"), st.just(0), st.binary(min_size=1, max_size=80)),
)


def damaged(frame: bytes, damage: tuple[str, int, bytes]) -> tuple[bytes, bool]:
    """What comes of a frame, and whether it is still whole."""
    what, size, noise = damage
    size = min(size, len(frame))
    match what:
        case "head lost":
            return frame[size:], False
        case "tail lost":
            return frame[:-size], False
        case "middle lost":
            at = (len(frame) - size) // 2
            return frame[:at] + frame[at + size :], False
        case "flipped":
            at, bit = divmod(damage[1], 8)
            at %= len(frame)
            return frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :], False
    return noise + frame, True


def chunks_of(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    """Split there."""
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[a:b] for a, b in pairwise(places)]


def is_subsequence(wanted: Sequence[int], found: Sequence[int]) -> bool:
    """Whether these come in this order, others perhaps between."""
    rest = iter(found)
    return all(number in rest for number in wanted)


def controller_frame(number: int, values: list[bytes]) -> bytes:
    pairs = [(Address(3, 3, 1, element), data) for element, data in enumerate(values, 1)]
    return sent(Kind.REPLY, pairs, sequence=number)


@settings(max_examples=250)
@given(
    st.lists(st.tuples(st.lists(st.binary(max_size=12), max_size=5), DAMAGES), min_size=1, max_size=12),
    st.lists(st.integers(0, 5000), max_size=12),
)
def test_on_the_controllers_line_every_whole_frame_is_found(
    sequence: list[tuple[list[bytes], tuple[str, int, bytes]]], cuts: list[int]
) -> None:
    stream, whole = b"", []
    for number, (values, damage) in enumerate(sequence, 1):
        data, intact = damaged(controller_frame(number, values), damage)
        stream += data
        whole += [number] if intact else []
    deframer = ControllerDeframer(Checksum.X1005)
    events = [event for chunk in chunks_of(stream, cuts) for event in deframer.receive(chunk, 1.0)]
    found = [event.sequence for event in events if isinstance(event, Frame)]
    assert is_subsequence(whole, found)


@settings(max_examples=60)
@given(st.lists(st.integers(0, 255), max_size=40), st.integers(0, 20))
def test_two_controller_frames_merged_by_a_lost_end_or_start_cost_no_later_frame(
    values: list[int], cut: int
) -> None:
    frame = controller_frame(1, [bytes(values)])
    for merged in (frame[:-1] + frame, frame + frame[1:], frame[:-1] + frame[1:]):
        deframer = ControllerDeframer(Checksum.X1005)
        stream = merged + controller_frame(7, []) + controller_frame(8, [])
        events = [event for chunk in chunks_of(stream, [cut]) for event in deframer.receive(chunk, 1.0)]
        found = [event.sequence for event in events if isinstance(event, Frame)]
        assert found[-2:] == [7, 8]
        assert any(isinstance(event, Garbled) for event in events)


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(1, 60))
def test_the_controllers_deframer_keeps_no_more_than_one_frame(noise: bytes, times: int) -> None:
    deframer = ControllerDeframer(Checksum.X1005)
    for _ in range(times):
        list(deframer.receive(noise, 1.0))
        assert len(deframer._raw or b"") <= LARGEST_BYTES


def radar_frame(variant: str, number: int, payload: bytes) -> bytes:
    return built(variant, number, (99, payload), (1, b""))


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(SIZES)),
    st.booleans(),
    st.lists(st.tuples(st.binary(max_size=60), DAMAGES), min_size=1, max_size=10),
    st.lists(st.integers(0, 9000), max_size=12),
)
def test_on_the_radars_line_every_whole_frame_of_every_header_is_found(
    variant: str, named: bool, sequence: list[tuple[bytes, tuple[str, int, bytes]]], cuts: list[int]
) -> None:
    stream = b"".join(radar_frame(variant, number, b"") for number in (1, 2, 3))
    whole = [1, 2, 3]
    for number, (payload, damage) in enumerate(sequence, 4):
        data, intact = damaged(radar_frame(variant, number, payload), damage)
        stream += data
        whole += [number] if intact else []
    stream += b"".join(radar_frame(variant, number, b"") for number in (90, 91))
    deframer = RadarDeframer(921_600, variant if named else "auto")
    found = [frame for chunk in chunks_of(stream, cuts) for frame in deframer.receive(chunk, 1.0)]
    assert {frame.variant.name for frame in found} == {variant}
    assert is_subsequence([*whole, 90, 91], [frame.number for frame in found])
    assert len(deframer._buffer) <= LARGEST_BUFFER


@pytest.mark.parametrize("variant", sorted(SIZES))
def test_a_radar_frame_without_its_last_byte_costs_the_next_one_nothing_wherever_the_line_pauses(
    variant: str,
) -> None:
    frames = [radar_frame(variant, number, b"") for number in range(1, 8)]
    torn = b"".join(frames[:5]) + frames[5][:-1] + frames[6]
    for pause in range(len(torn) - len(frames[6]) - 2, len(torn)):
        deframer = RadarDeframer(921_600, "auto")
        found = [frame for chunk in chunks_of(torn, [pause]) for frame in deframer.receive(chunk, 1.0)]
        assert [frame.number for frame in found] == [1, 2, 3, 4, 5, 7]


@pytest.mark.parametrize("variant", sorted(SIZES))
def test_a_radar_frame_merged_into_another_costs_only_the_one_it_tore(variant: str) -> None:
    frames = [radar_frame(variant, number, bytes(range(40))) for number in range(1, 8)]
    for at in range(1, len(frames[3])):
        stream = b"".join(frames[:3]) + frames[3][:at] + frames[4] + frames[3][at:] + frames[5] + frames[6]
        deframer = RadarDeframer(921_600)
        found = [frame.number for frame in deframer.receive(stream, 1.0)]
        assert is_subsequence([1, 2, 3, 5, 6, 7], found), at


def test_what_is_thrown_away_is_counted_byte_for_byte_on_the_radars_line() -> None:
    frame = radar_frame("sdk", 5, b"x" * 9)
    deframer = RadarDeframer(921_600, "sdk")
    list(deframer.receive(b"n" * 50 + frame + frame[8:] + frame, 1.0))
    counted = ("noise_bytes", "frame_bytes", "resync_bytes")
    assert sum(deframer.counters[name] for name in counted) + len(deframer._buffer) == 50 + 3 * len(frame) - 8
    assert deframer.counters["frame_bytes"] == 2 * len(frame)
