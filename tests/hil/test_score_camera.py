"""Camera to vehicle: one sample a frame, a slow line shows, nothing measured is no figure."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.devices.camera_line import Line
from hil.devices.camera_server import CameraServer
from hil.score.camera import score_camera
from hil.score.windows import Windows

T0, T1 = 100.0, 120.0
WHOLE = Windows(T0, T1)


def logs(delay_s: float, fusion_s: float = 0.06) -> tuple[list[dict[str, Any]], list[Any], list[Any]]:
    """Frames every 0.1 s; a cycle takes each one `delay_s + fusion_s` later and is heard 4 ms after."""
    sent = [{"t": T0 + n / 10, "camera": "south", "frame": n} for n in range(200)]
    fused = [(frame["t"] + delay_s + fusion_s, {"south": frame["frame"]}) for frame in sent]
    cycles = [(at + 0.004, round(at, 3)) for at, _ in fused]
    return sent, fused, cycles


def test_the_figure_is_from_the_frames_first_byte_to_the_arrival() -> None:
    figures = score_camera(*logs(0.0), WHOLE)
    assert figures["camera_to_rsm_p95_ms"] == pytest.approx(64.0, abs=0.1)
    assert figures["frames"] == 200


@given(st.floats(0.0, 0.5), st.integers(0, 10_000))
def test_a_slow_line_raises_the_figure_by_its_delay(delay_s: float, first: int) -> None:
    sent, fused, cycles = logs(delay_s)
    for entry in sent:
        entry["frame"] += first
    fused = [(at, {name: number + first for name, number in frames.items()}) for at, frames in fused]
    figures = score_camera(sent, fused, cycles, WHOLE)
    assert figures["camera_to_rsm_p95_ms"] == pytest.approx(64.0 + delay_s * 1000, abs=0.5)


def test_a_frame_that_later_cycles_still_name_counts_at_the_first() -> None:
    sent = [{"t": T0, "camera": "south", "frame": 7}]
    fused = [(T0 + 0.1 * n, {"south": 7}) for n in range(1, 15)]
    cycles = [(at + 0.005, at) for at, _ in fused]
    figures = score_camera(sent, fused, cycles, WHOLE)
    assert figures["frames"] == 1
    assert figures["camera_to_rsm_p95_ms"] == pytest.approx(105.0, abs=0.1)


def test_a_cycle_that_did_not_reach_the_vehicle_gives_the_frame_to_the_next_that_holds_it() -> None:
    sent = [{"t": T0, "camera": "south", "frame": 7}]
    fused = [(T0 + 0.1, {"south": 7}), (T0 + 0.2, {"south": 7})]
    figures = score_camera(sent, fused, [(T0 + 0.21, T0 + 0.2)], WHOLE)
    assert figures["camera_to_rsm_p50_ms"] == pytest.approx(210.0, abs=0.1)


def test_a_frame_that_no_cycle_included_is_no_sample_and_an_empty_set_is_no_figure() -> None:
    sent, _, cycles = logs(0.0)
    figures = score_camera(sent, [], cycles, WHOLE)
    assert figures["frames"] == 0
    assert figures["camera_to_rsm_p95_ms"] is None


def test_a_camera_started_again_counts_its_frames_afresh() -> None:
    sent = [{"t": T0 + 1, "camera": "south", "frame": 1}, {"t": T0 + 9, "camera": "south", "frame": 1}]
    fused = [(T0 + 1.1, {"south": 1}), (T0 + 9.1, {"south": 1})]
    figures = score_camera(sent, fused, [(at + 0.01, at) for at, _ in fused], WHOLE)
    assert figures["frames"] == 2
    assert figures["camera_to_rsm_p99_ms"] == pytest.approx(110.0, abs=0.1)


def test_a_frame_that_is_seconds_late_is_a_sample_all_the_same() -> None:
    figures = score_camera(*logs(3.5), WHOLE)
    assert figures["frames"] == 200
    assert figures["camera_to_rsm_p95_ms"] == pytest.approx(3564.0, abs=0.5)


def test_frames_of_a_void_window_are_no_samples() -> None:
    figures = score_camera(*logs(0.0), Windows(T0, T1, frozenset({1})))
    assert figures["frames"] == 100


def test_a_picture_comes_out_of_a_slow_line_no_earlier_than_its_delay() -> None:
    line = Line()
    line.delay_s = 0.1
    began = time.monotonic()
    line.put(1, b"a")
    shown = line.after(-1)
    assert time.monotonic() - began >= 0.1
    assert (shown.frame, shown.jpeg) == (1, b"a")
    assert shown.due_s - shown.left_s == pytest.approx(0.1)


def test_a_client_that_was_slow_gets_the_newest_picture_only() -> None:
    line = Line()
    for frame in range(5):
        line.put(frame, b"%d" % frame)
    assert line.after(-1).frame == 4
    assert line.newest == b"4"


def test_the_truth_log_stamps_a_frame_before_the_slow_line() -> None:
    import socket

    heard: list[tuple[int, float]] = []
    server = CameraServer(lambda frame, t: heard.append((frame, t)))
    server.line.delay_s = 0.2
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"GET /stream HTTP/1.1\r\n\r\n")
            put_s = time.monotonic()
            server.show(1, b"jpeg of a kind")
            data = b""
            while b"jpeg of a kind" not in data:
                data += client.recv(4096)
            arrived_s = time.monotonic()
            deadline = arrived_s + 10
            while not heard and time.monotonic() < deadline:
                time.sleep(0.005)
    finally:
        server.close()
    (frame, stamp) = heard[0]
    assert frame == 1
    assert arrived_s - put_s >= 0.2
    assert put_s <= stamp <= arrived_s - 0.19
