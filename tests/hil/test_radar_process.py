"""The virtual radar as a process: ten frames a second on its port, faults over the bus."""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.bus import Bus
from hil.processes import Child, Processes
from hil.truth import read_truth
from rsu_agent.ports.assets import asset

pytestmark = pytest.mark.real

MAGIC = bytes.fromhex("0201040306050807")
WAIT_S = 20.0
USER = {
    "id": 1, "cls": "car", "x": 0.0, "y": 0.0, "vx": 3.0, "vy": 3.0, "heading": 45.0,
    "l": 4.6, "w": 1.8, "h": 1.5, "seen": {},
}  # fmt: skip


class Bench:
    """A radar process, its bus, and a reader on its port."""

    def __init__(self, run_dir: Path, processes: Processes) -> None:
        self.run_dir, self.processes, self.bus = run_dir, processes, Bus(run_dir)
        self.link = run_dir / "dev" / "radar-data"
        self.end, self.held = -1, b""

    def start(self, *options: str) -> Child:
        ready = self.run_dir / "ready" / "radar.json"
        site = str(asset("config/virtual.yaml"))
        arguments = ["--run-dir", str(self.run_dir), "--site", site, *options]
        child = self.processes.module("radar", "hil.devices.radar", *arguments, ready=ready)
        self.processes.wait_ready("radar")
        assert json.loads(ready.read_text()) == {"data_port": str(self.link), "baud": 921600}
        self.plug_in()
        return child

    def plug_in(self) -> None:
        if self.end >= 0:
            os.close(self.end)
        self.end, self.held = os.open(self.link, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK), b""

    def read(self, wait_s: float = WAIT_S) -> bytes:
        """Bytes as they come; empty when none came in this time."""
        return os.read(self.end, 4096) if select.select([self.end], [], [], wait_s)[0] else b""

    def frame(self, wanted: Callable[[bytes], bool] = lambda frame: True) -> bytes:
        """The next whole frame of this kind; noise before it is skipped."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            at = self.held.find(MAGIC)
            size = struct.unpack_from("<I", self.held, at + 12)[0] if 0 <= at <= len(self.held) - 16 else None
            if size is not None and size > 8192:
                self.held = self.held[at + 1 :]
            elif size is not None and len(self.held) >= at + size:
                frame, self.held = self.held[at : at + size], self.held[at + size :]
                if wanted(frame):
                    return frame
            else:
                self.held += self.read()
        raise AssertionError("no such frame came")

    def fault(self, name: str, on: bool) -> None:
        """Acts once the radar says so in the truth log."""
        before = len(list(read_truth(self.run_dir, "fault")))
        self.bus.publish("fault", {"device": "radar", "name": name, "on": on})
        until(lambda: len(list(read_truth(self.run_dir, "fault"))) > before)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


def number(frame: bytes) -> int:
    value: int = struct.unpack_from("<I", frame, 20)[0]
    return value


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Processes(tmp_path / "logs"))
    yield bench
    bench.processes.stop()
    if bench.end >= 0:
        os.close(bench.end)


def test_frames_follow_one_another_a_tenth_of_a_second_apart_by_their_own_clock(bench: Bench) -> None:
    bench.start()
    frames = [bench.frame() for _ in range(6)]
    assert [number(frame) - number(frames[0]) for frame in frames] == list(range(6))
    cycles = [struct.unpack_from("<I", frame, 24)[0] for frame in frames]
    assert (cycles[5] - cycles[0]) % 2**32 / 200e6 >= 0.45


def test_a_moving_car_is_in_the_frame_where_the_bus_says(bench: Bench) -> None:
    """The radar of the site stands 24 m south-west and looks north-east: the centre is straight ahead."""
    bench.start()

    def ahead(frame: bytes) -> bool:
        bench.bus.publish("users", {"t": time.monotonic(), "users": [USER]})
        points = struct.unpack_from("<I", frame, 28)[0]
        cloud = struct.iter_unpack("<4f", frame[48 : 48 + 16 * points])
        return any(abs(x) < 3 and abs(y - 33.9) < 4 and abs(doppler - 4.2) < 1 for x, y, _, doppler in cloud)

    bench.frame(ahead)


def test_the_other_header_is_exactly_long_and_checked(bench: Bench) -> None:
    bench.start("--header", "48")
    frame = bench.frame()
    folded = sum(struct.unpack_from("<24H", frame))
    assert (folded >> 16) + (folded & 0xFFFF) == 0xFFFF


def test_unplugged_it_vanishes_and_replugged_it_goes_on_counting(bench: Bench) -> None:
    bench.start()
    before = number(bench.frame())
    bench.fault("unplug", True)
    until(lambda: not bench.link.is_symlink())
    bench.fault("replug", True)
    until(bench.link.is_symlink)
    bench.plug_in()
    assert number(bench.frame()) > before


def test_silent_it_sends_nothing_and_then_goes_on(bench: Bench) -> None:
    bench.start()
    before = number(bench.frame())
    bench.fault("silent", True)
    while bench.read(0.5):
        pass
    bench.fault("silent", False)
    bench.held = b""
    assert number(bench.frame()) >= before + 5


def test_with_noise_on_the_line_whole_frames_still_come(bench: Bench) -> None:
    bench.start()
    bench.fault("garbage", True)
    for _ in range(3):
        bench.frame(lambda frame: struct.unpack_from("<I", frame, 32)[0] == 2)


def test_frozen_it_repeats_its_points_under_new_numbers(bench: Bench) -> None:
    bench.start()
    bench.fault("freeze", True)
    after = number(bench.frame()) + 2
    first, second = bench.frame(lambda f: number(f) > after), bench.frame(lambda f: number(f) > after)
    assert number(first) != number(second)
    assert first[40:] == second[40:]


def test_a_cooked_line_carries_no_carriage_return(bench: Bench) -> None:
    bench.start()
    crowd = [{**USER, "x": 4.0 * k - 30, "y": 4.0 * k - 30} for k in range(15)]
    bench.bus.publish("users", {"t": time.monotonic(), "users": crowd})
    bench.frame(lambda frame: len(frame) > 500)
    bench.fault("cooked_tty", True)
    while bench.read(0.0):
        pass
    data = b""
    while len(data) < 6000:
        data += bench.read()
    assert b"\r" not in data
    assert b"\n" in data


def test_killed_it_ends_at_once_and_told_to_end_it_ends_cleanly(bench: Bench) -> None:
    child = bench.start()
    bench.bus.publish("fault", {"device": "radar", "name": "kill", "on": True})
    until(lambda: child.process is not None and child.process.poll() == 9)
    assert bench.processes.look() == ["radar"]
    bench.processes.wait_ready("radar")
    bench.plug_in()
    bench.frame()
    bench.processes.stop("radar")
    assert child.process is not None
    assert child.process.returncode == 0
    assert not bench.link.is_symlink()
