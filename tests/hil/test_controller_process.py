"""The virtual controller as a process: answers and traps on its port, faults from the bus, its truth log."""

from __future__ import annotations

import json
import os
import select
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.bus import Bus
from hil.devices.gbt20999_codec import Address, Message, Profile, Reader, build
from hil.processes import Child, Processes
from hil.truth import read_truth

pytestmark = pytest.mark.real

PROFILE = Profile()
WAIT_S = 20.0  # for things that take milliseconds on an idle machine
LAMP_OF = {0x01: "dark", 0x10: "red", 0x20: "green", 0x21: "green_flash", 0x30: "yellow"}


class Bench:
    """A controller process, its bus, and a master on its port."""

    def __init__(self, run_dir: Path, processes: Processes) -> None:
        self.run_dir, self.processes, self.bus = run_dir, processes, Bus(run_dir)
        self.link = run_dir / "dev" / "controller"
        self.reader, self.end = Reader(PROFILE), -1

    def start(self, *options: str) -> Child:
        ready = self.run_dir / "ready" / "controller.json"
        arguments = ["--run-dir", str(self.run_dir), *options]
        child = self.processes.module("controller", "hil.devices.controller", *arguments, ready=ready)
        self.processes.wait_ready("controller")
        assert json.loads(ready.read_text()) == {"port": str(self.link), "baud": 115200}
        return child

    def plug_in(self) -> None:
        if self.end >= 0:
            os.close(self.end)
        self.end = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)

    def ask(self, address: Address) -> None:
        os.write(self.end, build(Message(0x10, 5, 0, 0, 1, ((1, address, b""),)), PROFILE))

    def hear(self, wanted: Callable[[Message], bool], wait_s: float = WAIT_S) -> Message | None:
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self.end], [], [], left)[0]:
                for message in self.reader.feed(os.read(self.end, 4096)):
                    if wanted(message):
                        return message
        return None

    def answer(self, *address: int) -> bytes:
        """The value, asking again every quarter of a second while the line eats questions or replies."""
        row = (address[0], address[1], address[2], address[3])
        for _ in range(80):
            self.ask(row)
            if reply := self.hear(lambda m: m.kind == 0x20 and m.entries[0][1] == row, 0.25):
                return reply.entries[0][2]
        raise AssertionError(f"no answer for {row}")

    def fault(self, name: str, on: bool) -> None:
        """Acts once the controller says so in the truth log."""
        before = self.faults()
        self.bus.publish("fault", {"device": "controller", "name": name, "on": on})
        until(lambda: len(self.faults()) > len(before))

    def faults(self) -> list[dict[str, object]]:
        return list(read_truth(self.run_dir, "fault"))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.01)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Processes(tmp_path / "logs"))
    yield bench
    bench.processes.stop()
    if bench.end >= 0:
        os.close(bench.end)


def test_it_answers_and_reports_each_change_after_the_lamp_changed(bench: Bench) -> None:
    lamps = bench.bus.subscribe("lamps")
    bench.start("--plan", "3", "--seed", "4")
    bench.plug_in()
    assert bench.answer(3, 1, 0, 0) == bytes([24])
    assert bench.answer(13, 2, 3, 1) == b"\x03"
    trap = bench.hear(lambda message: message.kind == 0x60)
    assert trap is not None
    arrived_s = time.monotonic()
    told = {address[3]: LAMP_OF[value[0]] for _, address, value in trap.entries if address[:2] == (3, 3)}
    until(lambda: any(True for _ in read_truth(bench.run_dir, "wire")))
    wire = next(read_truth(bench.run_dir, "wire"))
    assert {int(group): colour for group, colour in wire["colours"].items()} == told
    known = {entry["group"]: entry for entry in read_truth(bench.run_dir, "knowable")}
    shone = {
        entry["group"]: entry["t"]
        for entry in read_truth(bench.run_dir, "lamp")
        if told.get(entry["group"]) == entry["colour"]
    }
    for group in told:
        assert shone[group] <= known[group]["t"] <= wire["t"] <= arrived_s
    published = [
        message for message in iter(lamps.get, None) if message[1]["groups"][min(told)] in told.values()
    ]
    assert published
    lamps.close()


