"""TI mmWave frames in a byte stream: four headers, found by their bytes; lies about length; any split."""

from __future__ import annotations

import os
import random
import struct
import tty
from itertools import pairwise

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ti_frames import MAGIC, SIZES, Tlv, built, compressed, floats, target

from drivers.ti_mmwave.driver import PLUGIN
from drivers.ti_mmwave.link import (
    COOKED_BYTES,
    COOKED_FEEDS,
    LARGEST_BUFFER,
    LOCK_AFTER,
    MOST_INNER,
    STALL_S,
    Deframer,
    RawFrame,
)
from drivers.ti_mmwave.settings import Settings
from drivers.ti_mmwave.wire import header_good
from rsu_agent.ports import memory_line
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

CLOCK = SystemClock()
POINTS = floats((1.0, 20.0, 0.5, -3.0), (-2.0, 30.0, 0.0, 4.0))
COMPRESSED = compressed((0, 50, -20, 2000, 10))
TLVS: dict[str, list[Tlv]] = {
    "sdk": [(1, POINTS), (1010, target(12))],
    "pc3d_4x": [(6, COMPRESSED), (7, target(12))],
    "traffic_monitoring": [(6, floats((20.0, 0.5, 0.0, 1.0))), (7, target(12))],
    "area": [(1, floats((20.0, 0.0, 0.0, 1.0)))],
}
GOOD = {variant: built(variant, 41, *tlvs) for variant, tlvs in TLVS.items()}


def read(*chunks: bytes, profile: str = "auto") -> tuple[list[RawFrame], Deframer]:
    deframer = Deframer(921_600, profile)
    return [frame for chunk in chunks for frame in deframer.receive(chunk, 1.0)], deframer


# Headers


@pytest.mark.parametrize("variant", sorted(GOOD))
@pytest.mark.parametrize("profile", ["auto", "own"])
def test_each_variant_is_found_by_its_bytes_and_by_its_name(variant: str, profile: str) -> None:
    (raw,), _ = read(GOOD[variant], profile=variant if profile == "own" else "auto")
    assert (raw.variant.name, raw.number) == (variant, 41)


@pytest.mark.parametrize("variant", sorted(GOOD))
def test_after_three_good_frames_the_variant_is_settled(variant: str) -> None:
    frames = [built(variant, number, *TLVS[variant]) for number in range(LOCK_AFTER)]
    frames_before, deframer = read(*frames[:-1])
    assert (len(frames_before), deframer.variant) == (LOCK_AFTER - 1, None)
    list(deframer.receive(frames[-1], 1.0))
    assert deframer.variant == variant
    other = "sdk" if variant != "sdk" else "area"
    found = list(deframer.receive(GOOD[other] + GOOD[variant], 1.0))
    assert [frame.variant.name for frame in found] == [variant]


def test_three_frames_must_come_on_end_to_settle_a_variant() -> None:
    mixed = [GOOD["pc3d_4x"], GOOD["pc3d_4x"], GOOD["sdk"]] * 3
    frames, deframer = read(*mixed)
    assert (len(frames), deframer.variant) == (9, None)


@pytest.mark.parametrize("kind", [1, 8])
def test_an_area_frame_without_points_is_not_settled_as_another(kind: int) -> None:
    """Its 44 bytes and one empty part can be read as a 40-byte header with one foreign part."""
    frames, deframer = read(*[built("area", number, (kind, b"")) for number in range(LOCK_AFTER)])
    assert {frame.variant.name for frame in frames} == {"area"}
    assert deframer.variant == "area"


def test_frames_without_any_part_settle_nothing() -> None:
    frames, deframer = read(*[built("area", number) for number in range(10)])
    assert (len(frames), deframer.variant) == (10, None)
    found = [*deframer.receive(b"".join(built("area", n, *TLVS["area"]) for n in range(5)), 1.0)]
    assert {frame.variant.name for frame in found} == {"area"}
    assert deframer.variant == "area"


def test_the_platform_number_of_one_header_is_no_length_for_another() -> None:
    """0xA6843 = 682,051 stands where three of the headers have the length: nobody waits for so many bytes."""
    frames, deframer = read(GOOD["traffic_monitoring"])
    assert len(frames) == 1
    assert not deframer._buffer


