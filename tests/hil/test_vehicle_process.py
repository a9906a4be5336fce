"""The virtual vehicle as a process: every datagram in the truth log with the kernel's stamp."""

from __future__ import annotations

import json
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.bus import Bus
from hil.devices.vehicle import clock_offset_s
from hil.processes import Child, Processes
from hil.truth import read_truth

pytestmark = pytest.mark.real

WAIT_S = 60.0  # the first decoding compiles the schema
# SPAT, msgCnt 5, node 12: phase 1 red, phase 2 green arrow for 12.3 s; by hand from the facts' widths
SPAT = bytes.fromhex("300a008000000602000808030204c00000001ec0")
HELD_S = 0.3


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)
    return value


class Bench:
    def __init__(self, run_dir: Path, processes: Processes) -> None:
        self.run_dir, self.processes = run_dir, processes
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.address = ("", 0)

    def start(self) -> Child:
        ready = self.run_dir / "ready" / "vehicle.json"
        arguments = ["--run-dir", str(self.run_dir)]
        child = self.processes.module("vehicle", "hil.devices.vehicle", *arguments, ready=ready)
        self.processes.wait_ready("vehicle")
        told = json.loads(ready.read_text())
        self.address = (told["host"], told["port"])
        return child

    def send(self, data: bytes) -> None:
        self.sock.sendto(data, self.address)

    def air(self, count: int) -> list[dict[str, Any]]:
        until(lambda: len(list(read_truth(self.run_dir, "air"))) >= count)
        return list(read_truth(self.run_dir, "air"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Processes(tmp_path / "logs"))
    yield bench
    bench.processes.stop()
    bench.sock.close()


def test_every_datagram_is_logged_in_order_with_its_arrival(bench: Bench) -> None:
    bench.start()
    sent = []
    for i in range(50):
        before_s = time.monotonic()
        bench.send(bytes([0x30, i]))
        sent.append((before_s, time.monotonic()))
    heard = bench.air(50)
    assert [entry["hex"] for entry in heard] == [bytes([0x30, i]).hex() for i in range(50)]
    for entry, (before_s, after_s) in zip(heard, sent, strict=True):
        assert before_s - 0.001 <= entry["t"] <= after_s + 0.001  # the two clocks are matched to microseconds


def test_a_stamp_is_the_kernels_however_late_the_vehicle_reads(bench: Bench) -> None:
    child = bench.start()
    bench.send(SPAT)
    bench.air(1)
    assert child.process is not None
    child.process.send_signal(signal.SIGSTOP)
    sent_s = time.monotonic()
    bench.send(SPAT)
    select.select([], [], [], HELD_S)
    child.process.send_signal(signal.SIGCONT)
    assert abs(bench.air(2)[1]["t"] - sent_s) < HELD_S / 2


def test_what_was_heard_last_is_shown_decoded_and_what_is_not_understood_is_counted(bench: Bench) -> None:
    bench.start()
    path = bench.run_dir / "vehicle.json"
    bench.send(SPAT)
    bench.send(b"\xff\xff")
    counts = {"datagrams": 2, "SPAT": 1, "not_understood": 1}
    shown = until(lambda: path.exists() and (s := json.loads(path.read_text()))["counts"] == counts and s)
    assert shown["last"]["SPAT"]["msgCnt"] == 5


def test_an_empty_datagram_is_one_more_that_is_not_understood(bench: Bench) -> None:
    bench.start()
    bench.send(b"")
    bench.send(SPAT)
    assert [entry["hex"] for entry in bench.air(2)] == ["", SPAT.hex()]


def test_the_two_clocks_are_matched_when_asked() -> None:
    assert clock_offset_s() == pytest.approx(time.time() - time.monotonic(), abs=0.05)


def test_killed_it_ends_at_once_and_told_to_end_it_ends_cleanly(bench: Bench) -> None:
    child = bench.start()
    Bus(bench.run_dir).publish("fault", {"device": "vehicle", "name": "kill", "on": True})
    until(lambda: child.process is not None and child.process.poll() == 9)
    assert bench.processes.look() == ["vehicle"]
    bench.processes.wait_ready("vehicle")
    bench.processes.stop("vehicle")
    assert child.process is not None
    assert child.process.returncode == 0