def test_unplugged_it_vanishes_and_replugged_it_answers_under_the_same_name(bench: Bench) -> None:
    bench.start()
    bench.plug_in()
    bench.answer(3, 1, 0, 0)
    bench.fault("unplug", True)
    until(lambda: not bench.link.is_symlink())
    bench.fault("replug", True)
    until(bench.link.is_symlink)
    bench.plug_in()
    assert bench.answer(3, 1, 0, 0) == bytes([24])


def test_silent_it_says_nothing_and_then_answers_again(bench: Bench) -> None:
    bench.start("--no-traps")
    bench.plug_in()
    bench.fault("silent", True)
    bench.ask((3, 1, 0, 0))
    assert bench.hear(lambda message: True, 0.5) is None
    bench.fault("silent", False)
    assert bench.answer(3, 1, 0, 0) == bytes([24])


def test_with_noise_and_cut_frames_on_the_line_some_replies_still_come(bench: Bench) -> None:
    bench.start()
    bench.plug_in()
    bench.fault("garbage", True)
    bench.fault("truncate", True)
    for group in range(1, 6):
        assert bench.answer(3, 2, 1, group) == bytes([group])


def test_frozen_it_answers_with_what_was_while_the_true_lamps_go_on(bench: Bench) -> None:
    bench.start("--plan", "3")
    bench.plug_in()
    bench.fault("freeze", True)
    before = bench.answer(3, 3, 1, 1)
    count = len(list(read_truth(bench.run_dir, "lamp")))
    until(lambda: any(e["group"] == 1 for e in list(read_truth(bench.run_dir, "lamp"))[count:]))
    assert bench.answer(3, 3, 1, 1) == before


def test_killed_it_ends_at_once_and_started_again_it_answers(bench: Bench) -> None:
    child = bench.start()
    bench.plug_in()
    bench.bus.publish("fault", {"device": "controller", "name": "kill", "on": True})
    until(lambda: child.process is not None and child.process.poll() is not None)
    assert child.process is not None
    assert child.process.returncode == 9
    assert bench.processes.look() == ["controller"]
    bench.processes.wait_ready("controller")
    bench.plug_in()
    assert bench.answer(3, 1, 0, 0) == bytes([24])


def test_another_makers_unit_is_a_matter_of_options(bench: Bench) -> None:
    bench.start("--version", "0102", "--serials", "echo", "--beat-reply", "71", "--most-values", "8")
    bench.plug_in()
    os.write(bench.end, build(Message(0x70, 5, 0, 0, 9, ()), PROFILE))
    assert bench.hear(lambda message: message.kind == 0x71 and message.serial == 9) is not None


def test_traps_of_all_lamps_come_again_and_again_where_the_unit_does_so(bench: Bench) -> None:
    bench.start("--no-traps", "--trap-period", "0.2")
    bench.plug_in()
    for _ in range(3):
        assert bench.hear(lambda message: message.kind == 0x60 and len(message.entries) == 25) is not None


def test_being_written_to_is_told_in_the_truth_log(bench: Bench) -> None:
    bench.start()
    bench.plug_in()
    os.write(bench.end, build(Message(0x30, 5, 0, 0, 9, ((1, (3, 4, 2, 1), b"\x01"),)), PROFILE))
    until(lambda: any(entry["name"] == "was_written_to" for entry in bench.faults()))


def test_told_to_end_it_ends_cleanly_and_takes_its_port_away(bench: Bench) -> None:
    child = bench.start()
    bench.processes.stop("controller")
    assert child.process is not None
    assert child.process.returncode == 0
    assert not bench.link.is_symlink()
