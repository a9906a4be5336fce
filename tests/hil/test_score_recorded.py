"""The ends of a run as the scorer takes them: recording, probe, process sizes, a run's folder as a whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hil.recording_side import fused_frames
from hil.resources import ProcessWatch, agent_processes, loop_ns
from hil.score.report import cycles_of
from hil.truth import read_truth
from rsu_agent.ports.recording import Recorder

LONG_S = 30.0


def rsm(mark: int, *people: tuple[int, int]) -> dict:
    entries = [{"ptcType": "rsu", "secMark": mark, "pos": {"offsetLL": ("abs", {"lat": 0, "lon": 0})}}]
    entries += [
        {"ptcType": "motor", "secMark": mark, "pos": {"offsetLL": ("abs", {"lat": lat, "lon": lon})}}
        for lat, lon in people
    ]
    return {"refPos": {"lat": 0, "long": 0}, "participants": entries}


def test_the_frames_of_each_fusion_cycle_are_read_from_the_recording(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recordings", 4, "x")
    for n in range(50):
        recorder.record("/scene", 10.0 + n / 10, tick=n, users=3, frames={"south": 100 + n})
        recorder.record("/air", 10.0 + n / 10, kind="RSM", data=b"x")
    recorder.close()
    fused = fused_frames(tmp_path)
    assert [frames for _, frames in fused] == [{"south": 100 + n} for n in range(50)]
    assert [at for at, _ in fused] == pytest.approx([10.0 + n / 10 for n in range(50)])


def test_a_run_without_a_recording_has_no_frames(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    assert fused_frames(tmp_path) == []


def test_the_parts_of_one_cycle_are_one_and_keep_the_rsus_second_mark() -> None:
    air = [
        (1.000, "RSM", rsm(900, (1, 1), (2, 2))),
        (1.001, "SPAT", {}),
        (1.002, "RSM", rsm(900, (3, 3))),
        (1.100, "RSM", rsm(1000)),
    ]
    cycles = cycles_of(air)
    assert [(cycle.t, cycle.mark, len(cycle.people)) for cycle in cycles] == [(1.0, 900, 3), (1.1, 1000, 0)]


def test_the_probe_notes_a_stall_of_its_own(tmp_path: Path) -> None:
    probe = subprocess.Popen([sys.executable, "-m", "hil.score.probe", "--run-dir", str(tmp_path)])
    try:
        ready, deadline = tmp_path / "ready" / "probe.json", time.monotonic() + LONG_S
        while not ready.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        probe.send_signal(signal.SIGSTOP)
        time.sleep(0.3)
        probe.send_signal(signal.SIGCONT)
        while time.monotonic() < deadline:
            late = [entry["late_ms"] for entry in read_truth(tmp_path, "stall")]
            if max(late, default=0) >= 250:
                break
            time.sleep(0.02)
        assert max(late) >= 250
    finally:
        probe.terminate()
        assert probe.wait(LONG_S) == 0


def test_the_probe_writes_its_worst_of_every_second_also_on_a_calm_host(tmp_path: Path) -> None:
    probe = subprocess.Popen([sys.executable, "-m", "hil.score.probe", "--run-dir", str(tmp_path)])
    try:
        deadline, late = time.monotonic() + LONG_S, list[float]()
        while len(late) < 2 and time.monotonic() < deadline:
            if (tmp_path / "truth" / "probe.jsonl").exists():
                late = [entry["late_ms"] for entry in read_truth(tmp_path, "stall")]
            time.sleep(0.05)
        assert len(late) >= 2
        assert min(late) > 0
    finally:
        probe.terminate()
        assert probe.wait(LONG_S) == 0


def test_sizes_and_processor_share_are_those_of_the_named_processes() -> None:
    eat = "import time\nheld = bytearray(60_000_000)\nprint('up', flush=True)\nwhile True: sum(range(1000))"
    child = subprocess.Popen([sys.executable, "-c", eat], stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        watch = ProcessWatch({"core": child.pid, "senses": os.getpid(), "uplink": 2**22 - 1})
        deadline = time.monotonic() + LONG_S
        figures = watch.figures()
        while not figures["core_cpu_percent"] and time.monotonic() < deadline:
            watch.look()
            time.sleep(0.05)
            figures = watch.figures()
    finally:
        child.kill()
        child.wait()
    assert 60 <= figures["core_rss_mb"] <= 120
    assert figures["senses_rss_mb"] > 5
    assert figures["uplink_rss_mb"] is None
    assert figures["parent_rss_mb"] is None
    assert figures["core_cpu_percent"] > 0


def test_the_agents_children_are_found_by_their_command() -> None:
    code = (
        "import subprocess, sys\n"
        "c = [subprocess.Popen([sys.executable, '-c', 'input()', f'compose_{n}'], stdin=subprocess.PIPE)"
        " for n in ('core', 'uplink')]\n"
        "print(c[0].pid, c[1].pid, flush=True)\n"
        "input()\n"
        "[p.communicate(b'\\n') for p in c]\n"
    )
    agent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert agent.stdout is not None
        core, uplink = map(int, agent.stdout.readline().split())
        assert agent_processes(agent) == {"parent": agent.pid, "core": core, "uplink": uplink}
    finally:
        agent.communicate(b"\n")


def test_the_machines_reference_is_a_positive_figure() -> None:
    assert json.loads(json.dumps(loop_ns())) > 0
