"""The vehicles that send, as a process: what comes in at the agent's port and what the truth log says."""

from __future__ import annotations

import itertools
import math
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hil.bus import Bus
from hil.devices.vehicle import clock_offset_s
from hil.devices.vehicle_codec import decode
from hil.processes import Processes
from hil.truth import read_truth
from hil.world.make_crossing import to_metres
from rsu_agent.messages.csae53 import codec

pytestmark = pytest.mark.real

WAIT_S = 60.0
ROW = {"vx": 0.0, "vy": 0.0, "heading": 0.0, "l": 4.5, "w": 1.8, "h": 1.5, "shade": 0, "brake": False}
ROAD = [
    {"id": 1, "cls": "car", "x": 2.0, "y": -30.0, **ROW},
    {"id": 2, "cls": "bus", "x": -2.0, "y": 25.0, **ROW},
    {"id": 3, "cls": "pedestrian", "x": 8.0, "y": 8.0, **ROW},
]


class Bench:
    """The agent's port, the world's bus, the process between."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir, self.processes, self.bus = run_dir, Processes(run_dir / "logs"), Bus(run_dir)
        self.port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.port.bind(("127.0.0.1", 0))
        self.port.setblocking(False)

    def start(self, *more: str) -> dict[str, Any]:
        arguments = ["--run-dir", str(self.run_dir), "--port", str(self.port.getsockname()[1]), *more]
        ready = self.run_dir / "ready" / "talkers.json"
        self.processes.module("talkers", "hil.devices.talking_vehicles", *arguments, ready=ready)
        self.processes.wait_ready("talkers")
        return self.processes.told("talkers")

    def listen(self, enough: Callable[[list[bytes]], bool], road: list[dict[str, Any]] = ROAD) -> list[bytes]:
        """Datagrams until there are enough, on a road that stays as it is."""
        got: list[bytes] = []
        deadline = time.monotonic() + WAIT_S
        while not enough(got):
            assert time.monotonic() < deadline, len(got)
            self.bus.publish("users", {"t": time.monotonic(), "users": road})
            while select.select([self.port], [], [], 0.02)[0]:
                data, address = self.port.recvfrom(65536)
                assert address[0] == "127.0.0.1"
                got.append(data)
                if enough(got):
                    break
        return got

    def fault(self, name: str, on: bool = True) -> None:
        """Act, and wait until the device has written that it obeyed; what came before is forgotten."""
        before = len(list(read_truth(self.run_dir, "fault")))
        self.bus.publish("fault", {"device": "talkers", "name": name, "on": on})
        self.listen(lambda _: len(list(read_truth(self.run_dir, "fault"))) > before, [])
        while select.select([self.port], [], [], 0)[0]:
            self.port.recv(65536)

    def log(self) -> list[dict[str, Any]]:
        return list(read_truth(self.run_dir, "bsm"))


@pytest.fixture
def bench(short_path: Path) -> Iterator[Bench]:
    bench = Bench(short_path)
    yield bench
    bench.processes.stop()
    bench.port.close()


def place(data: bytes) -> tuple[float, float]:
    value = decode(data)[1]
    return to_metres(value["pos"]["long"] / 1e7, value["pos"]["lat"] / 1e7)


def test_bsms_arrive_at_the_port_where_the_cars_are_and_the_log_tells_of_each_once_a_second(
    bench: Bench,
) -> None:
    told = bench.start("--share", "1")
    assert told == {"host": "127.0.0.1", "to": bench.port.getsockname()[1]}
    began_s = time.monotonic()
    got = bench.listen(lambda got: len(got) >= 60)
    took_s = time.monotonic() - began_s
    values = [codec.decode(data)[1] for data in got]
    ids = {value["id"] for value in values}
    assert len(ids) == 2, "the car and the bus"
    counts = [[value["msgCnt"] for value in values if value["id"] == each] for each in ids]
    assert all(seen == list(range(len(seen))) for seen in counts)
    utc_ms = (time.monotonic() + clock_offset_s()) * 1000
    assert (utc_ms - values[-1]["secMark"]) % 60_000 < 2_000
    bench.listen(lambda _: {entry["id"] for entry in bench.log()} == {each.hex() for each in ids})
    entries = bench.log()
    where = {entry["id"]: (entry["user"], entry["x"], entry["y"]) for entry in entries}
    assert sorted(where.values()) == [(1, 2.0, -30.0), (2, -2.0, 25.0)]
    for data in got:
        _, *true = where[decode(data)[1]["id"].hex()]
        assert math.dist(place(data), true) < 4.0
    for each in where:
        times = [entry["t"] for entry in entries if entry["id"] == each]
        assert len(times) <= took_s + 2
        assert all(after - before >= 1.0 for before, after in itertools.pairwise(times))
    assert not any(entry["lie"] or entry["again"] for entry in entries)


def test_the_liar_is_named_in_the_log_and_the_ghost_is_nobody(bench: Bench) -> None:
    bench.start("--share", "1", "--liar")
    bench.fault("ghost")
    got = bench.listen(lambda got: len({decode(data)[1]["id"] for data in got}) == 3)
    by_id = {decode(data)[1]["id"].hex(): place(data) for data in got}
    bench.listen(lambda _: len({entry["user"] for entry in bench.log()}) == 3)
    entries = {entry["user"]: entry for entry in bench.log()}
    assert {number: entry["lie"] for number, entry in entries.items()} == {1: False, 2: True, None: True}
    assert (entries[2]["x"], entries[2]["y"]) == (-2.0, 25.0), "where it truly is"
    assert math.dist(by_id[entries[2]["id"]], (4.0, 25.0)) < 4.0, "six metres to its right"
    assert math.dist(by_id[entries[None]["id"]], (0.0, 0.0)) < 4.0


def test_it_falls_silent_unplugged_or_told_so_and_comes_back(bench: Bench) -> None:
    bench.start("--share", "1")
    for on, off in (("unplug", "replug"), ("silence", "silence")):
        bench.fault(on)
        told = len(bench.log())
        until_s = time.monotonic() + 0.5
        assert bench.listen(lambda _, until_s=until_s: time.monotonic() > until_s) == []
        assert len(bench.log()) == told
        bench.fault(off, on=off == "replug")
        assert bench.listen(lambda got: len(got) >= 4)


def test_garbage_is_no_bsm_and_a_flood_comes_beside_the_messages(bench: Bench) -> None:
    bench.start("--share", "1")
    bench.listen(lambda got: len(got) >= 2)
    bench.fault("garbage")
    noise = bench.listen(lambda got: len(got) >= 20)
    assert sum(_is_bsm(data) for data in noise) == 0
    bench.fault("garbage", on=False)
    bench.fault("flood")
    began_s = time.monotonic()
    got = bench.listen(lambda got: len(got) >= 2000 and any(map(_is_bsm, got[-50:])))
    assert time.monotonic() - began_s > 1.0, "a thousand a second, not more"
    bench.fault("flood", on=False)
    assert all(map(_is_bsm, bench.listen(lambda got: len(got) >= 10)))
    assert sum(map(_is_bsm, got)) < 0.2 * len(got)


def _is_bsm(data: bytes) -> bool:
    try:
        return decode(data)[0] == "BSM" and len(data) > 30
    except ValueError:
        return False
