"""TI mmWave frames: four header variants, lies about length, any split, and points in the sensor's frame."""

from __future__ import annotations

import math
import os
import struct
import tty

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.ti_mmwave.driver import PLUGIN
from drivers.ti_mmwave.link import COOKED_BYTES, LARGEST_BUFFER, Deframer, RawFrame, read_frame
from drivers.ti_mmwave.settings import Settings
from drivers.ti_mmwave.wire import header_good
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost

MAGIC = bytes.fromhex("0201040306050807")
CLOCK = SystemClock()
COUNTED = {"pc3d_4x"}  # whose TLV lengths include the TLV's own eight bytes
SIZES = {"sdk": 40, "traffic_monitoring": 52, "pc3d_4x": 48, "area": 44}


def built(variant: str, number: int, *tlvs: tuple[int, bytes], total: int | None = None) -> bytes:
    """A frame laid out as facts/radars.md 1.2 has it, written apart from the driver."""
    own = 8 if variant in COUNTED else 0
    body = b"".join(struct.pack("<II", kind, len(data) + own) + data for kind, data in tlvs)
    size = SIZES[variant] + len(body)
    padding = 0 if variant == "pc3d_4x" else -size % 32
    whole = size + padding if total is None else total
    n = len(tlvs)
    match variant:
        case "sdk":
            head = struct.pack("<8I", 0x03050004, whole, 0xA6843, number, 7, 0, n, 0)
        case "area":
            head = struct.pack("<9I", 0x03050004, whole, 0xA6843, number, 7, 0, n, 0, 0)
        case "pc3d_4x":
            head = struct.pack("<9IHH", 0x04000000, whole, 0xA6843, number, 0, 1, 2, 3, 4, n, 0)
        case _:
            head = struct.pack("<10IHH", 0x03050004, 0xA6843, 9, whole, number, 0, 1, 2, 3, 4, n, 0)
    if variant in ("pc3d_4x", "traffic_monitoring"):
        words = sum(struct.unpack(f"<{(len(MAGIC) + len(head)) // 2}H", MAGIC + head))
        head = head[:-2] + struct.pack("<H", ~((words >> 16) + (words & 0xFFFF)) & 0xFFFF)
    return MAGIC + head + body + bytes(padding)


POINTS = struct.pack("<4f", 1.0, 20.0, 0.5, -3.0) + struct.pack("<4f", -2.0, 30.0, 0.0, 4.0)
TARGET = struct.pack("<I27f", 12, 1.0, 20.0, 0.5, 0.25, -3.0, *[0.0] * 22)
COMPRESSED = struct.pack("<5f", 0.01, 0.01, 0.1, 0.01, 0.04) + struct.pack("<bbhHH", 0, 50, -20, 2000, 10)
GOOD = {
    "sdk": built("sdk", 41, (1, POINTS), (1010, TARGET)),
    "pc3d_4x": built("pc3d_4x", 41, (6, COMPRESSED), (7, TARGET)),
    "traffic_monitoring": built(
        "traffic_monitoring", 41, (6, struct.pack("<4f", 20.0, 0.5, 0.0, 1.0)), (7, TARGET)
    ),
    "area": built("area", 41, (1, struct.pack("<4f", 20.0, 0.0, 0.0, 1.0))),
}


def read(*chunks: bytes, profile: str = "auto") -> tuple[list[RawFrame], Deframer]:
    deframer = Deframer(921_600, profile)
    return [frame for chunk in chunks for frame in deframer.receive(chunk, 1.0)], deframer


def decoded(frame: bytes) -> RadarFrame:
    (raw,), _ = read(frame)
    return read_frame(raw, 0.0, 0, {})


@pytest.mark.parametrize("variant", sorted(GOOD))
@pytest.mark.parametrize("profile", ["auto", "own"])
def test_each_variant_is_found_by_its_bytes_and_by_its_name(variant: str, profile: str) -> None:
    (raw,), _ = read(GOOD[variant], profile=variant if profile == "own" else "auto")
    assert (raw.variant.name, raw.number) == (variant, 41)


def test_the_checksum_covers_the_header_only() -> None:
    head = GOOD["pc3d_4x"][:48]
    assert header_good(head)
    assert not header_good(head[:20] + b"\x2a" + head[21:])


def test_points_turn_from_right_forward_up_to_forward_left_up() -> None:
    first, second = decoded(GOOD["sdk"]).points
    assert (first.x_forward_m, first.y_left_m, first.z_up_m, first.doppler_mps) == (20.0, -1.0, 0.5, -3.0)
    assert (second.x_forward_m, second.y_left_m) == (30.0, 2.0)


def test_spherical_and_compressed_points_turn_the_same_way() -> None:
    (point,) = decoded(GOOD["traffic_monitoring"]).points
    assert point.x_forward_m == pytest.approx(20 * math.cos(0.5))
    assert point.y_left_m == pytest.approx(-20 * math.sin(0.5))
    (point,) = decoded(GOOD["pc3d_4x"]).points
    assert point.x_forward_m == pytest.approx(20 * math.cos(0.5), rel=1e-5)
    assert point.y_left_m == pytest.approx(-20 * math.sin(0.5), rel=1e-5)
    assert point.doppler_mps == pytest.approx(-2.0)


def test_a_target_of_112_bytes_is_read_and_turned() -> None:
    (target,) = decoded(GOOD["sdk"]).targets
    assert (target.target, target.x_forward_m, target.y_left_m) == (12, 20.0, -1.0)
    assert (target.vx_forward_mps, target.vy_left_mps) == (-3.0, -0.25)


def test_an_empty_list_of_points_is_a_frame_without_points() -> None:
    assert decoded(built("sdk", 1, (1, b""))).points == ()
    assert decoded(built("sdk", 1)).points == ()


def test_a_known_number_of_a_wrong_length_is_passed_over_and_counted() -> None:
    counters: dict[str, int] = {}
    (raw,), _ = read(built("sdk", 1, (1, bytes(17)), (6, bytes(128)), (999, b"x"), (1010, TARGET)))
    frame = read_frame(raw, 0.0, 0, counters)
    assert (frame.points, len(frame.targets)) == ((), 1)
    assert counters == {"bad_tlv_length": 1, "other_tlvs": 2}


def test_not_a_number_makes_no_point() -> None:
    wild = struct.pack("<4f", math.nan, 1.0, 0.0, 0.0) + struct.pack("<4f", 1.0, math.inf, 0.0, 0.0)
    assert len(decoded(built("sdk", 1, (1, wild + POINTS))).points) == 2


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


def test_a_header_with_a_good_checksum_that_announces_too_much_costs_one_frame() -> None:
    liar = built("pc3d_4x", 42, (6, COMPRESSED), total=400)  # about 80 bytes follow, as in a real capture
    later = [built("pc3d_4x", number, (6, COMPRESSED)) for number in range(50, 60)]
    frames, _ = read(liar + later[0], *later[1:])
    assert [frame.number for frame in frames] == list(range(50, 60))


def test_a_terminal_that_eats_carriage_returns_is_suspected() -> None:
    deframer = Deframer(921_600)
    list(deframer.receive(b"\x0a" * COOKED_BYTES, 1.0))
    assert deframer.counters["cooked_tty_suspected"] == 1


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=300), st.sampled_from([MAGIC, *GOOD.values()])), max_size=30))
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    frames, deframer = read(*chunks)
    for raw in frames:
        read_frame(raw, 0.0, 0, {})
    assert len(deframer._buffer) <= LARGEST_BUFFER


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
