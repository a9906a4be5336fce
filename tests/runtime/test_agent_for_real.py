"""The agent as real processes beside a virtual controller: kills, the last word, systemd, a clean end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from hil.devices.vehicle_codec import decode
from hil.processes import Processes
from hil.resources import agent_processes
from rsu_agent.cli.client import ask
from rsu_agent.district.broker import free_port
from rsu_agent.runtime.main import CORE_ENDS_ALLOWED

pytestmark = [pytest.mark.real, pytest.mark.timeout(280)]

CONFIG = Path(__file__).parents[2] / "config"
WAIT_S = 90.0  # the machine is shared: nothing here judges speed
UNITS = "total|seconds|bytes|ratio|count|metres|valid|info|records|envelopes|messages"
METRIC = re.compile(rf"^rsu_[a-z0-9]+(_[a-z0-9]+)*_({UNITS})$")


def until(true: Any, seconds: float = WAIT_S) -> Any:
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.01)
    return value


class Radio:
    """Hears every datagram: (arrival, bytes), in order."""

    def __init__(self) -> None:
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.heard: list[tuple[float, bytes]] = []
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.sock.recv(4096):
                self.heard.append((time.monotonic(), data))

    def spat(self, since_s: float) -> list[tuple[float, int, bool]]:
        """(arrival, msgCnt, whether it says anything) of the SPAT messages since an instant."""
        found = []
        for at_s, data in list(self.heard):
            if at_s >= since_s and data[0] >> 4 == 3:
                _, value = decode(data)
                lights = [p["phaseStates"][0]["light"] for p in value["intersections"][0]["phases"]]
                found.append((at_s, value["msgCnt"], any(light != "unavailable" for light in lights)))
        return found

    def speaks(self, since_s: float) -> bool:
        return any(valid for _, _, valid in self.spat(since_s))


class Agent:
    """`rsu run` with an ordinary site file; camera, radar and broker are not there."""

    def __init__(self, folder: Path, controller: dict[str, Any], **environ: str) -> None:
        self.radio, self.run = Radio(), folder / "run"
        site = YAML(typ="safe").load((CONFIG / "virtual.yaml").read_text())
        site["crossing"]["file"] = str(CONFIG / "crossings" / "virtual.geojson")
        site["controller"] |= {"port": controller["port"], "baud": controller["baud"]}
        site["radio"] |= {"host": "127.0.0.1", "port": self.radio.port}
        site["uplink"] |= {"host": "127.0.0.1", "port": free_port()}
        site["metrics"] = {"port": 0}
        with (folder / "site.yaml").open("w") as stream:
            YAML().dump(site, stream)
        self.log = (folder / "agent.log").open("wb")
        command = [sys.executable, "-m", "rsu_agent.cli.main", "run", str(folder / "site.yaml")]
        self.process = subprocess.Popen(
            [*command, "--state", str(folder / "state"), "--run", str(self.run)],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
            env=os.environ | environ,
        )

    def up(self) -> None:
        """All four processes are there and SPAT says something."""
        until(lambda: len(self.pids()) == 4)
        until(lambda: self.radio.speaks(time.monotonic() - 0.5))

    def pids(self) -> dict[str, int]:
        return agent_processes(self.process)

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        pid = self.pids()[name]
        os.kill(pid, number)
        return pid

    def get(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{(self.run / 'metrics.port').read_text()}{path}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def devices(self) -> dict[str, tuple[str, str]]:
        """(state, reason) of each."""
        return {
            d["device"]: (d["state"], d["reason"]) for d in ask(self.run / "ctl.sock", "status")["devices"]
        }

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self.radio.sock.close()
        self.log.close()


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("controller")
    processes = Processes(folder / "logs")
    ready = folder / "ready" / "controller.json"
    processes.module("controller", "hil.devices.controller", "--run-dir", str(folder), ready=ready)
    processes.wait_ready("controller")
    yield processes.told("controller")
    processes.stop()


@pytest.fixture
def agent(tmp_path: Path, controller: dict[str, Any]) -> Iterator[Agent]:
    agent = Agent(tmp_path, controller)
    try:
        agent.up()
        yield agent
    finally:
        agent.close()


def alive(pids: dict[str, int]) -> list[str]:
    def lives(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    return [name for name, pid in pids.items() if lives(pid)]


def test_a_killed_core_is_told_on_the_radio_and_speaks_again_by_itself(agent: Agent) -> None:
    killed_s = time.monotonic()
    before = agent.radio.spat(killed_s - 1.0)[-1]
    pid = agent.kill("core")
    until(lambda: any(not valid for _, _, valid in agent.radio.spat(killed_s)))
    told = agent.radio.spat(killed_s)
    first = next(i for i, (_, _, valid) in enumerate(told) if not valid)
    assert first <= 2, "what was under way, then the parent's word, and no other colour"
    counts = [before[1], *(count for _, count, _ in told[: first + 1])]
    assert all((b - a) % 128 == 1 for a, b in pairwise(counts)), "msgCnt goes on"
    said_s = told[first][0] - (told[first - 1][0] if first else before[0])
    assert said_s < 5.0, "said at once, not when the core is back"
    until(lambda: agent.radio.speaks(told[first][0]))
    assert agent.pids()["core"] != pid


@pytest.mark.parametrize("name", ["senses", "uplink"])
def test_spat_goes_on_while_another_process_dies_and_comes_back(agent: Agent, name: str) -> None:
    killed_s, pid = time.monotonic(), agent.kill(name)
    until(lambda: agent.pids().get(name, pid) != pid)
    said = until(lambda: len(found := agent.radio.spat(killed_s)) > 30 and found)
    assert all(valid for _, _, valid in said), "no word of doubt on the radio"
    assert "core" in alive(agent.pids())


@pytest.mark.parametrize(("name", "device"), [("senses", "radar-south-west"), ("uplink", "uplink")])
def test_what_a_dead_process_measured_leaves_the_page_and_its_devices_are_lost(
    agent: Agent, name: str, device: str
) -> None:
    def on_the_page() -> bool:
        return f'rsu_process_resident_bytes{{process="{name}"}}' in agent.get("/metrics")[1]

    until(lambda: on_the_page() and device in agent.devices())
    os.kill(agent.process.pid, signal.SIGSTOP)  # a parent that starts it again at once would hide it
    try:
        agent.kill(name)
        until(lambda: not on_the_page())
        assert until(lambda: agent.devices()[device] == ("lost", "process_gone"))
        assert agent.devices()["controller"] == ("ok", "ok")
    finally:
        os.kill(agent.process.pid, signal.SIGCONT)
    until(lambda: on_the_page() and agent.devices()[device][1] != "process_gone")


def test_health_and_metrics_answer_and_metrics_are_named_by_the_house_s_rule(agent: Agent) -> None:
    assert until(lambda: agent.get("/healthz")[0] == 200)
    status, page = agent.get("/metrics")
    assert status == 200
    names = {
        family.name + "_total" * (family.type == "counter") for family in text_string_to_metric_families(page)
    }
    assert {name for name in names if not METRIC.match(name)} == set()
    assert len(names) > 5


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_the_agent_leaves_no_process_behind(agent: Agent, number: signal.Signals) -> None:
    pids = agent.pids()
    os.killpg(agent.process.pid, number) if number == signal.SIGINT else agent.process.send_signal(number)
    assert agent.process.wait(WAIT_S) == 0
    assert alive(pids) == []


def test_killed_outright_the_parent_takes_every_process_with_it(agent: Agent) -> None:
    pids = agent.pids()
    agent.process.kill()
    agent.process.wait(WAIT_S)
    until(lambda: alive(pids) == [])


def test_the_sixth_death_of_the_core_in_ten_minutes_ends_the_parent(agent: Agent) -> None:
    dead: set[int] = set()
    for _ in range(CORE_ENDS_ALLOWED + 1):
        until(lambda: agent.pids().get("core", -1) not in {-1, *dead})
        pids = agent.pids()
        dead.add(agent.kill("core"))
    assert agent.process.wait(WAIT_S) == 1
    until(lambda: alive(pids) == [])


class Manager:
    """systemd's end of the notify socket: every state, with its arrival."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.said: list[tuple[float, str]] = []
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.sock.recv(4096):
                self.said += [(time.monotonic(), state) for state in data.decode().splitlines()]

    def heard(self, state: str, since_s: float = 0.0) -> int:
        return sum(at_s >= since_s and said == state for at_s, said in list(self.said))


def test_systemd_hears_readiness_and_a_watchdog_that_stops_while_the_core_hangs(
    tmp_path: Path, controller: dict[str, Any]
) -> None:
    manager = Manager(tmp_path / "n.sock")
    agent = Agent(tmp_path, controller, NOTIFY_SOCKET=str(tmp_path / "n.sock"), WATCHDOG_USEC="1000000")
    try:
        agent.up()
        assert manager.heard("READY=1") == 1
        until(lambda: manager.heard("WATCHDOG=1") >= 3)
        hung = agent.kill("core", signal.SIGSTOP)
        until(lambda: agent.radio.spat(time.monotonic() - 0.2)[-1:] and not agent.radio.spat(0.0)[-1][2])
        silent_s = time.monotonic()
        told = until(lambda: len(found := agent.radio.spat(silent_s)) >= 20 and found)
        assert not any(valid for _, _, valid in told), "the parent's word, for as long as the core hangs"
        assert manager.heard("WATCHDOG=1", silent_s) == 0
        os.kill(hung, signal.SIGCONT)
        until(lambda: manager.heard("WATCHDOG=1", silent_s) >= 2)
    finally:
        agent.close()
        manager.sock.close()
