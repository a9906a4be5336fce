"""The rig's serial line: bytes at the baud rate by a fake clock, and a port that vanishes and comes back."""

from __future__ import annotations

import errno
import os
import select
import termios
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.devices.pacing import BURST_S, Pacer
from hil.devices.port import Port

BAUDS = st.sampled_from([9600, 115200, 921600])


def carried(pacer: Pacer, start_s: float) -> list[tuple[float, bytes]]:
    """What the line gives, woken when it wants to be."""
    gone, now_s = [], start_s
    while (due_s := pacer.next_s()) is not None:
        now_s = max(now_s, due_s)
        gone.append((now_s, pacer.due(now_s)))
    return gone


@settings(deadline=None)
@given(BAUDS, st.binary(min_size=1, max_size=2000))
def test_bytes_leave_at_ten_bits_each_in_short_bursts_and_unchanged(baud: int, data: bytes) -> None:
    pacer = Pacer(baud)
    pacer.put(data, 5.0)
    bursts = carried(pacer, 5.0)
    assert b"".join(burst for _, burst in bursts) == data
    assert bursts[-1][0] == pytest.approx(5.0 + len(data) * 10 / baud, abs=1e-6)
    assert max(len(burst) for _, burst in bursts) <= BURST_S * baud / 10 + 1
    sent = 0
    for at_s, burst in bursts:
        sent += len(burst)
        assert sent <= (at_s - 5.0) * baud / 10 + 1e-3


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 0.2), st.binary(min_size=1, max_size=300)), min_size=1, max_size=8))
def test_a_busy_line_makes_frames_wait_and_an_idle_one_saves_no_time_up(
    frames: list[tuple[float, bytes]],
) -> None:
    pacer, now_s, free_s = Pacer(9600), 0.0, 0.0
    for pause_s, frame in frames:
        now_s += pause_s
        pacer.due(now_s)
        pacer.put(frame, now_s)
        free_s = max(free_s, now_s) + len(frame) * 10 / 9600
    bursts = carried(pacer, now_s)
    end_s = bursts[-1][0] if bursts else now_s
    assert end_s <= free_s + 1e-3
    assert end_s >= free_s - 1e-3 - 10 / 9600


def test_one_second_carries_what_the_baud_rate_allows() -> None:
    for baud in (9600, 115200, 921600):
        pacer = Pacer(baud)
        pacer.put(bytes(2 * baud // 10), 0.0)
        carried_bytes = sum(len(pacer.due(tick / 1000)) for tick in range(1, 1001))
        assert carried_bytes == baud // 10


def test_a_mark_passes_with_the_last_byte_of_its_frame() -> None:
    pacer = Pacer(115200)
    pacer.put(b"first", 0.0, "one")
    pacer.put(b"second", 0.0, "two")
    pacer.due(4.5 * 10 / 115200)
    assert pacer.passed() == []
    pacer.due(5 * 10 / 115200)
    assert pacer.passed() == ["one"]
    pacer.due(1.0)
    assert pacer.passed() == ["two"]


def test_what_was_queued_when_the_line_was_cleared_is_gone_with_its_marks() -> None:
    pacer = Pacer(115200)
    pacer.put(b"lost", 0.0, "lost")
    pacer.clear()
    pacer.put(b"kept", 1.0, "kept")
    assert pacer.due(2.0) == b"kept"
    assert pacer.passed() == ["kept"]
    assert pacer.next_s() is None


def heard(descriptor: int, size: int) -> bytes:
    """Exactly this many bytes, or what came within five seconds."""
    data = b""
    while len(data) < size and select.select([descriptor], [], [], 5.0)[0]:
        data += os.read(descriptor, size - len(data))
    return data


def broken(descriptor: int) -> bool:
    """Whether the other side has gone."""
    try:
        return os.read(descriptor, 1) == b""
    except OSError as error:
        return error.errno == errno.EIO


def opened(port: Port) -> int:
    return os.open(port.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def test_every_byte_value_passes_both_ways_through_the_port(tmp_path: Path) -> None:
    port = Port(tmp_path / "dev" / "controller")
    end = opened(port)
    every = bytes(range(256))
    port.write(every)
    assert heard(end, 256) == every
    os.write(end, every)
    data = b""
    while len(data) < 256 and select.select([port], [], [], 5.0)[0]:
        data += port.read()
    assert data == every
    assert termios.tcgetattr(end)[3] & (termios.ECHO | termios.ICANON) == 0
    os.close(end)
    port.unplug()


def test_unplugging_takes_the_name_away_and_breaks_who_has_it_open(tmp_path: Path) -> None:
    port = Port(tmp_path / "controller")
    end = opened(port)
    port.unplug()
    assert not port.plugged
    assert not port.link.is_symlink()
    assert broken(end)
    os.close(end)


def test_replugging_brings_the_same_name_back_and_a_stale_one_is_replaced(tmp_path: Path) -> None:
    port = Port(tmp_path / "controller")
    port.unplug()
    port.unplug()
    port.link.symlink_to("/nowhere")
    port.plug()
    port.plug()
    end = opened(port)
    port.write(b"back")
    assert heard(end, 4) == b"back"
    os.close(end)
    port.unplug()


def test_nobody_reading_never_stops_the_device(tmp_path: Path) -> None:
    port = Port(tmp_path / "controller")
    for _ in range(100):
        port.write(bytes(4096))
    assert port.read() == b""
    port.unplug()
