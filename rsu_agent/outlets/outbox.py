"""The outbox: records on disk until the receiver says that it has committed them. Nothing waits for it."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack

from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.ports.envelope import LANES, Ack

log = logging.getLogger(__name__)
HAND_OVER = 10_000  # records between producer and writer; beyond, they are refused and counted
COMMIT_S = 0.2  # the low lane commits at most so late ...
COMMIT_RECORDS = 64  # ... or when so many wait
DROP_ROWS = 200  # given up at once when a lane is full
HI_SHARE = 8  # the high lane gets an eighth of the quota


class OutboxBroken(Exception):
    """The writer could not store: the disk fails, or somebody holds the file."""


Done = Callable[[list[int]], None]


@dataclass(slots=True)
class _Job:
    lane: str
    record: dict[str, Any]
    tag: int


class Outbox:
    """Two lanes and one writer thread. `committed` is called from that thread with the tags now on disk."""

    def __init__(self, folder: Path, quota_bytes: int, committed: Done | None = None) -> None:
        self._lanes = {
            "hi": Lane(folder / "hi.sqlite", quota_bytes // HI_SHARE),
            "lo": Lane(folder / "lo.sqlite", quota_bytes - quota_bytes // HI_SHARE),
        }
        self._lock = threading.Lock()
        self._jobs: queue.Queue[_Job | None] = queue.Queue(HAND_OVER)
        self._committed = committed or (lambda _tags: None)
        self.overflowed = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._thread.start()

    def append(self, record: dict[str, Any], lane: str, tag: int = 0) -> bool:
        """Hand a record over; False when the hand-over is full (counted).

        Raises OutboxBroken once the writer has given up: nothing would be stored any more.
        """
        if self._failure is not None:
            raise OutboxBroken(str(self._failure))
        try:
            self._jobs.put_nowait(_Job(lane, record, tag))
        except queue.Full:
            self.overflowed += 1
            return False
        return True

    @property
    def settled(self) -> bool:
        """Whether all that was handed over is on disk."""
        return not self._jobs.unfinished_tasks

    def epoch(self, lane: str) -> int:
        """The epoch of a lane's file."""
        return self._lanes[lane].epoch

    def after(self, lane: str, seq: int, most: int) -> list[tuple[int, list[dict[str, Any]]]]:
        """Queued rows with greater numbers: (seq, records)."""
        with self._lock:
            rows = list(self._lanes[lane].after(seq, most))
        return [(number, msgpack.unpackb(body, strict_map_key=False)) for number, body in rows]

    def acknowledge(self, ack: Ack) -> int:
        """Act on the receiver's word, if it is about this file; how many rows are gone."""
        lane = self._lanes.get(ack.lane)
        if lane is None or ack.epoch != lane.epoch:
            return 0
        with self._lock:
            return lane.acknowledge(ack.contiguous, ack.ranges) + lane.bury(ack.rejected)

    def numbers(self) -> dict[str, dict[str, int]]:
        """Per lane: epoch, produced, acknowledged, queued, dropped, dead."""
        with self._lock:
            return {name: asdict(lane.numbers()) for name, lane in self._lanes.items()}

    def close(self) -> None:
        """Commit what was handed over and close the files."""
        self._jobs.put(None)
        self._thread.join()
        for lane in self._lanes.values():
            lane.close()

    def _write(self) -> None:
        """The thread. What it cannot mend it leaves for the next `append` to raise."""
        try:
            while (batch := self._batch()) is not None:
                self._commit(batch)
                for _ in batch:
                    self._jobs.task_done()
        except BaseException as failure:
            self._failure = failure
            log.exception("the outbox cannot store")

    def _batch(self) -> list[_Job] | None:
        """What to commit together; None at the end. A record of the high lane waits for nobody."""
        job = self._jobs.get()
        batch = [] if job is None else [job]
        due_s = time.monotonic() + COMMIT_S
        while job is not None and job.lane != "hi" and len(batch) < COMMIT_RECORDS:
            try:
                job = self._jobs.get(timeout=max(0.0, due_s - time.monotonic()))
            except queue.Empty:
                break
            batch += [] if job is None else [job]
        if job is None and batch:
            self._jobs.put(None)  # the end is for the next batch
        return batch or None

    def _commit(self, batch: list[_Job]) -> None:
        """One transaction a lane; rows of the low lane carry what came together."""
        for name in LANES:
            mine = [job for job in batch if job.lane == name]
            if not mine:
                continue
            groups = [[job] for job in mine] if name == "hi" else [mine]
            bodies = [
                ("+".join(sorted({j.record["k"] for j in g})), msgpack.packb([j.record for j in g]))
                for g in groups
            ]
            with self._lock:
                self._store(name, bodies)
            self._committed([job.tag for job in mine])

    def _store(self, name: str, bodies: Iterable[tuple[str, bytes]]) -> None:
        """Append; a full lane gives up its oldest rows and says so in a gap record."""
        rows = list(bodies)
        lane = self._lanes[name]
        while True:
            try:
                lane.append(rows)
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                    raise
                lost = lane.drop_oldest(DROP_ROWS)
                if lost is None:
                    raise
                low, high, count = lost
                gap = {"k": "gap", "l": name, "from": low, "to": high, "n": count, "why": "full"}
                rows.append(("gap", msgpack.packb([gap])))


def read_numbers(folder: Path) -> dict[str, dict[str, int]]:
    """The numbers of an outbox that nobody has open, for tests and technicians."""
    numbers = {}
    for name in LANES:
        path = folder / f"{name}.sqlite"
        if path.exists():
            lane = Lane(path, 1 << 40)
            numbers[name] = asdict(lane.numbers())
            lane.close()
    return numbers