def test_the_checksum_covers_the_header_only() -> None:
    head = GOOD["pc3d_4x"][:48]
    assert header_good(head)
    assert not header_good(head[:20] + b"\x2a" + head[21:])


def test_a_checksum_worked_out_by_hand_is_good() -> None:
    """Magic 0102+0304+0506+0708 = 1014; then 0004 0000, 0030 0000, 6843 000a, 0029 0000, 0, and numTLVs 0.

    1014 + 4 + 30 + 6843 + A + 29 = 78BE; nothing to fold; its complement is 8741.
    """
    head = MAGIC + struct.pack("<9IHH", 4, 48, 0xA6843, 41, 0, 0, 0, 0, 0, 0, 0x8741)
    assert header_good(head)
    frames, _ = read(head, profile="pc3d_4x")
    assert [frame.number for frame in frames] == [41]


# Lies


def lying(variant: str, **fields: int) -> bytes:
    """A good frame with other figures in its header, the checksum made right again."""
    at = {
        "sdk": {"total": 12, "tlvs": 32},
        "area": {"total": 12, "tlvs": 32},
        "pc3d_4x": {"total": 12, "tlvs": 44},
        "traffic_monitoring": {"total": 20, "tlvs": 48},
    }[variant]
    data = bytearray(GOOD[variant])
    for name, value in fields.items():
        size = 2 if name == "tlvs" and variant in ("pc3d_4x", "traffic_monitoring") else 4
        data[at[name] : at[name] + size] = value.to_bytes(size, "little")
    if variant in ("pc3d_4x", "traffic_monitoring"):
        size = SIZES[variant]
        data[size - 2 : size] = bytes(2)
        words = sum(struct.unpack(f"<{size // 2}H", data[:size]))
        data[size - 2 : size] = struct.pack("<H", ~((words >> 16) + (words & 0xFFFF)) & 0xFFFF)
    return bytes(data)


@pytest.mark.parametrize("variant", sorted(GOOD))
@pytest.mark.parametrize(
    ("fields", "counter"),
    [
        ({"total": 32}, "total_too_small"),
        ({"total": 65_568}, "total_too_large"),
        ({"total": 0xFFFFFFFF}, "total_too_large"),
        ({"tlvs": 33}, "too_many_tlvs"),
        ({"tlvs": 20}, "tlv_beyond_total"),
        ({"tlvs": 0}, "tlvs_end_early"),
    ],
)
def test_each_lie_has_its_counter_and_costs_one_frame(
    variant: str, fields: dict[str, int], counter: str
) -> None:
    frames, deframer = read(lying(variant, **fields), GOOD[variant], profile=variant)
    assert [frame.number for frame in frames] == [41]
    told = ("bad", "total", "too_many", "tlv", "cut", "stalled")
    assert {name: count for name, count in deframer.counters.items() if name.startswith(told)} == {counter: 1}


@pytest.mark.parametrize("variant", ["sdk", "area", "traffic_monitoring"])
def test_a_length_that_is_no_multiple_of_32_is_a_lie_where_frames_are_padded(variant: str) -> None:
    frames, deframer = read(lying(variant, total=len(GOOD[variant]) - 4), GOOD[variant], profile=variant)
    assert (len(frames), deframer.counters["total_unaligned"]) == (1, 1)


def test_a_part_smaller_than_its_own_head_is_a_lie_where_lengths_count_it() -> None:
    liar = bytearray(GOOD["pc3d_4x"])
    liar[52:56] = struct.pack("<I", 7)
    frames, deframer = read(bytes(liar), GOOD["pc3d_4x"])
    assert (len(frames), deframer.counters["tlv_too_small"]) == (1, 1)


def test_a_header_with_a_wrong_checksum_is_counted() -> None:
    bad = GOOD["pc3d_4x"][:46] + b"\0\0" + GOOD["pc3d_4x"][48:]
    frames, deframer = read(bad, GOOD["pc3d_4x"], profile="pc3d_4x")
    assert (len(frames), deframer.counters["bad_checksum"]) == (1, 1)


