"""The district's SQLite: identity and facts in one transaction; what was stored already is a duplicate."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rsu_agent.ports.envelope import Ack, Envelope

MOST_RANGES = 32
LAYOUT = """
CREATE TABLE IF NOT EXISTS envelope (site TEXT, epoch INTEGER, lane TEXT, seq INTEGER, utc_us INTEGER,
  stored_us INTEGER, PRIMARY KEY (site, epoch, lane, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (site TEXT, epoch INTEGER, lane TEXT, seq INTEGER, place INTEGER, kind TEXT,
  utc_us INTEGER, body TEXT, PRIMARY KEY (site, epoch, lane, seq, place)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_by_kind ON record (kind, utc_us);
CREATE TABLE IF NOT EXISTS lane (site TEXT, epoch INTEGER, lane TEXT, contiguous INTEGER NOT NULL,
  duplicates INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (site, epoch, lane)) WITHOUT ROWID;
"""


class Store:
    """One owner, one thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(LAYOUT)

    def commit(self, envelopes: Iterable[Envelope], now_us: int) -> set[tuple[str, int, str]]:
        """Store a batch in one transaction; the (site, epoch, lane) it touched."""
        touched = set()
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for envelope in envelopes:
                key = envelope.site, envelope.epoch, envelope.lane
                touched.add(key)
                self._one(envelope, now_us)
            for key in touched:
                self._advance(key)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        return touched

    def ack(self, key: tuple[str, int, str]) -> Ack:
        """What is committed of one lane."""
        _, epoch, lane = key
        row = self._db.execute(
            "SELECT contiguous FROM lane WHERE site=? AND epoch=? AND lane=?", key
        ).fetchone()
        contiguous = row[0] if row else 0
        return Ack(epoch, lane, contiguous, tuple(self._ranges(key, contiguous)))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _one(self, envelope: Envelope, now_us: int) -> None:
        key = envelope.site, envelope.epoch, envelope.lane
        new = self._db.execute(
            "INSERT OR IGNORE INTO envelope VALUES (?,?,?,?,?,?)",
            (*key, envelope.seq, envelope.utc_us, now_us),
        ).rowcount
        self._db.execute("INSERT OR IGNORE INTO lane VALUES (?,?,?,0,0)", key)
        if not new:
            self._db.execute(
                "UPDATE lane SET duplicates = duplicates + 1 WHERE site=? AND epoch=? AND lane=?", key
            )
            return
        rows = [
            (*key, envelope.seq, place, record["k"], _utc_us(record), json.dumps(record, ensure_ascii=False))
            for place, record in enumerate(envelope.records)
        ]
        self._db.executemany("INSERT INTO record VALUES (?,?,?,?,?,?,?,?)", rows)

    def _advance(self, key: tuple[str, int, str]) -> None:
        """Move the contiguous mark over what has arrived."""
        contiguous = self._db.execute(
            "SELECT contiguous FROM lane WHERE site=? AND epoch=? AND lane=?", key
        ).fetchone()[0]
        rows = self._db.execute(
            "SELECT seq FROM envelope WHERE site=? AND epoch=? AND lane=? AND seq>? ORDER BY seq",
            (*key, contiguous),
        )
        for (seq,) in rows:
            if seq != contiguous + 1:
                break
            contiguous = seq
        self._db.execute(
            "UPDATE lane SET contiguous=? WHERE site=? AND epoch=? AND lane=?", (contiguous, *key)
        )

    def _ranges(self, key: tuple[str, int, str], contiguous: int) -> list[tuple[int, int]]:
        """Runs of committed numbers above the contiguous mark, the lowest first."""
        ranges: list[tuple[int, int]] = []
        rows = self._db.execute(
            "SELECT seq FROM envelope WHERE site=? AND epoch=? AND lane=? AND seq>? ORDER BY seq LIMIT 2000",
            (*key, contiguous),
        )
        for (seq,) in rows:
            if ranges and seq == ranges[-1][1] + 1:
                ranges[-1] = ranges[-1][0], seq
            elif len(ranges) == MOST_RANGES:
                break
            else:
                ranges.append((seq, seq))
        return ranges


def _utc_us(record: dict[str, Any]) -> int | None:
    value = record.get("t")
    return value if isinstance(value, int) else None
