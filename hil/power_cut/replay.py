"""Every state that a power cut could leave, opened by the outbox and asked for what was promised."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgpack

from hil.power_cut.disk import Change, Disk
from hil.power_cut.work import SITE, TIGHT
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_seal import Row, records_of
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.ports.envelope import LANES, BadEnvelope

PARTS = 3  # random parts of what is pending, tried at each point
PROBE = Row(Shelf.LOG, "probe", (b"\x81\xa1k\xa5probe",))


@dataclass
class Promised:
    """What the marks say up to a point."""

    committed: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    known: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # to the district
    sent: dict[str, int] = field(default_factory=dict)  # the highest number that may have been sent
    is_tight: bool = False

    def hear(self, text: str) -> None:
        """Lines of marks."""
        for what, *words in map(str.split, text.splitlines()):
            match what:
                case "c":
                    self.committed[words[0]].add(int(words[1]))
                case "k":
                    self.known[words[0]].add(int(words[1]))
                case "s":
                    self.sent[words[0]] = int(words[1])
                case "o":
                    self.is_tight = True


class Replay:
    """points: changes after which the power went; states: different folders that were opened."""

    def __init__(self, folder: Path, recorded: Path, seed: int) -> None:
        self._folder, self._recorded, self._dice = folder, recorded, random.Random(seed)
        self._seen: set[bytes] = set()
        self.figures: Counter[str] = Counter()
        self.worst: list[str] = []

    def run(self, log: Iterator[Change], share: float, told: Callable[[], None]) -> None:
        """share: of all points, that are tried."""
        disk, promised, marks = Disk(), Promised(), str(self._recorded / "marks")
        for change in log:
            told()
            if change.name == marks:
                promised.hear(change.data.decode() if change.kind == "w" else "")
                continue
            disk.take(change)
            if self._dice.random() < share:
                self.figures["points"] += 1
                parts = [disk.some(self._dice) for _ in range(PARTS)]
                for state in (disk.least(), disk.everything(), *parts):
                    self._try(state, promised)

    def _try(self, state: Mapping[str, bytes], promised: Promised) -> None:
        told = hashlib.blake2b(digest_size=16)
        for name in sorted(state):
            told.update(name.encode() + b"\0" + hashlib.blake2b(state[name]).digest())
        told.update(str({lane: len(all_) for lane, all_ in promised.committed.items()}).encode())
        if told.digest() in self._seen:
            return
        self._seen.add(told.digest())
        self.figures["states"] += 1
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        for name, content in state.items():
            (self._folder / Path(name).name).write_bytes(content)
        for lane in LANES:
            self._open(lane, promised)

    def _open(self, name: str, promised: Promised) -> None:
        try:
            lane = Lane(self._folder / f"{name}.sqlite", TIGHT * 8, SITE)
        except Exception as error:  # noqa: BLE001 (whatever it is: the outbox does not open)
            self._found("unopened", f"{name}: {error!r}")
            return
        try:
            if lane.begun.why == "damaged":
                self._found("damaged", name)
            self._judge(lane, name, promised)
        except (sqlite3.Error, BadEnvelope) as error:
            self._found("unopened", f"{name}: {error!r}")
        finally:
            lane.close()

    def _judge(self, lane: Lane, name: str, promised: Promised) -> None:
        found = _records(lane, self._folder / f"{name}.sqlite")
        there = {record["n"] for record in found if "n" in record and record["k"] != "gap"}
        missing = promised.committed[name] - promised.known[name] - there
        rows, records = lane.numbers(), lane.numbers("r_")
        declared = records.dropped + records.rolled if promised.is_tight else 0
        if len(missing) > declared:
            self._found("lost", f"{name}: {len(missing)} of {len(promised.committed[name])}")
        if (rows.queued, records.queued) != lane.recounted():
            self._found("undeclared", f"{name}: {rows.queued} counted, {lane.recounted()} there")
        for of in (rows, records):
            if of.produced != of.acknowledged + of.queued + of.dropped + of.dead + of.rolled:
                self._found("undeclared", f"{name}: {of}")
        [given] = lane.append([PROBE])
        if given <= promised.sent.get(name, 0):
            self._found("reused", f"{name}: {given} after {promised.sent[name]}")

    def _found(self, what: str, words: str) -> None:
        self.figures[what] += 1
        if len(self.worst) < 10:
            self.worst.append(f"{what} at point {self.figures['points']}, {words}")


def _records(lane: Lane, file: Path) -> Iterator[dict[str, Any]]:
    """Of all rows, and those that wait for company."""
    for _, body in lane.after(0, 1_000_000):
        yield from records_of(body)
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        yield from (msgpack.unpackb(body) for (body,) in db.execute("SELECT body FROM open"))
