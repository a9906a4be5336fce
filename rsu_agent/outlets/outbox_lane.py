"""One lane of the outbox: an SQLite file of its own, numbered in the transaction that stores."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = 4096
AUTOCHECKPOINT_PAGES = 256  # the -wal file lies outside the quota: keep it small

LAYOUT = """
CREATE TABLE IF NOT EXISTS queue (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dead (seq INTEGER PRIMARY KEY, code TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class LaneNumbers:
    """produced = acknowledged + queued + dropped + dead, always."""

    epoch: int
    produced: int
    acknowledged: int
    queued: int
    dropped: int
    dead: int


class Lane:
    """Not thread-safe: one owner. Bodies are bytes; the file's epoch tells it from any other file."""

    def __init__(self, path: Path, quota_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(f"PRAGMA wal_autocheckpoint={AUTOCHECKPOINT_PAGES}")
        self._db.execute(f"PRAGMA max_page_count={max(16, quota_bytes // PAGE_BYTES)}")
        self._db.executescript(LAYOUT)
        self._db.execute("INSERT OR IGNORE INTO counts VALUES ('epoch', ?)", (secrets.randbits(62) + 1,))
        self.epoch = self._count("epoch")

    def append(self, bodies: Iterable[tuple[str, bytes]]) -> list[int]:
        """Store (kind, body) rows in one transaction; their numbers. Raises OperationalError when full."""
        numbers = []
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for kind, body in bodies:
                cursor = self._db.execute("INSERT INTO queue (kind, body) VALUES (?, ?)", (kind, body))
                numbers.append(int(cursor.lastrowid or 0))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return numbers

    def after(self, seq: int, most: int) -> Iterator[tuple[int, bytes]]:
        """Queued rows with greater numbers, in order."""
        rows = self._db.execute("SELECT seq, body FROM queue WHERE seq > ? ORDER BY seq LIMIT ?", (seq, most))
        yield from rows.fetchall()

    def acknowledge(self, contiguous: int, ranges: Iterable[tuple[int, int]]) -> int:
        """Delete what the receiver has committed; how many rows went."""
        gone = 0
        self._db.execute("BEGIN IMMEDIATE")
        for low, high in [(1, contiguous), *ranges]:
            gone += self._db.execute("DELETE FROM queue WHERE seq BETWEEN ? AND ?", (low, high)).rowcount
        self._add("acknowledged", gone)
        self._db.execute("COMMIT")
        return gone

    def bury(self, rejected: Iterable[tuple[int, str]]) -> int:
        """Move what the receiver refuses out of the way."""
        buried = 0
        self._db.execute("BEGIN IMMEDIATE")
        for seq, code in rejected:
            moved = self._db.execute(
                "INSERT OR IGNORE INTO dead SELECT seq, ?, body FROM queue WHERE seq = ?", (code, seq)
            ).rowcount
            self._db.execute("DELETE FROM queue WHERE seq = ?", (seq,))
            buried += moved
        self._db.execute("COMMIT")
        return buried

    def drop_oldest(self, count: int) -> tuple[int, int, int] | None:
        """Give up the oldest rows: (first, last, how many), for the gap record; None when there are none."""
        low, high, found = self._db.execute(
            "SELECT min(seq), max(seq), count(*) FROM (SELECT seq FROM queue ORDER BY seq LIMIT ?)", (count,)
        ).fetchone()
        if not found:
            return None
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM queue WHERE seq <= ?", (high,))
        self._add("dropped", found)
        self._db.execute("COMMIT")
        return low, high, found

    def numbers(self) -> LaneNumbers:
        """How much was produced and what became of it."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'queue'").fetchone()
        queued = self._db.execute("SELECT count(*) FROM queue").fetchone()[0]
        dead = self._db.execute("SELECT count(*) FROM dead").fetchone()[0]
        produced = row[0] if row else 0
        return LaneNumbers(
            self.epoch, produced, self._count("acknowledged"), queued, self._count("dropped"), dead
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _count(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM counts WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def _add(self, name: str, more: int) -> None:
        self._db.execute(
            "INSERT INTO counts VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, more),
        )
