"""The outbox: records on disk until the receiver says that it has committed them. Nothing waits for it."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgpack

from rsu_agent.outlets.hand_over import HAND_OVER, RETRY_S, HandOver, Job, Work
from rsu_agent.outlets.outbox_age import forget_dead, let_go_of_old
from rsu_agent.outlets.outbox_clock import Vouched
from rsu_agent.outlets.outbox_disk import Disk
from rsu_agent.outlets.outbox_file import RECORDS, aside_bytes
from rsu_agent.outlets.outbox_lane import Lane, read_lane
from rsu_agent.outlets.outbox_room import make_room
from rsu_agent.outlets.outbox_seal import Row, grouped, records_of, sealed_late
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.outlets.receipt import Receipt
from rsu_agent.ports.envelope import LANES, LARGEST, Ack

log = logging.getLogger(__name__)
HI_SHARE = 8  # the high lane gets an eighth of the quota
LARGEST_RECORD = LARGEST // 2
LARGEST_PIECE = 1 << 20  # bytes of records in one transaction ...
MOST_HELD = 512  # records that wait for company
PIECE_SHARE = 16  # ... or this part of a small lane
PLENTY, PLENTY_BYTES = (
    4,
    64 << 10,
)  # with so much room left a lane is not full, whatever SQLite says: the disk is
AGE_EVERY_S = 600.0  # rows past their days are looked for, piece by piece at every turn
DROPPING_S = 60.0  # a lane that gave something up so lately is an alarm


class OutboxBroken(Exception):
    """The writer could not store: the file is damaged, or somebody holds it."""


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a record of the low lane waits on disk for company; a day away makes 2,000 envelopes."""

    live_s: float = 5.0  # while the district answers
    away_s: float = 120.0


Done = Callable[[list[int]], None]