def test_a_header_with_a_good_checksum_that_announces_too_much_costs_one_frame() -> None:
    liar = built("pc3d_4x", 42, (6, COMPRESSED), total=400)  # about 80 bytes follow, as in a real capture
    later = [built("pc3d_4x", number, (6, COMPRESSED)) for number in range(50, 60)]
    frames, deframer = read(liar + later[0], *later[1:])
    assert [frame.number for frame in frames] == list(range(50, 60))
    assert deframer.counters["cut_short"] == 1


def test_a_false_magic_in_the_contents_hides_no_frame_that_begins_behind_it() -> None:
    """Bytes were lost in a frame that held the magic: the next frame stands inside the span it claims."""
    torn = built("sdk", 5, (99, MAGIC + bytes(200)))[:120]
    later = [built("sdk", number, (1, POINTS)) for number in (6, 7, 8)]
    frames, deframer = read(torn + b"".join(later), profile="sdk")
    assert [frame.number for frame in frames] == [6, 7, 8]
    assert deframer.counters["cut_short"] == 1


def test_false_magics_in_the_contents_of_a_whole_frame_cost_it_nothing_unless_they_are_many() -> None:
    few = built("sdk", 5, (99, (MAGIC + bytes([255] * 50)) * MOST_INNER))
    many = built("sdk", 6, (99, (MAGIC + bytes([255] * 50)) * (MOST_INNER + 2)))
    frames, _ = read(few, many, GOOD["sdk"], profile="sdk")
    assert [frame.number for frame in frames] == [5, 41]


def test_a_claim_that_the_line_does_not_keep_is_given_up_in_time() -> None:
    deframer = Deframer(921_600, "sdk")
    liar = built("sdk", 1, (99, bytes(64)), total=60_000 // 32 * 32)
    assert not list(deframer.receive(liar, 10.0))
    assert not list(deframer.receive(b"\xaa" * 8, 10.5))
    rest_s = 10.0 + STALL_S + 60_000 * 10 / 921_600
    found = [*deframer.receive(b"\xaa" * 8, rest_s + 0.1), *deframer.receive(GOOD["sdk"], rest_s + 0.2)]
    assert [frame.number for frame in found] == [41]
    assert deframer.counters["stalled"] == 1


@pytest.mark.parametrize("variant", ["traffic_monitoring", "pc3d_4x"])
def test_noise_that_looks_like_another_header_does_not_blind_the_first_frames(variant: str) -> None:
    """A slow radar: the sixty thousand bytes that the noise announces would take minutes."""
    noise = MAGIC + struct.pack("<8I", 1, 59_968, 0xA6843, 5, 6, 0, 2, 0)
    frames, _ = read(noise, GOOD[variant])
    assert [frame.number for frame in frames] == [41]


# Splits and noise


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(GOOD)))
def test_any_frames_survive_any_split(draw: st.DataObject, variant: str) -> None:
    stream = b"".join(built(variant, number, (1, b""), (99, bytes(number))) for number in range(5))
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(stream) - 1), max_size=40)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    frames, _ = read(*chunks)
    assert [frame.number for frame in frames] == [0, 1, 2, 3, 4]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(sorted(GOOD)))
def test_noise_never_costs_the_next_good_frame(noise: bytes, variant: str) -> None:
    frames, _ = read(noise, GOOD[variant])
    assert [frame.number for frame in frames] == [41]


@pytest.mark.parametrize("variant", sorted(GOOD))
@pytest.mark.parametrize("lost", [1, 9, 30])
def test_a_frame_cut_short_costs_itself_only(variant: str, lost: int) -> None:
    later = built(variant, 43, *[(99, bytes(64))])
    frames, deframer = read(GOOD[variant], GOOD[variant][:-lost], later, later)
    assert [frame.number for frame in frames] == [41, 43, 43]
    assert deframer.counters["resync_bytes"] > 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([MAGIC, *GOOD.values()])), max_size=30))
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    _, deframer = read(*chunks)
    assert len(deframer._buffer) <= LARGEST_BUFFER
    assert len(deframer._inner) <= MOST_INNER + 1


def test_a_frame_is_stamped_at_its_first_byte() -> None:
    deframer, frame = Deframer(921_600), GOOD["sdk"]
    assert not list(deframer.receive(frame[:100], 10.0))
    (raw,) = deframer.receive(frame[100:], 10.5)
    assert raw.first_byte_s == pytest.approx(10.0 - 100 * 10 / 921_600)


