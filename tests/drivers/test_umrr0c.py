"""UMRR-0C: worked frames, reversed words, classes by length, a check that only counts, any split, lies."""

from __future__ import annotations

import logging
import os
import tty
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.umrr0c import wire
from drivers.umrr0c.deframer import LARGEST_BYTES, PATIENCE_S
from drivers.umrr0c.driver import PLUGIN
from drivers.umrr0c.link import Link
from drivers.umrr0c.settings import Settings
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.plugins import plugins
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.road_user import UserClass

CAPTURES = Path(__file__).parents[2] / "drivers/umrr0c/captures/frames.txt"
WORKED = {
    row.split()[0]: bytes.fromhex(row.split()[2])
    for row in CAPTURES.read_text().splitlines()
    if not row.startswith("#")
}
LATENCY_S = 0.05


def crc(data: bytes) -> int:
    """CRC-16 0x1021 from 0xFFFF, bit by bit."""
    value = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            top = value >> 15 ^ byte >> bit & 1
            value = (value << 1 ^ 0x1021 * top) & 0xFFFF
    return value


def sub(ident: int, data: bytes) -> bytes:
    return ident.to_bytes(2, "big") + bytes([len(data)]) + data


def thing(
    number: int, length: int = 23, vy: int = 1024, vx: int = 1024, y: int = 4096, x: int = 4096
) -> bytes:
    """An object of raw values, written bit by bit (facts/radars 3.1), updated."""
    bits = f"{number:08b}{length:07b}{vy:011b}{vx:011b}{y:013b}{x:013b}1"
    return sub(0x0502, bytes(int(bits[n : n + 8], 2) for n in range(56, -8, -8)))


def cycle(count: int, things: int) -> bytes:
    word = count.to_bytes(4, "big") + bytes((0x21, 50, things + 2, things))
    return sub(0x0501, word[::-1])


def status(uptime_ms: int) -> bytes:
    return sub(0x0500, bytes(4) + uptime_ms.to_bytes(4, "little"))


def framed(payload: bytes, head: bytes = b"") -> bytes:
    raw = bytes((0x7E, 1, 5 + len(head))) + len(payload).to_bytes(2, "big") + head + payload
    return raw + crc(raw[1:]).to_bytes(2, "big")


def chosen(**more: object) -> Settings:
    return Settings.model_validate({"port": "/dev/null", **more})


def run(*chunks: bytes, step_s: float = 0.0, **more: object) -> tuple[list[RadarFrame], Link]:
    link = Link(chosen(**more), 0.0)
    return [f for n, chunk in enumerate(chunks) for f in link.receive(chunk, 1.0 + n * step_s)], link


def test_the_worked_frame_is_read_as_it_was_worked() -> None:
    (frame,), link = run(WORKED["one-object"])
    (target,) = frame.targets
    assert (frame.number, target.target, target.kind, target.measured) == (1000, 7, UserClass.CAR, True)
    assert (target.x_forward_m, target.y_left_m) == (pytest.approx(-3.584), pytest.approx(42.368))
    assert (target.vx_forward_mps, target.vy_left_mps) == (pytest.approx(0.2), pytest.approx(-8.5))
    assert target.length_m == pytest.approx(4.6)
    assert link.counters["crc_good"] == 1


def test_an_empty_cycle_is_a_frame_without_targets() -> None:
    (frame,), _ = run(WORKED["empty-cycle"])
    assert (frame.number, frame.targets) == (1001, ())


@pytest.mark.parametrize(
    ("axes", "forward_m", "left_m"),
    [
        ("x_forward_y_left", -3.584, 42.368),
        ("x_forward_y_right", -3.584, -42.368),
        ("y_forward_x_right", 42.368, 3.584),
        ("y_forward_x_left", 42.368, -3.584),
    ],
)
def test_axes_are_turned_as_the_site_file_says(axes: str, forward_m: float, left_m: float) -> None:
    (frame,), _ = run(WORKED["one-object"], axes=axes)
    assert frame.targets[0].x_forward_m == pytest.approx(forward_m)
    assert frame.targets[0].y_left_m == pytest.approx(left_m)


