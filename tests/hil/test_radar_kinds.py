"""The kinds of virtual radar: the table, what a site file says of each, what is refused, the processes."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import hil.rig
from hil import commands
from hil.bus import Bus
from hil.devices.radars import DEFAULT, RADARS
from hil.processes import Processes, RigFailure
from hil.rig import Rig, RigOptions, radar_entry, radar_refused
from hil.truth import read_truth
from rsu_agent.cli.exits import Exit
from rsu_agent.ports.assets import asset
from tests.hil.radar_road import fitting, run, user

DRIVERS = {"ti_mmwave", "ars40x", "umrr0c", "ops243", "csr_speed", "ss125", "rtms_g4", "json_udp"}
ENTRY = {
    "driver": "ti_mmwave",
    "name": "r",
    "data_port": "/dev/x",
    "baud": 921600,
    "pose": {"x": 1},
    "field": {"y": 2},
}
WAIT_S = 20.0
CAR = {
    "id": 1, "cls": "car", "x": 0.0, "y": 0.0, "vx": 4.0, "vy": 4.0, "heading": 45.0, "l": 4.6, "w": 1.8,
    "h": 1.5,
}  # fmt: skip


def test_every_driver_has_a_kind_of_its_own_name_and_the_default_is_todays() -> None:
    assert {kind.driver for kind in RADARS.values()} == DRIVERS
    assert set(RADARS) >= DRIVERS
    assert RigOptions().radar == DEFAULT == "ti_mmwave"


@pytest.mark.parametrize("name", sorted(RADARS))
def test_every_kind_says_something_of_a_vehicle_that_crosses_before_it(name: str) -> None:
    front = RADARS[name].front(fitting(**RADARS[name].options))
    front.hear(b"\xf7", 0.0)
    users = [user(-6, 30, 6, 0), user(-8, 40, 5, -8, number=2)]
    frames = run(front, users, 0.0, 3.0, 0.005)
    if RADARS[name].driver != "ss125":  # polled
        assert frames
    assert front.next_s() > 2.9
    front.reset()
    run(front, users, 3.0, 3.5, 0.005)


@pytest.mark.parametrize("name", sorted(RADARS))
def test_the_same_seed_says_the_same(name: str) -> None:
    users = [user(-6, 30, 6, 0), user(-8, 40, 5, -8, number=2)]
    first, again = (
        run(RADARS[name].front(fitting(seed=5, **RADARS[name].options)), users, 0.0, 2.0, 0.005)
        for _ in range(2)
    )
    assert first == again


def test_the_default_changes_the_port_in_the_site_file_and_nothing_else() -> None:
    told = {"data_port": "/run/dev/radar-data", "baud": 921600}
    assert radar_entry(ENTRY, DEFAULT, told) == ENTRY | {"data_port": "/run/dev/radar-data"}


@pytest.mark.parametrize(
    ("name", "told", "said"),
    [
        (
            "ti_mmwave-traffic",
            {"data_port": "/r/d", "cli_port": "/r/c", "baud": 921600},
            {"driver": "ti_mmwave", "data_port": "/r/d", "baud": 921600, "profile": "traffic_monitoring"},
        ),
        (
            "ars40x",
            {"host": "127.0.0.1", "tcp_port": 4711},
            {
                "driver": "ars40x",
                "interface": "socketcand",
                "channel": "can0",
                "host": "127.0.0.1",
                "port": 4711,
            },
        ),
        (
            "ars40x-slcan",
            {"port": "/r/can", "baud": 2_000_000},
            {"driver": "ars40x", "interface": "slcan", "channel": "/r/can", "bitrate": 500_000},
        ),
        ("ops243", {"port": "/r/d", "baud": 57600}, {"driver": "ops243", "port": "/r/d", "baud": 57600}),
        (
            "ss125",
            {"host": "127.0.0.1", "tcp_port": 9},
            {"driver": "ss125", "port": "tcp://127.0.0.1:9", "sensor": 1, "subnet": 1},
        ),
    ],
)
def test_a_site_file_names_the_driver_and_its_line(
    name: str, told: dict[str, Any], said: dict[str, Any]
) -> None:
    entry = radar_entry(ENTRY, name, told)
    assert {key: entry[key] for key in ("name", "pose", "field")} == {
        k: ENTRY[k] for k in ("name", "pose", "field")
    }
    assert {key: value for key, value in entry.items() if key not in ("name", "pose", "field")} == said


# What is refused


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hil.rig, "plugins", lambda: {"ti_mmwave": object()})


def test_a_kind_whose_driver_is_not_installed_is_refused_by_name(
    nothing_installed: None, tmp_path: Path
) -> None:
    assert radar_refused("ti_mmwave-traffic") is None
    said = radar_refused("ars40x-slcan")
    assert said is not None
    assert "ars40x" in said
    assert "not installed" in said
    with pytest.raises(RigFailure, match="driver ars40x is not installed"):
        Rig(tmp_path / "run", RigOptions(radar="ars40x"))


def test_the_verb_refuses_what_is_unknown_and_what_has_no_driver(nothing_installed: None) -> None:
    app = typer.Typer()
    app.command()(commands.demo)
    ended = CliRunner().invoke(app, ["--for", "20", "--radar", "sonar", "--json"])
    assert ended.exit_code == int(Exit.USAGE)
    assert "one of ti_mmwave" in json.loads(ended.stdout)["error"]
    ended = CliRunner().invoke(app, ["--for", "20", "--radar", "ars40x", "--json"])
    assert ended.exit_code == int(Exit.USAGE)
    assert "not installed" in json.loads(ended.stdout)["error"]


# As processes


class Bench:
    """A radar process and its bus."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir, self.processes, self.bus = run_dir, Processes(run_dir / "logs"), Bus(run_dir)
        self.held = b""

    def start(self, name: str, *options: str) -> dict[str, Any]:
        ready = self.run_dir / "ready" / "radar.json"
        arguments = [
            "--run-dir",
            str(self.run_dir),
            "--site",
            str(asset("config/virtual.yaml")),
            "--radar",
            name,
        ]
        self.processes.module("radar", "hil.devices.radar", *arguments, *options, ready=ready)
        self.processes.wait_ready("radar")
        told: dict[str, Any] = json.loads(ready.read_text())
        return told

    def fault(self, name: str, on: bool | float) -> None:
        before = len(list(read_truth(self.run_dir, "fault")))
        self.bus.publish("fault", {"device": "radar", "name": name, "on": on})
        self.wait(lambda: len(list(read_truth(self.run_dir, "fault"))) > before)

    def wait(self, true: Callable[[], bool]) -> None:
        """Until it is true; a fault is written down before it is done."""
        deadline = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < deadline
            select.select([], [], [], 0.01)

    def until(self, read: Callable[[], bytes], end: int, wanted: Callable[[bytes], bool]) -> bytes:
        """What was read up to where the wanted is in it; a car drives by meanwhile."""
        held, deadline = b"", time.monotonic() + WAIT_S
        while not wanted(held):
            assert time.monotonic() < deadline, held[-200:]
            self.bus.publish("users", {"t": time.monotonic(), "users": [CAR]})
            if select.select([end], [], [], 0.05)[0]:
                held += read()
        return held