ENDS_LIKE_A_MAGIC: list[Tlv] = [
    (6, compressed((0, 0, 0, 4000, 0x0200)))
]  # 20 dB in steps of 0.04: its last byte is 2


def test_an_end_that_may_begin_another_frame_waits_for_the_next_bytes_or_for_a_pause() -> None:
    first, second = (built("pc3d_4x", number, *ENDS_LIKE_A_MAGIC) for number in (1, 2))
    deframer = Deframer(921_600)
    assert not list(deframer.receive(first, 1.0))
    assert deframer.open_end
    assert [frame.number for frame in deframer.receive(second, 1.1)] == [1]
    assert deframer.open_end
    assert [frame.number for frame in deframer.pause()] == [2]
    assert not deframer.open_end
    assert not list(deframer.pause())


def test_a_pause_ends_no_frame_that_is_not_whole() -> None:
    deframer = Deframer(921_600)
    assert not list(deframer.receive(GOOD["pc3d_4x"][:-1], 1.0))
    assert not list(deframer.pause())
    assert [frame.number for frame in deframer.receive(GOOD["pc3d_4x"][-1:], 1.1)] == [41]


# A terminal that is not raw


def test_a_terminal_that_eats_carriage_returns_is_suspected() -> None:
    deframer = Deframer(921_600)
    list(deframer.receive(b"\x0a" * COOKED_BYTES, 1.0))
    assert deframer.counters["cooked_tty_suspected"] == 1


def test_a_cooked_line_raises_nothing_and_is_suspected_while_a_raw_one_is_not() -> None:
    for cooked in (False, True):
        chance, deframer = random.Random(5), Deframer(921_600)
        for number in range(600):
            rows = [(chance.gauss(0, 9), chance.uniform(5, 60), 0.0, chance.gauss(0, 4)) for _ in range(6)]
            frame = built("sdk", number, (1, floats(*rows)))
            list(deframer.receive(frame.replace(b"\r", b"\n") if cooked else frame, number / 10))
        assert bool(deframer.counters["cooked_tty_suspected"]) is cooked


def test_an_empty_road_at_night_raises_no_suspicion() -> None:
    """Frames without points hold hardly a carriage return by themselves, and hardly a line feed."""
    deframer = Deframer(921_600)
    for number in range(14, 14 + 240):  # no 13 and no 10 among them
        list(deframer.receive(built("sdk", number, (1, b""), cycles=0), number / 10))
    assert 3 * COOKED_BYTES < 240 * 64
    assert not deframer.counters["cooked_tty_suspected"]
    list(deframer.receive(b"\n" * (COOKED_FEEDS - 1), 40.0))
    assert not deframer.counters["cooked_tty_suspected"]


# The driver


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["ti_mmwave"] is PLUGIN


@pytest.mark.anyio
async def test_frames_come_over_a_pseudo_terminal_until_it_is_unplugged() -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    async with PLUGIN.open(Settings(data_port=os.ttyname(slave)), CLOCK) as radar:
        for number in (41, 42, 45):
            os.write(master, built("sdk", number, (1, POINTS)))
        with anyio.fail_after(5):
            frames = [await anext(radar) for _ in range(3)]
        assert [frame.number for frame in frames] == [41, 42, 45]
        assert [frame.missed for frame in frames] == [0, 0, 2]
        assert frames[0].measured_s < CLOCK.now_s()
        assert radar.variant == "sdk"
        os.close(slave)
        os.close(master)
        with pytest.raises(DeviceLost) as lost, anyio.fail_after(5):
            await anext(radar)
    assert lost.value.reason == "closed"


@pytest.mark.anyio
async def test_a_radar_that_says_nothing_is_silent() -> None:
    master, slave = os.openpty()
    async with PLUGIN.open(Settings(data_port=os.ttyname(slave), silence_s=0.3), CLOCK) as radar:
        with pytest.raises(DeviceLost) as lost:
            await anext(radar)
    assert lost.value.reason == "silent"
    os.close(slave)
    os.close(master)


