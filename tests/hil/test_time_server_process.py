"""The virtual chronyd asked by the real chronyc: the layout is chrony's, not only ours."""

from __future__ import annotations

import json
import select
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.bus import Bus
from hil.processes import Child, Processes
from hil.truth import read_truth

pytestmark = pytest.mark.real

WAIT_S = 20.0
CHRONYC = shutil.which("chronyc")
with_chronyc = pytest.mark.skipif(CHRONYC is None, reason="chronyc is missing: apt install chrony")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


class Bench:
    def __init__(self, run_dir: Path, processes: Processes) -> None:
        self.run_dir, self.processes, self.bus = run_dir, processes, Bus(run_dir)

    def start(self) -> Child:
        arguments = ["--run-dir", str(self.run_dir)]
        child = self.processes.module("time", "hil.devices.time_server", *arguments, ready=self.ready)
        self.processes.wait_ready("time")
        return child

    @property
    def ready(self) -> Path:
        return self.run_dir / "ready" / "time.json"

    def fault(self, name: str, on: bool | float) -> None:
        self.bus.publish("fault", {"device": "time", "name": name, "on": on})

    def tracking(self, *before: str) -> dict[str, str]:
        """What chronyc shows, by its labels; empty when it got no answer. `before`: commands to itself."""
        told = json.loads(self.ready.read_text())
        assert CHRONYC is not None
        done = subprocess.run(
            [CHRONYC, "-h", told["host"], "-p", str(told["port"]), "-n", "-m", *before, "tracking"],
            capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip
        lines = [line.split(":", 1) for line in done.stdout.splitlines() if ":" in line]
        return {name.strip(): value.strip() for name, value in lines} if done.returncode == 0 else {}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Processes(tmp_path / "logs"))
    yield bench
    bench.processes.stop()


@with_chronyc
def test_chronyc_reads_every_figure_of_a_healthy_clock(bench: Bench) -> None:
    bench.start()
    shown = bench.tracking()
    assert shown["Stratum"] == "2"
    assert shown["Leap status"] == "Normal"
    assert shown["System time"].startswith("0.000000000 seconds")
    assert shown["Root delay"] == "0.000400000 seconds"
    assert shown["Root dispersion"] == "0.000500000 seconds"
    assert shown["Update interval"] == "16.0 seconds"
    assert shown["Frequency"] == "0.100 ppm slow" or shown["Frequency"] == "0.100 ppm fast"
    assert shown["Skew"] == "0.010 ppm"


@with_chronyc
def test_chronyc_sees_a_step_a_coasting_clock_and_one_that_lost_its_source(bench: Bench) -> None:
    bench.start()
    bench.fault("step", -0.25)
    bench.fault("coast", 0.03)
    until(lambda: bench.tracking()["System time"].startswith("0.25"))
    until(lambda: bench.tracking()["Root dispersion"] in ("0.030000000 seconds", "0.029999999 seconds"))
    bench.fault("unsynchronised", True)
    until(lambda: bench.tracking()["Leap status"] == "Not synchronised")


@with_chronyc
def test_silent_chronyc_gets_no_answer_and_then_one_again(bench: Bench) -> None:
    bench.start()
    bench.fault("silent", True)
    until(lambda: bench.tracking("timeout 300", "retries 0") == {})
    bench.fault("silent", False)
    until(lambda: bench.tracking() != {})


def test_what_was_done_to_it_is_in_the_truth_log(bench: Bench) -> None:
    bench.start()
    bench.fault("step", 0.5)
    until(lambda: any(True for _ in read_truth(bench.run_dir, "fault")))
    (entry,) = read_truth(bench.run_dir, "fault")
    assert (entry["device"], entry["name"], entry["on"]) == ("time", "step", 0.5)


def test_killed_it_ends_at_once_and_told_to_end_it_ends_cleanly(bench: Bench) -> None:
    child = bench.start()
    bench.fault("kill", True)
    until(lambda: child.process is not None and child.process.poll() == 9)
    assert bench.processes.look() == ["time"]
    bench.processes.wait_ready("time")
    bench.processes.stop("time")
    assert child.process is not None
    assert child.process.returncode == 0