@pytest.mark.parametrize(
    ("length_m", "kind"),
    [
        (1.0, UserClass.PEDESTRIAN),
        (1.6, UserClass.BICYCLE),
        (2.6, UserClass.MOTORCYCLE),
        (2.8, UserClass.UNKNOWN),
        (4.4, UserClass.UNKNOWN),
        (4.6, UserClass.CAR),
        (5.4, UserClass.CAR),
        (5.6, UserClass.TRUCK),
        (9.0, UserClass.TRUCK),
        (25.4, UserClass.TRUCK),
    ],
)
def test_the_class_is_that_of_the_vendors_table_and_unknown_in_its_gap(
    length_m: float, kind: UserClass
) -> None:
    (frame,), _ = run(framed(cycle(1, 1) + thing(1, length=round(length_m / 0.2))))
    assert frame.targets[0].kind is kind


def test_a_wrong_check_is_counted_and_the_frame_taken_until_the_rule_is_confirmed() -> None:
    broken = WORKED["one-object"][:-1] + b"\x00"
    frames, link = run(broken)
    assert len(frames) == 1
    assert (link.counters["crc_bad"], link.counters["crc_good"]) == (1, 0)
    frames, link = run(broken + WORKED["empty-cycle"], crc_confirmed=True)
    assert [frame.number for frame in frames] == [1001]
    assert link.counters["garbled_check"] == 1


@pytest.mark.parametrize(("crc_from", "begins"), [("mark", 0), ("version", 1), ("payload", 5)])
def test_what_the_check_covers_is_a_setting(crc_from: str, begins: int) -> None:
    raw = WORKED["empty-cycle"][:-2]
    _, link = run(raw + crc(raw[begins:]).to_bytes(2, "big"), crc_from=crc_from)
    assert link.counters["crc_good"] == 1


def test_a_longer_head_is_passed_over() -> None:
    (frame,), _ = run(framed(cycle(4, 1) + thing(9), head=b"\x7e\x05\x00"))
    assert (frame.number, frame.targets[0].target) == (4, 9)


def test_cycles_are_stamped_by_the_uptime_so_that_a_stalled_line_moves_nothing() -> None:
    link = Link(chosen(), 0.0)
    on_time = [list(link.receive(framed(status(1000 * n) + cycle(n, 0)), 10.0 + n)) for n in range(3)]
    (late,) = link.receive(framed(status(3000) + cycle(3, 0)), 13.4)
    (first,) = on_time[0]
    assert late.measured_s - first.measured_s == pytest.approx(3.0, abs=0.003)
    assert first.measured_s == pytest.approx(10.0 - LATENCY_S, abs=0.005)


def test_lost_cycles_are_counted_by_the_step_that_the_radar_makes() -> None:
    counts = [*range(100, 120, 2), 126, 128]
    frames, link = run(*(framed(cycle(count, 0)) for count in counts), step_s=0.1)
    assert [frame.missed for frame in frames] == [0] * 10 + [3, 0]
    assert link.counters["missed"] == 3


def test_a_restart_of_the_count_is_no_loss() -> None:
    frames, _ = run(*(framed(cycle(count, 0)) for count in [*range(50, 60), 1, 2]), step_s=0.1)
    assert [frame.missed for frame in frames] == [0] * 12


def test_a_number_given_to_another_user_begins_a_new_epoch() -> None:
    places = [4096, 4097, 4096 + 400, 4096 + 401]
    frames, _ = run(*(framed(cycle(n, 1) + thing(3, x=x)) for n, x in enumerate(places)), step_s=0.1)
    assert [frame.targets[0].epoch for frame in frames] == [0, 0, 1, 1]


def test_what_is_not_an_object_is_counted_and_passed_over() -> None:
    odd = sub(0x0780, b"\x01" * 8) + sub(0x0502, b"\x01" * 7) + sub(0x02FF, b"")
    (frame,), link = run(framed(cycle(1, 2) + odd + thing(5)))
    assert len(frame.targets) == 1
    assert (link.counters["other_messages"], link.counters["count_mismatch"]) == (3, 1)


