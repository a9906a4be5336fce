"""`rsu record` and `rsu replay` as a technician types them, over a ring that a real core wrote."""

from __future__ import annotations

import json
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from hil.bus import Bus
from hil.processes import Processes
from rsu_agent.cli.exits import Exit
from rsu_agent.cli.main import app
from rsu_agent.cli.record import where_it_begins
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.spat_reader import read_spat
from rsu_agent.ports.assets import asset
from rsu_agent.ports.fake_clock import FakeClock
from rsu_agent.ports.recording import Entry, read_recording
from tests.runtime.spoken import live, without_tears, write

WAIT_S = 90.0


def rsu(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(*arguments: object, exit_code: int = 0) -> dict[str, Any]:
    result = rsu(*arguments, "--json")
    assert result.exit_code == exit_code, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 1
    value: dict[str, Any] = json.loads(lines[0])
    return value


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    await live(folder / "recordings", FakeClock(), 120.0)
    return folder


@pytest.mark.anyio
async def test_replay_shows_what_is_in_a_ring(state: Path) -> None:
    seen = told("replay", state / "recordings")
    assert seen["span_s"] == pytest.approx(124.2, abs=1)
    assert seen["topics"]["/spat"] > 1200
    assert seen["sent"]["SPAT"] > 1000
    assert set(seen["held"]["SPAT"]) == {"refused", "no_radio"}
    assert (seen["torn"], seen["dropped"], len(seen["starts"])) == ([], 0, 1)
    words = rsu("replay", state / "recordings")
    assert "sent SPAT" in words.stdout
    assert "held SPAT" in words.stdout


@pytest.mark.anyio
async def test_a_copy_of_the_last_minute_is_compared_for_that_minute(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "minute.mcap"
    copied = told("record", "--last", "60s", "--out", out, "--state", state)
    assert copied["checkable"] is True
    assert copied["seconds"] == pytest.approx(60, abs=0.2)
    checked = told("replay", out, "--check")["check"]
    assert checked["different"] == 0
    stamps = [e.at_s for e in read_recording(state / "recordings") if e.topic == "/air"]
    newest_s = max(e.at_s for e in read_recording(state / "recordings"))
    assert checked["equal"] == checked["compared"] == sum(at_s >= newest_s - 60 for at_s in stamps) > 300
    assert set(checked["not_compared"]) == {"before_the_copy"}
    assert out.stat().st_size == copied["bytes"]
    assert not out.with_name("minute.mcap.part").exists()


@pytest.mark.anyio
async def test_a_difference_ends_with_status_four_and_is_listed(state: Path, tmp_path: Path) -> None:
    entries = list(read_recording(state / "recordings"))
    at = max(n for n, e in enumerate(entries[:-100]) if e.topic == "/air")
    entries.pop(at)
    path = write(tmp_path / "tampered.mcap", entries)
    checked = told("replay", path, "--check", exit_code=Exit.CHECK_FAILED)["check"]
    assert checked["different"] == 1
    assert checked["differences"][0]["where"] == "sent"
    words = rsu("replay", path, "--check")
    assert words.exit_code == Exit.CHECK_FAILED
    assert "recorded nothing, replayed sent" in words.stdout
    assert told("replay", path)["sent"], "without --check nothing is compared"


@pytest.mark.anyio
async def test_a_ring_without_its_beginning_is_copied_and_said_not_to_be_comparable(
    state: Path, tmp_path: Path
) -> None:
    entries = list(read_recording(state / "recordings"))[500:]
    ring = tmp_path / "recordings"
    ring.mkdir()
    write(ring / "t-00000007.mcap", entries)
    copied = told("record", "--last", "1h", "--out", tmp_path / "all.mcap", "--state", tmp_path)
    assert copied["checkable"] is False
    assert copied["entries"] == len(entries) + 1
    checked = rsu("replay", tmp_path / "all.mcap", "--check")
    assert checked.exit_code == 0
    assert "compared 0" in checked.stdout
    assert "whose start is not in the recording" in checked.stdout


def test_without_a_ring_the_error_says_what_to_look_at(tmp_path: Path) -> None:
    result = rsu("record", "--out", tmp_path / "x.mcap", "--state", tmp_path)
    assert result.exit_code == Exit.FAILED
    assert "is --state right" in result.stderr
    assert "no recording there" in told("replay", tmp_path, exit_code=Exit.FAILED)["error"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", ["", "10", "ten", "0m", "-5m", "1d", "5 m"])
def test_a_time_that_cannot_be_read_is_a_usage_error(tmp_path: Path, last: str) -> None:
    result = rsu("record", f"--last={last}", "--out", tmp_path / "x.mcap", "--state", tmp_path)
    assert result.exit_code == Exit.USAGE


@pytest.mark.anyio
async def test_an_existing_file_is_left_alone_and_a_missing_folder_is_named(
    state: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine.mcap"
    out.write_text("mine")
    assert rsu("record", "--out", out, "--state", state).exit_code == Exit.FAILED
    assert out.read_text() == "mine"
    result = rsu("record", "--out", tmp_path / "no" / "x.mcap", "--state", state)
    assert result.exit_code == Exit.FAILED
    assert "no such folder" in result.stderr


def test_a_file_that_is_no_recording_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.mcap"
    path.write_bytes(b"\x00" * 400)
    assert "not a valid MCAP file" in told("replay", path, exit_code=Exit.FAILED)["error"]


def test_the_window_does_not_reach_behind_a_restart_of_the_machine() -> None:
    entries = [Entry("/start", 5000.0, {}), Entry("/air", 5010.0, {}), Entry("/start", 20.0, {})]
    entries += [Entry("/air", float(second), {}) for second in range(21, 60)]
    plan = where_it_begins(entries, 600.0)
    assert plan is not None
    assert (plan.first, plan.start, plan.from_s) == (2, 2, 20.0)
    plan = where_it_begins(entries, 10.0)
    assert plan is not None
    assert (entries[plan.first].at_s, plan.start) == (49.0, 2)
    assert where_it_begins([], 10.0) is None


class Crossing:
    """A real core between a virtual controller's port and a vehicle's socket."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.folder, self.state = folder, folder / "state"
        self.ears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ears.bind(("127.0.0.1", 0))
        self.heard: list[bytes] = []
        ready = folder / "ready" / "controller.json"
        arguments = ["--run-dir", str(folder), "--plan", "3"]
        processes.module("controller", "hil.devices.controller", *arguments, ready=ready)
        processes.wait_ready("controller")
        site = YAML(typ="safe").load(asset("config/virtual.yaml").read_text())
        site["crossing"]["file"] = str(asset("config/crossings/virtual.geojson"))
        site["controller"] |= processes.told("controller")
        site |= {"cameras": [], "radars": [], "time": {"driver": "no_time"}, "metrics": {"port": 0}}
        site["radio"] |= {"port": self.ears.getsockname()[1]}
        self.site = folder / "site.yaml"
        with self.site.open("w") as stream:
            YAML().dump(site, stream)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "rsu_agent.runtime.compose_core", "--site", str(self.site)]
        command += ["--state", str(self.state), "--run", str(self.folder / "agent")]
        with (self.folder / "core.log").open("ab") as log:
            return subprocess.Popen(command, stderr=log)

    def listen(self, until: Callable[[list[bytes]], bool]) -> None:
        """Keep what is heard until it is enough."""
        deadline, since = time.monotonic() + WAIT_S, len(self.heard)
        while not until(self.heard[since:]):
            assert time.monotonic() < deadline, (self.folder / "core.log").read_text()[-2000:]
            if select.select([self.ears], [], [], 0.2)[0]:
                self.heard.append(self.ears.recv(4096))

    def drain(self) -> None:
        while select.select([self.ears], [], [], 0)[0]:
            self.heard.append(self.ears.recv(4096))


def valid(frames: list[bytes]) -> int:
    count = 0
    for frame in frames:
        try:
            count += any(phase.light for phase in read_spat(frame).phases)
        except NotSpat:
            continue
    return count


@pytest.mark.real
def test_all_that_a_real_core_said_around_an_unplugged_controller_is_given_again(tmp_path: Path) -> None:
    processes = Processes(tmp_path / "logs")
    try:
        crossing = Crossing(tmp_path, processes)
        core = crossing.start()
        try:
            crossing.listen(lambda new: valid(new) >= 50)
            Bus(tmp_path).publish("fault", {"device": "controller", "name": "unplug", "on": True})
            crossing.listen(lambda new: len(new) - valid(new) >= 8)
            Bus(tmp_path).publish("fault", {"device": "controller", "name": "replug", "on": True})
            crossing.listen(lambda new: valid(new) >= 30)
            running = told("record", "--out", tmp_path / "running.mcap", "--state", crossing.state)
        finally:
            core.send_signal(signal.SIGTERM)
            core.wait(WAIT_S)
        crossing.drain()
        assert running["checkable"] is True
        while_running = told("replay", tmp_path / "running.mcap", "--check")["check"]
        assert while_running["equal"] == while_running["compared"] > 50
        assert set(while_running["not_compared"]) <= {"end_of_recording"}
        checked = told("replay", crossing.state / "recordings", "--check")["check"]
        entries = without_tears(read_recording(crossing.state / "recordings"))
        said = sum(e.topic == "/air" and e.value["kind"] == "SPAT" for e in entries)
        assert checked["differences"] == []
        assert checked["equal"] == checked["compared"] == said
        assert {e.value["reason"] for e in entries if e.topic == "/spat"} >= {None, "no_programme"}
        assert sum(frame[0] >> 4 == 3 for frame in crossing.heard) <= said
    finally:
        processes.stop()
