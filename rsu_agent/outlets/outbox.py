"""The outbox: records on disk until the receiver says that it has committed them. Nothing waits for it."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack

from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.ports.envelope import LANES, Ack

HAND_OVER = 10_000  # records between producer and writer; beyond, they are refused and counted
COMMIT_S = 0.2  # the low lane commits at most so late ...
COMMIT_RECORDS = 64  # ... or when so many wait
DROP_ROWS = 200  # given up at once when a lane is full
HI_SHARE = 8  # the high lane gets an eighth of the quota

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
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._thread.start()

    def append(self, record: dict[str, Any], lane: str, tag: int = 0) -> bool:
        """Hand a record over; False when the hand-over is full (counted)."""
        try:
            self._jobs.put_nowait(_Job(lane, record, tag))
        except queue.Full:
            self.overflowed += 1
            return False
        return True

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
        while (job := self._jobs.get()) is not None:
            batch = [job]
            last = False
            while len(batch) < COMMIT_RECORDS:
                try:
                    more = self._jobs.get(timeout=0.0 if job.lane == "hi" else COMMIT_S / 4)
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                batch.append(more)
                if more.lane == "hi":
                    break
            self._commit(batch)
            if last:
                return

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
            except sqlite3.OperationalError:
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