@pytest.mark.parametrize(
    "payload",
    [b"\x05", b"\x05\x02\x08" + bytes(7), sub(0x0501, bytes(8)) + b"\x05\x02", sub(1, b"") * 301],
)
def test_a_payload_that_does_not_end_with_its_last_message_is_no_frame(payload: bytes) -> None:
    assert wire.messages(payload) is None
    frames, link = run(framed(payload) + WORKED["empty-cycle"])
    assert [frame.number for frame in frames] == [1001]
    assert link.counters["garbled_walk"] >= 1


@pytest.mark.parametrize("head", ["7e0104", "7e0121", "7e01051001"])
def test_a_head_that_lies_about_its_length_costs_itself_only(head: str) -> None:
    frames, link = run(bytes.fromhex(head) + WORKED["empty-cycle"])
    assert [frame.number for frame in frames] == [1001]
    assert link.counters["garbled"] >= 1


def test_a_head_that_announces_what_never_comes_delays_the_next_frames_and_loses_none() -> None:
    liar = bytes.fromhex("7e01050fff")
    frames, link = run(liar + WORKED["one-object"], b"", WORKED["empty-cycle"], step_s=PATIENCE_S + 0.5)
    assert [frame.number for frame in frames] == [1000, 1001]
    assert frames[0].measured_s == pytest.approx(1.0 - LATENCY_S, abs=0.02), "its own arrival counts"
    assert link.counters["garbled_late"] == 1


STREAM = b"".join(framed(cycle(n, 2) + thing(n, x=4096 + n) + thing(0x7E)) for n in range(6))


@given(st.sets(st.integers(1, len(STREAM) - 1), max_size=40))
def test_any_frames_survive_any_split(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    frames, link = run(*(STREAM[a:b] for a, b in pairwise(places)))
    assert [frame.number for frame in frames] == list(range(6))
    assert link.counters["garbled"] == 0


@given(st.binary(max_size=300))
def test_noise_never_costs_the_next_good_frame(noise: bytes) -> None:
    frames, _ = run(noise + WORKED["one-object"], b"", step_s=2.0)  # a mark in the noise may hold it back
    assert [frame.number for frame in frames][-1:] == [1000]


@given(
    st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([b"\x7e", *WORKED.values()])), max_size=30)
)
def test_no_bytes_can_raise_or_grow_the_memory(chunks: list[bytes]) -> None:
    _, link = run(*chunks, step_s=0.01)
    assert link.kept_bytes <= LARGEST_BYTES


def test_many_heads_in_one_buffer_cost_no_more_than_a_bounded_walk_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    walked: list[int] = []

    def counting(payload: bytes) -> None:
        walked.append(min(len(payload) // 3, wire.MOST_MESSAGES))

    monkeypatch.setattr("drivers.umrr0c.deframer.messages", counting)
    run(bytes.fromhex("7e010508ff") * 1600)
    assert sum(walked) <= 1600 * wire.MOST_MESSAGES


def test_silence_and_rubbish_are_told_apart() -> None:
    _, link = run()
    with pytest.raises(DeviceLost, match="silent"):
        link.check(2.5)
    _, link = run(b"\x00" * 64)
    with pytest.raises(DeviceLost, match="garbled"):
        link.check(2.5)


def test_the_site_file_finds_this_driver() -> None:
    assert plugins()["umrr0c"] is PLUGIN


@pytest.mark.anyio
async def test_it_is_said_on_opening_that_no_real_byte_was_seen_and_the_port_is_only_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SystemClock()
    master, slave = os.openpty()
    tty.setraw(slave)
    with caplog.at_level(logging.WARNING):
        async with PLUGIN.open(chosen(port=os.ttyname(slave), latency_ms=0), clock) as radar:
            assert "unverified on real bytes" in caplog.text
            os.write(master, WORKED["one-object"])
            with anyio.fail_after(5):
                frame = await anext(radar)
            assert frame.number == 1000
            with pytest.raises(PermissionError):
                await radar._line.write(b"x")
    os.close(slave)
    os.close(master)
