"""One lane of the outbox: an SQLite file of its own, numbered and counted in the transaction that stores."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rsu_agent.outlets.outbox_clock import Vouched
from rsu_agent.outlets.outbox_file import COUNTS, PAGE_BYTES, RECORDS, open_lane
from rsu_agent.outlets.outbox_seal import Row, Sealer, grouped
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.ports.chaos_point import chaos_point

MOST_DEAD = 1000  # refused rows kept for whoever wants to look; they count as dead for ever


@dataclass(frozen=True, slots=True)
class LaneNumbers:
    """produced = acknowledged + queued + dropped + dead + rolled, always: of rows, and of records alike."""

    epoch: int
    produced: int
    acknowledged: int
    queued: int
    dropped: int
    dead: int
    rolled: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A queued row."""

    seq: int
    kind: str
    records: int
    body: bytes


class Lane:
    """Not thread-safe: one owner. The file's epoch tells it from any other file."""

    def __init__(self, path: Path, quota_bytes: int, site: str | None = None) -> None:
        self._db, self.begun = open_lane(path, quota_bytes, site)
        self.epoch = self.begun.epoch
        self._sealer = Sealer(site, self.epoch, path.stem)
        self.clock = Vouched()
        self._more: Counter[str] = Counter()
        self._reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self._count = dict(self._db.execute("SELECT name, value FROM counts").fetchall())

    def append(self, rows: Iterable[Row]) -> list[int]:
        """Store rows in one transaction; their numbers. Raises OperationalError when full."""
        with self._transaction("append"):
            numbers = self._insert(rows)
        chaos_point("commit")
        return numbers

    def hold(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Store (kind, packed) records that wait for company. Raises OperationalError when full."""
        with self._transaction("append"):
            self._db.executemany("INSERT INTO open (kind, body) VALUES (?, ?)", records)
            self._note(0, len(records), "produced", "queued")
        chaos_point("commit")

    def seal(self) -> list[int]:
        """Give numbers to what waited, records of a shelf together. Raises OperationalError when full."""
        held = self._db.execute("SELECT kind, body FROM open ORDER BY n").fetchall()
        if not held:
            return []
        with self._transaction("append"):
            self._db.execute("DELETE FROM open")
            return self._insert(grouped(held, alone=False), new=False)

    @property
    def held(self) -> int:
        """Records that wait for company."""
        return int(self._db.execute("SELECT count(*) FROM open").fetchone()[0])

    def after(self, seq: int, most: int) -> Iterator[tuple[int, bytes]]:
        """Queued rows with greater numbers, in order."""
        rows = self._db.execute("SELECT seq, body FROM queue WHERE seq > ? ORDER BY seq LIMIT ?", (seq, most))
        yield from rows.fetchall()

    def committed_after(self, seq: int, most: int) -> list[tuple[int, bytes]]:
        """The same through a connection of its own: it waits for no transaction, in any thread."""
        query = "SELECT seq, body FROM queue WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._reader.execute(query, (seq, most)).fetchall()

    def oldest(self, shelf: Shelf | None, most: int, after: int = 0) -> list[Stored]:
        """The oldest rows of a shelf (None: of all but what tells of loss)."""
        where, first = ("shelf = ?", int(shelf)) if shelf is not None else ("shelf != ?", int(Shelf.KEPT))
        rows = self._db.execute(
            f"SELECT seq, kind, n, body FROM queue WHERE {where} AND seq > ? ORDER BY seq LIMIT ?",
            (first, after, most),
        )
        return [Stored(*row) for row in rows.fetchall()]

    def lowest(self, most: int, after: int = 0) -> list[Stored]:
        """Queued rows with the lowest numbers above one, of every shelf."""
        query = "SELECT seq, kind, n, body FROM queue WHERE seq > ? ORDER BY seq LIMIT ?"
        return [Stored(*row) for row in self._db.execute(query, (after, most)).fetchall()]

    def dead(self) -> list[tuple[int, bytes]]:
        """What the receiver has refused and is still kept."""
        return self._db.execute("SELECT seq, body FROM dead ORDER BY seq").fetchall()

    def forget_dead(self, numbers: Iterable[int]) -> None:
        """Keep these no longer; they count as dead for ever."""
        self._db.executemany("DELETE FROM dead WHERE seq = ?", [(number,) for number in numbers])

    def acknowledge(
        self,
        contiguous: int,
        ranges: Iterable[tuple[int, int]],
        rejected: Iterable[tuple[int, str]] = (),
    ) -> int:
        """Delete what the receiver has committed, put aside what it refuses; how many rows went."""
        with self._transaction("delete"):
            gone = sum(self._delete(low, high, "acknowledged") for low, high in [(1, contiguous), *ranges])
            gone += sum(self._bury(seq, code) for seq, code in rejected)
        return gone

    def bury(self, rejected: Iterable[tuple[int, str]]) -> int:
        """Move what the receiver refuses out of the way."""
        return self.acknowledge(0, (), rejected)

    def replace(self, runs: Sequence[tuple[int, int]], what: str, rows: Iterable[Row]) -> list[int]:
        """Rows in these runs of numbers become `dropped` or `rolled`, and the given ones come, in one go."""
        with self._transaction("append"):
            for low, high in runs:
                self._delete(low, high, what)
            return self._insert(rows)

    def numbers(self, of: str = "") -> LaneNumbers:
        """How much was produced and what became of it: rows, or records (of=RECORDS)."""
        return LaneNumbers(self.epoch, *(self._count[of + name] for name in COUNTS))

    def recounted(self) -> tuple[int, int]:
        """(rows, records) that are queued, counted anew from the tables."""
        rows, records = self._db.execute("SELECT count(*), coalesce(sum(n), 0) FROM queue").fetchone()
        return rows, records + self.held

    def limit_to_present(self) -> None:
        """The disk is full: write the -wal file back and let the database grow no further."""
        self._db.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        held = self._db.execute("PRAGMA page_count").fetchone()[0]
        self._db.execute(f"PRAGMA max_page_count={held}")

    def limit(self, pages: int) -> None:
        """Let the database grow to so many pages."""
        self._db.execute(f"PRAGMA max_page_count={pages}")

    @property
    def room_bytes(self) -> int:
        """How much may still come into the file, in whole pages."""
        most, held, free = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("max_page_count", "page_count", "freelist_count")
        )
        return int(most - held + free) * PAGE_BYTES

    def close(self) -> None:
        """Close the file."""
        self._reader.close()
        self._db.close()

    @contextmanager
    def _transaction(self, point: str) -> Iterator[None]:
        self._more = Counter()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            for name, more in self._more.items():
                self._db.execute("UPDATE counts SET value = value + ? WHERE name = ?", (more, name))
            chaos_point(point)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        for name, more in self._more.items():
            self._count[name] += more

    def _insert(self, rows: Iterable[Row], *, new: bool = True) -> list[int]:
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'queue'").fetchone()
        last = first = int(row[0]) if row else 0
        stamp_us, bound_s = time.time_ns() // 1000, self.clock.bound_s
        for made in rows:
            last += 1
            stored = (
                last,
                made.kind,
                int(made.shelf),
                len(made.bodies),
                self._sealer.seal(last, stamp_us, made, bound_s),
            )
            self._db.execute("INSERT INTO queue (seq, kind, shelf, n, body) VALUES (?, ?, ?, ?, ?)", stored)
            self._note(1, len(made.bodies) if new else 0, "produced", "queued")
        return list(range(first + 1, last + 1))

    def _delete(self, low: int, high: int, what: str) -> int:
        rows, records = self._db.execute(
            "SELECT count(*), sum(n) FROM queue WHERE seq BETWEEN ? AND ?", (low, high)
        ).fetchone()
        if rows:
            self._db.execute("DELETE FROM queue WHERE seq BETWEEN ? AND ?", (low, high))
            self._note(rows, records, what)
            self._note(-rows, -records, "queued")
        return int(rows)

    def _bury(self, seq: int, code: str) -> int:
        self._db.execute(
            "INSERT OR IGNORE INTO dead SELECT seq, ?, body FROM queue WHERE seq = ?", (code, seq)
        )
        buried = self._delete(seq, seq, "dead")
        if buried:
            self._db.execute(
                "DELETE FROM dead WHERE seq IN (SELECT seq FROM dead ORDER BY seq DESC LIMIT -1 OFFSET ?)",
                (MOST_DEAD,),
            )
        return buried

    def _note(self, rows: int, records: int, *names: str) -> None:
        for name in names:
            self._more[name] += rows
            self._more[RECORDS + name] += records


def read_lane(path: Path) -> tuple[LaneNumbers, LaneNumbers]:
    """(rows, records) of a lane's file that may be open elsewhere; nothing in it is touched."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        told = dict(db.execute("SELECT name, value FROM counts").fetchall())
    finally:
        db.close()
    rows, records = (
        LaneNumbers(told["epoch"], *(told.get(of + name, 0) for name in COUNTS)) for of in ("", RECORDS)
    )
    return rows, records