async def heard(
    settings: Settings, *sent: tuple[float, bytes]
) -> tuple[list[RadarFrame], DeviceLost, dict[str, int]]:
    """What a radar gives on a fake clock when these bytes are sent at these instants, until it is lost."""
    clock = FakeClock()
    far = memory_line.plug("ti-data", clock, 921_600)
    frames: list[RadarFrame] = []
    ended: list[tuple[DeviceLost, dict[str, int]]] = []

    async def listen() -> None:
        async with PLUGIN.open(settings, clock) as radar:
            try:
                async for frame in radar:
                    frames.append(frame)
            except DeviceLost as lost:
                ended.append((lost, dict(radar.counters)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        begin_s = clock.now_s()
        for at_s, data in sent:
            await clock.advance(begin_s + at_s - clock.now_s())
            await far.write(data)
        while not ended:
            await clock.advance(0.1)
    memory_line.unplug("ti-data")
    return frames, *ended[0]


@pytest.mark.anyio
async def test_measurement_is_the_latency_before_the_first_byte_whatever_the_length_of_the_frame() -> None:
    long = built("sdk", 2, (1, POINTS * 100))
    settings = Settings(data_port="memory:ti-data", latency_ms=80)
    frames, _, _ = await heard(settings, (0.5, built("sdk", 1, (1, POINTS))), (1.5, long))
    assert [frame.measured_s - 1000 for frame in frames] == pytest.approx([0.42, 1.42], abs=0.001)


@pytest.mark.anyio
async def test_a_frame_whose_end_may_begin_another_is_not_kept_until_that_one_comes() -> None:
    clock = FakeClock()
    far = memory_line.plug("ti-data", clock, 921_600)
    heard_s: list[float] = []

    async def listen() -> None:
        async with PLUGIN.open(Settings(data_port="memory:ti-data"), clock) as radar:
            await anext(radar)
            heard_s.append(clock.now_s())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(listen)
        await clock.advance(0.5)
        await far.write(built("pc3d_4x", 1, *ENDS_LIKE_A_MAGIC))
        await clock.advance(0.5)
        tasks.cancel_scope.cancel()
    memory_line.unplug("ti-data")
    assert heard_s == [pytest.approx(1000.5, abs=0.02)]


@pytest.mark.anyio
async def test_bytes_without_frames_are_garbled_and_a_cooked_terminal_is_named() -> None:
    settings = Settings(data_port="memory:ti-data")
    noise = [(0.1 * tick, b"\x5a" * 200) for tick in range(1, 40)]
    _, lost, _ = await heard(settings, *noise)
    assert (lost.reason, "baud rate" in lost.hint) == ("garbled", True)
    cooked = [(0.1 * tick, b"\x5a\n" * 200) for tick in range(1, 40)]
    _, lost, counters = await heard(settings, *cooked)
    assert (lost.reason, "not raw" in lost.hint) == ("garbled", True)
    assert counters["cooked_tty_suspected"] > 0


@pytest.mark.anyio
async def test_after_a_restart_the_jitter_of_the_line_is_taken_out_again() -> None:
    numbers = [*range(900, 930), *range(500_000, 500_060)]
    late_s = [0.012 * (place % 2) for place in range(len(numbers))]
    sent = [
        (0.1 * place + late_s[place], built("pc3d_4x", number, (6, COMPRESSED)))
        for place, number in enumerate(numbers)
    ]
    frames, _, counters = await heard(Settings(data_port="memory:ti-data"), *sent[1:])
    steps = [b.measured_s - a.measured_s for a, b in pairwise(frames[-10:])]
    assert steps == pytest.approx([0.1] * 9, abs=0.002)
    assert counters["resets"] == 1


@pytest.mark.anyio
async def test_a_restart_of_the_radar_is_counted_once() -> None:
    numbers = [900, 901, 902, 1, 2, 3]
    sent = [(0.1 * place, built("sdk", number, (1, POINTS))) for place, number in enumerate(numbers, 1)]
    frames, _, counters = await heard(Settings(data_port="memory:ti-data"), *sent)
    assert [frame.number for frame in frames] == numbers
    assert (counters["resets"], counters["missed"], counters["frames"]) == (1, 0, 6)
