"""unplug, replug, silence, garbage, freeze, kill of the devices on the network, as others see them."""

from __future__ import annotations

import json
import select
import socket
import sqlite3
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from typer.testing import CliRunner

from hil.bus import Bus
from hil.commands import hil
from hil.devices.camera_server import CameraServer
from hil.devices.fault_table import COMMON, FAULTS
from hil.devices.vehicle_codec import decode_air
from hil.processes import Processes
from hil.truth import read_truth
from rsu_agent.ports.assets import asset

pytestmark = pytest.mark.real

WAIT_S = 60.0
TRACKING = struct.pack(">BBBBHHI", 6, 1, 0, 0, 33, 0, 77) + bytes(92)
MODULES = {
    "vehicle": ("hil.devices.vehicle",),
    "talkers": ("hil.devices.talking_vehicles", "--port", "9"),
    "time": ("hil.devices.time_server",),
    "district": ("hil.devices.district",),
    "camera": ("hil.devices.camera", "--site", str(asset("config/virtual.yaml"))),
}


def until(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + WAIT_S
    while not (value := condition()):
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)
    return value


class Bench:
    def __init__(self, run_dir: Path) -> None:
        self.run_dir, self.processes, self.bus = run_dir, Processes(run_dir / "logs"), Bus(run_dir)

    def start(self, device: str) -> dict[str, Any]:
        module, *arguments = MODULES[device]
        ready = self.run_dir / "ready" / f"{device}.json"
        arguments = ["--run-dir", str(self.run_dir), *arguments]
        self.processes.module(device, module, *arguments, ready=ready)
        self.processes.wait_ready(device)
        return self.processes.told(device)

    def fault(self, device: str, name: str, on: bool = True) -> None:
        """Act, and wait until the device has written that it obeyed."""
        before = len(self.obeyed())
        self.bus.publish("fault", {"device": device, "name": name, "on": on})
        until(lambda: len(self.obeyed()) > before)

    def obeyed(self) -> list[dict[str, Any]]:
        return list(read_truth(self.run_dir, "fault"))


@pytest.fixture
def bench(short_path: Path) -> Iterator[Bench]:
    bench = Bench(short_path)
    yield bench
    bench.processes.stop()


def test_every_device_knows_the_six_common_faults() -> None:
    assert all(set(COMMON) <= set(names) for names in FAULTS.values())
    assert set(FAULTS) == {"controller", "camera", "radar", "vehicle", "talkers", "time", "district"}


@pytest.mark.parametrize("device", MODULES)
def test_a_killed_device_comes_back_at_its_address(bench: Bench, device: str) -> None:
    told = bench.start(device)
    bench.bus.publish("fault", {"device": device, "name": "kill", "on": True})
    until(lambda: bench.processes.look() == [device])
    bench.processes.wait_ready(device)
    assert bench.processes.told(device) == told


def test_the_vehicle_hears_nothing_while_unplugged_or_silent_and_late_what_came_while_frozen(
    bench: Bench,
) -> None:
    told = bench.start("vehicle")
    radio = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    radio.connect((told["host"], told["port"]))

    def heard() -> list[str]:
        return [entry["hex"] for entry in read_truth(bench.run_dir, "air")]

    def refused() -> bool:
        try:
            radio.send(b"\x01")
        except ConnectionRefusedError:
            return True
        return False

    bench.fault("vehicle", "unplug")
    until(refused)
    bench.fault("vehicle", "replug")
    bench.fault("vehicle", "silence")
    radio.send(b"\x02")
    bench.fault("vehicle", "silence", on=False)
    bench.fault("vehicle", "freeze")
    radio.send(b"\x03")
    frozen_s = time.monotonic()
    assert heard() == []
    bench.fault("vehicle", "freeze", on=False)
    until(lambda: heard() == ["03"])
    (entry,) = read_truth(bench.run_dir, "air")
    assert entry["t"] < frozen_s + 0.001, "stamped by the kernel when it came, not when it was read"
    bench.fault("vehicle", "garbage")
    radio.send(bytes(20))
    until(lambda: len(heard()) == 2)
    assert bin(int(heard()[1], 16)).count("1") == 1
    assert [kind for _, kind, _ in decode_air(bench.run_dir)][1] == "BAD", "it is not what was sent"


def test_the_time_source_is_away_silent_noisy_and_stands_still(bench: Bench) -> None:
    told = bench.start("time")
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.settimeout(0.5)
    asker.connect((told["host"], told["port"]))

    def answer() -> bytes | None:
        try:
            asker.send(TRACKING)
            return asker.recv(2048)
        except (ConnectionRefusedError, TimeoutError):
            return None

    good = answer()
    assert good is not None
    assert struct.unpack_from(">H", good, 4) == (33,)
    for fault in ("unplug", "silence"):
        bench.fault("time", fault)
        assert answer() is None
        bench.fault("time", fault, on=False)
        assert until(answer) is not None
    bench.fault("time", "freeze")
    still = answer()
    assert still == answer()
    bench.fault("time", "freeze", on=False)
    assert until(answer) != still
    bench.fault("time", "garbage")
    assert answer() != answer()