@pytest.fixture
def bench(short_path: Path) -> Iterator[Bench]:
    bench = Bench(short_path)
    yield bench
    bench.processes.stop()


def opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


@pytest.mark.real
def test_an_ars408_answers_a_socketcand_client_and_comes_back_at_its_port(bench: Bench) -> None:
    told = bench.start("ars40x")
    with socket.create_connection((told["host"], told["tcp_port"])) as client:
        bench.until(lambda: client.recv(4096), client.fileno(), lambda held: b"< hi >" in held)
        client.sendall(b"< open can0 >< rawmode >")
        bench.until(lambda: client.recv(4096), client.fileno(), lambda held: b"frame 60B" in held)
        client.sendall(b"< send 200 8 2 0 0 0 3 0 0 0 >")
        bench.until(lambda: client.recv(4096), client.fileno(), lambda held: b"frame 63A" in held)
    bench.bus.publish("fault", {"device": "radar", "name": "kill", "on": True})
    deadline = time.monotonic() + WAIT_S
    while not bench.processes.look():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.02)
    bench.processes.wait_ready("radar")
    assert bench.processes.told("radar")["tcp_port"] == told["tcp_port"]


@pytest.mark.real
def test_an_ars408_behind_a_serial_adapter(bench: Bench) -> None:
    end = opened(bench.start("ars40x-slcan")["port"])
    os.write(end, b"C\rS6\rO\r")
    bench.until(lambda: os.read(end, 4096), end, lambda held: b"\rt60B8" in held)
    os.close(end)


@pytest.mark.real
def test_a_ti_unit_has_a_command_port_that_stops_and_starts_its_frames(bench: Bench) -> None:
    told = bench.start("ti_mmwave-traffic")
    data, console = opened(told["data_port"]), opened(told["cli_port"])
    bench.until(lambda: os.read(data, 4096), data, lambda held: bytes.fromhex("0201040306050807") in held)
    os.write(console, b"sensorStop\n")
    bench.until(lambda: os.read(console, 4096), console, lambda held: b"Done" in held)
    while select.select([data], [], [], 0.5)[0]:
        os.read(data, 4096)
    os.write(console, b"sensorStart 0\n")
    bench.until(lambda: os.read(console, 4096), console, lambda held: b"Done" in held)
    bench.until(lambda: os.read(data, 4096), data, lambda held: bytes.fromhex("0201040306050807") in held)
    os.close(data)
    os.close(console)


@pytest.mark.real
@pytest.mark.parametrize(("name", "asked"), [("ops243", b"OJ"), ("ss125-serial", b""), ("csr_speed", b"")])
def test_serial_radars_speak_and_take_faults_and_replugging(bench: Bench, name: str, asked: bytes) -> None:
    told = bench.start(name)
    end = opened(told["port"])
    os.write(end, asked)
    if asked:
        bench.until(lambda: os.read(end, 4096), end, lambda held: b"OutputJson" in held)
    for fault, on in (
        ("drop_frame", 0.5),
        ("stall", 0.2),
        ("reset", True),
        ("clock_skew", 300.0),
        ("blocked", False),
    ):
        bench.fault(fault, on)
    os.close(end)
    bench.fault("unplug", True)
    bench.wait(lambda: not Path(told["port"]).exists())
    bench.fault("replug", True)
    bench.wait(Path(told["port"]).exists)


@pytest.mark.real
def test_a_radar_that_begins_by_itself_sends_to_where_it_is_told(bench: Bench) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        bench.start("json_udp", "--to", f"127.0.0.1:{agent.getsockname()[1]}")
        agent.settimeout(WAIT_S)
        assert json.loads(agent.recv(65536))["device"]