class Outbox:
    """Two lanes and one writer thread. `committed` is called from that thread with the tags now on disk.

    site: what is stored is sealed for it; without one, that is done when a row is sent.
    birth: with what the first record of every start is made; None: there is none.
    windows: how long records of the low lane wait on disk for others to share an envelope with; None: what
    is committed together is one.
    """

    def __init__(
        self,
        folder: Path,
        quota_bytes: int,
        committed: Done | None = None,
        *,
        site: str | None = None,
        birth: dict[str, Any] | None = None,
        windows: Windows | None = None,
    ) -> None:
        self._disk = Disk(folder, quota_bytes)
        shares = {"hi": quota_bytes // HI_SHARE, "lo": quota_bytes - quota_bytes // HI_SHARE}
        self._shares = {name: share - self._disk.reserve_bytes // 2 for name, share in shares.items()}
        self._lanes = {name: Lane(folder / f"{name}.sqlite", self._shares[name], site) for name in LANES}
        self._clock = Vouched()
        for lane in self._lanes.values():
            lane.clock = self._clock
        for name in LANES:  # what was set aside lies in the lane's share
            self._shares[name] -= aside_bytes(folder / f"{name}.sqlite")
        self._lock = threading.Lock()
        self._hand_over = HandOver(HAND_OVER)
        self._committed = committed or (lambda _tags: None)
        self._windows, self._live, self.held = windows, False, 0
        self._sent = dict.fromkeys(LANES, 0)
        self._gave_up_s: dict[str, float] = {}
        self._age_s, self._aged = 0.0, dict.fromkeys(LANES, 0)
        self.counters: Counter[str] = Counter()
        self._failure: BaseException | None = None
        self._seal()
        if birth is not None:
            self._be_born(birth)
        self._thread = threading.Thread(target=self._write, name="outbox", daemon=True)
        self._thread.start()

    def append(self, record: dict[str, Any], lane: str, tag: int = 0) -> Receipt:
        """Hand a record over; the receipt resolves when it is on disk. What is refused fails at once.

        Raises OutboxBroken once the writer has given up: nothing would be stored any more.
        """
        if self._failure is not None:
            raise OutboxBroken(str(self._failure))
        receipt = Receipt(tag)
        try:
            kind, body = str(record["k"]), msgpack.packb(record)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            return self._refuse(receipt, "refused", str(error))
        if len(body) > LARGEST_RECORD:
            return self._refuse(receipt, "too_big", f"{len(body)} bytes")
        if not self._hand_over.put(Job(lane, kind, body, receipt, time.monotonic())):
            return self._refuse(receipt, "overflow")
        return receipt

    def listened_to(self, live: bool) -> None:
        """Whether the district answers: then records of the low lane wait for a shorter time."""
        if live and not self._live and self._windows is not None:
            self._hand_over.seal_by(time.monotonic() + self._windows.live_s)
        self._live = live

    def clock_told(self, bound_s: float | None) -> None:
        """Bound of our clock's error against UTC, None while it is not trusted: then nothing ages."""
        self._clock.told(bound_s)

    def seal_soon(self) -> None:
        """Let nothing wait for company any longer."""
        self._hand_over.seal_by(0.0)

    @property
    def overflowed(self) -> int:
        """Records refused because too many waited for the disk."""
        return self.counters["overflow"]

    @property
    def settled(self) -> bool:
        """Whether all that was handed over is on disk."""
        return self._hand_over.empty

    @property
    def trouble(self) -> str:
        """`ok`, `disk` (nothing can be stored now), or `dropping_hi`, `dropping_lo` in the last minute."""
        if self._disk.refused:
            return "disk"
        now_s = time.monotonic()
        late = (n for n in LANES if now_s - self._gave_up_s.get(n, -DROPPING_S) < DROPPING_S)
        return next((f"dropping_{name}" for name in late), "ok")

    def epoch(self, lane: str) -> int:
        """The epoch of a lane's file."""
        return self._lanes[lane].epoch

    def last(self, lane: str) -> int:
        """The last number that a lane has given."""
        return self._lanes[lane].numbers().produced

    def queued(self, lane: str) -> int:
        """Rows of a lane that are neither acknowledged nor given up."""
        return self._lanes[lane].numbers().queued

    def after(self, lane: str, seq: int, most: int) -> list[tuple[int, list[dict[str, Any]]]]:
        """Queued rows with greater numbers: (seq, records)."""
        with self._lock:
            rows = list(self._lanes[lane].after(seq, most))
        return [(number, records_of(body)) for number, body in rows]

    def envelopes(self, lane: str, seq: int, most: int, site: str) -> list[tuple[int, bytes]]:
        """Queued rows with greater numbers as they are sent: (seq, bytes). They count as sent from now on.

        Waits for no transaction; one caller at a time."""
        rows = self._lanes[lane].committed_after(seq, most)
        self._sent[lane] = max(self._sent[lane], rows[-1][0] if rows else 0)
        epoch, now_us = self.epoch(lane), time.time_ns() // 1000
        return [(number, sealed_late(body, site, epoch, lane, number, now_us)) for number, body in rows]

    def acknowledge(self, ack: Ack) -> int:
        """Act on the receiver's word, if it is about this file; how many rows are gone."""
        lane = self._lanes.get(ack.lane)
        if lane is None or ack.epoch != lane.epoch:
            return 0
        with self._lock:
            return lane.acknowledge(ack.contiguous, ack.ranges, ack.rejected)

    def acknowledge_soon(self, ack: Ack) -> None:
        """The same, by the writer and together with others; the caller does not wait for the disk."""
        if ack.lane in self._lanes and ack.epoch == self.epoch(ack.lane):
            self._hand_over.heard(ack)

    def numbers(self) -> dict[str, dict[str, int]]:
        """Rows per lane: epoch, produced, acknowledged, queued, dropped, dead, rolled."""
        with self._lock:
            return {name: asdict(lane.numbers()) for name, lane in self._lanes.items()}

    def record_numbers(self) -> dict[str, dict[str, int]]:
        """The same of records."""
        with self._lock:
            return {name: asdict(lane.numbers(RECORDS)) for name, lane in self._lanes.items()}

    def uncommitted_max(self) -> dict[str, dict[str, float]]:
        """Per lane, since the start: most `records` handed over and not committed, and for how many `ms`."""
        worst = self._hand_over.worst.items()
        return {name: {"records": w.records, "ms": round(w.seconds * 1e3, 1)} for name, w in worst}

    def close(self) -> None:
        """Commit what was handed over and close the files."""
        self._hand_over.end()
        self._thread.join()
        for lane in self._lanes.values():
            lane.close()

    def _refuse(self, receipt: Receipt, reason: str, detail: str = "") -> Receipt:
        self.counters[reason] += 1
        return receipt.fail(reason, detail)

    def _be_born(self, birth: dict[str, Any]) -> None:
        """The first record of every epoch and of every start, so that the district can prove completeness."""
        for name, lane in self._lanes.items():
            begun = lane.begun
            record = {"k": "birth", "t": time.time_ns() // 1000, "l": name, "e": begun.epoch}
            record |= {"pe": begun.previous_epoch, "pq": begun.previous_last, "why": begun.why, **birth}
            try:
                self._store(name, [Row(Shelf.KEPT, "birth", (msgpack.packb(record),))])
            except sqlite3.OperationalError as error:
                log.error("no birth record in lane %s: %s", name, error)

    def _write(self) -> None:
        """The thread. What it cannot mend it leaves for the next `append` to raise."""
        work: Work | None = None
        try:
            while (work := self._hand_over.take()) is not None:
                for ack in work.words:
                    self._obey(ack)
                self._commit(work.jobs)
                if work.seal:
                    self._seal()
                self._age()
            self._seal()
        except BaseException as failure:
            self._failure = failure
            log.exception("the outbox cannot store")
            left = work.jobs if work is not None else []
            while (work := self._end()) is not None:
                left += work.jobs
            for job in left:
                if not job.receipt.settled:
                    job.receipt.fail("broken", str(failure))

    def _end(self) -> Work | None:
        self._hand_over.end()
        return self._hand_over.take()

    def _seal(self) -> None:
        """Give numbers to the records that waited for company."""
        try:
            if self._make_room_for("lo", 0, self._lanes["lo"].seal):
                self.held = 0
        except sqlite3.OperationalError as error:
            if not self._disk.at_fault(error):
                raise
            log.warning("cannot seal: %s", error)
            self._hand_over.seal_by(time.monotonic() + RETRY_S)

    def _age(self) -> None:
        """Let go of what may not be kept any longer, a piece of each lane at a time."""
        now_s = time.monotonic()
        if now_s < self._age_s or not self._clock.tells_age:
            return
        for name, lane in self._lanes.items():
            try:
                self._let_go(name, lane)
            except sqlite3.OperationalError as error:
                if not self._disk.at_fault(error) and error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                    raise
                log.warning("cannot let go of old rows: %s", error)
        self._age_s = now_s if any(self._aged.values()) else now_s + AGE_EVERY_S

    def _let_go(self, name: str, lane: Lane) -> None:
        after, self._aged[name] = self._aged[name], 0
        now_us = time.time_ns() // 1000
        with self._lock:
            if not after:
                forget_dead(lane, now_us)
            gone, self._aged[name] = let_go_of_old(lane, name, now_us, after)
        if gone:
            self._gave_up_s[name] = time.monotonic()
            self.counters[f"age_{name}"] += gone

    def _hold(self, records: list[tuple[str, bytes]], size: int) -> bool:
        """Keep records on disk until their window ends."""
        assert self._windows is not None
        if not self._make_room_for("lo", size, lambda: self._lanes["lo"].hold(records)):
            return False
        self.held += len(records)
        wait_s = self._windows.live_s if self._live else self._windows.away_s
        self._hand_over.seal_by(0.0 if self.held >= MOST_HELD else time.monotonic() + wait_s)
        return True

    def _obey(self, ack: Ack) -> None:
        try:
            self.acknowledge(ack)
        except sqlite3.OperationalError as error:
            if not self._disk.at_fault(error):
                raise
            log.warning("cannot delete what is acknowledged: %s", error)  # sent again, so acknowledged again

    def _commit(self, jobs: list[Job]) -> None:
        """A transaction a lane and piece; rows of the low lane carry what came together."""
        for name in LANES:
            mine = [job for job in jobs if job.lane == name]
            for piece in pieces(mine, min(LARGEST_PIECE, self._shares[name] // PIECE_SHARE)):
                try:
                    stored = self._keep(name, [(job.kind, job.body) for job in piece])
                except sqlite3.OperationalError as error:
                    if not self._disk.at_fault(error) or self._hand_over.ending:
                        raise
                    self._disk.refuse(error)
                    self._hand_over.done([job for job in jobs if job.receipt.settled])
                    self._hand_over.put_back([job for job in jobs if not job.receipt.settled])
                    return
                self._tell(piece, stored)
        self._hand_over.done(jobs)

    def _tell(self, jobs: list[Job], stored: bool) -> None:
        for job in jobs:
            if stored:
                job.receipt.commit()
            else:
                self._refuse(job.receipt, "full", "larger than the lane may hold")
        if stored:
            self._disk.took(self._lanes, self._shares)
            self._committed([job.receipt.tag for job in jobs])

    def _keep(self, name: str, records: list[tuple[str, bytes]]) -> bool:
        if name == "lo" and self._windows is not None:
            return self._hold(records, sum(len(body) for _, body in records))
        return self._store(name, grouped(records, alone=name == "hi"))

    def _store(self, name: str, rows: list[Row]) -> bool:
        size = sum(len(body) for row in rows for body in row.bodies)
        return self._make_room_for(name, size, lambda: self._lanes[name].append(rows))

    def _make_room_for(self, name: str, size: int, act: Callable[[], object]) -> bool:
        """Act; a full lane makes room first. False when even an empty lane could not take it."""
        lane = self._lanes[name]
        while True:
            with self._lock:
                try:
                    act()
                    return True
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                        raise
                    if lane.room_bytes > PLENTY * size + PLENTY_BYTES and not self._disk.give_way(lane):
                        raise  # the disk is full and not our share of it
                    why = make_room(lane, name, self._sent[name])
                    if why is None and self._disk.gave_way:
                        raise  # it will fit when the disk is there again
            if why is None:
                return False
            self._gave_up_s[name] = time.monotonic()
            self.counters[f"{why}_{name}"] += 1


def pieces(jobs: list[Job], most_bytes: int) -> Iterator[list[Job]]:
    """The same jobs in order, so few together that a lane can make room for them."""
    piece: list[Job] = []
    size = 0
    for job in jobs:
        if piece and size + len(job.body) > most_bytes:
            yield piece
            piece, size = [], 0
        piece.append(job)
        size += len(job.body)
    if piece:
        yield piece


def read_numbers(folder: Path) -> dict[str, dict[str, int]]:
    """Rows of an outbox, open or not, for tests and technicians."""
    files = {name: folder / f"{name}.sqlite" for name in LANES}
    return {name: asdict(read_lane(path)[0]) for name, path in files.items() if path.exists()}