def test_the_camera_is_refused_while_unplugged_and_there_again_at_the_same_address(bench: Bench) -> None:
    url = bench.start("camera")["url"].replace("/stream", "/still.jpg")

    def picture() -> bytes | None:
        try:
            return bytes(urllib.request.urlopen(url, timeout=5).read())
        except (urllib.error.URLError, OSError):
            return None

    assert until(picture).startswith(b"\xff\xd8")
    bench.bus.publish("fault", {"device": "camera", "name": "unplug", "on": True})
    until(lambda: picture() is None)
    bench.bus.publish("fault", {"device": "camera", "name": "replug", "on": True})
    assert until(picture).startswith(b"\xff\xd8")


class Client:
    """Somebody at the district's broker who hears what it publishes itself."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.heard: list[bytes] = []
        self.lost = self.joined = 0
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="tester")
        self.client.on_message = lambda _c, _u, message: self.heard.append(bytes(message.payload))
        self.client.on_subscribe = lambda *_: setattr(self, "joined", self.joined + 1)
        self.client.on_connect = lambda *_: self.client.subscribe("t")
        self.client.on_disconnect = lambda *_: setattr(self, "lost", self.lost + 1)
        self.client.reconnect_delay_set(1, 1)
        self.client.connect(told["host"], told["port"], keepalive=2)
        self.client.loop_start()
        until(lambda: self.joined)

    def say(self, text: bytes) -> None:
        self.client.publish("t", text)

    def end(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize("fault", ["unplug", "silence", "garbage", "freeze", "kill"])
def test_the_districts_line_fails_in_its_way_and_is_there_again(bench: Bench, fault: str) -> None:
    client = Client(bench.start("district"))
    client.say(b"before")
    until(lambda: b"before" in client.heard)
    for _ in range(1 if fault == "kill" else 2):  # twice is once
        bench.fault("district", fault)
    client.say(b"during")
    until(lambda: client.lost)  # pings unanswered, noise in place of an answer, or closed
    assert b"during" not in client.heard
    if fault == "kill":
        until(lambda: bench.processes.look() == ["district"])
        bench.processes.wait_ready("district")
    else:
        bench.fault("district", fault, on=False)
    joined = client.joined
    until(lambda: client.joined > joined)
    client.say(b"after")
    until(lambda: b"after" in client.heard)
    client.end()
    held = sqlite3.connect(bench.run_dir / "district.sqlite")
    assert held.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    held.close()
    assert json.loads((bench.run_dir / "ready" / "receiver.json").read_text())["port"]


def reachable(kind: int, host: str, port: int) -> bool:
    """Whether anybody is at the port."""
    with socket.socket(socket.AF_INET, kind) as sock:
        try:
            sock.connect((host, port))
            for _ in range(2):  # a refused datagram is told at the next one
                sock.send(b"\x00")
        except ConnectionError:
            return False
    return True


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        ("camera", socket.SOCK_STREAM),
        ("district", socket.SOCK_STREAM),
        ("vehicle", socket.SOCK_DGRAM),
        ("time", socket.SOCK_DGRAM),
    ],
)
def test_by_the_command_a_device_is_unplugged_and_replugged(bench: Bench, device: str, kind: int) -> None:
    told = bench.start(device)
    address = urllib.parse.urlsplit(told.get("url", f"//{told.get('host')}:{told.get('port', 0)}"))
    done: list[tuple[str, str, bool]] = []
    for name in ("replug", "unplug", "unplug", "replug", "replug", "unplug", "replug"):
        there = name == "replug"
        ended = CliRunner().invoke(hil, ["fault", device, name, "on", "--run", str(bench.run_dir)])
        assert ended.exit_code == 0, ended.output
        done.append((device, name, True))
        until(lambda: [(said["device"], said["name"], said["on"]) for said in bench.obeyed()] == done)
        until(lambda wanted=there: reachable(kind, address.hostname, address.port) is wanted)


def test_an_unplugged_camera_serves_nobody_not_even_the_next_who_asks() -> None:
    server = CameraServer(lambda frame, at_s: None)
    server.show(0, b"picture")
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as client:
        client.sendall(b"GET /stream HTTP/1.1\r\n\r\n")
        until(lambda: b"picture" in client.recv(4096))
        server.close()
        until(lambda: client.recv(4096) == b"")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), WAIT_S)
    server.open()
    socket.create_connection(("127.0.0.1", server.port), WAIT_S).close()
    server.close()
