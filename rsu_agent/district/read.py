"""Reading the district's database: what was stored, how often it came, what is missing."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True)


def stored_records(database: Path, kind: str) -> list[dict[str, Any]]:
    """Every stored record of a kind, in order of its time."""
    with _open(database) as db:
        rows = db.execute(
            "SELECT body FROM record WHERE kind=? ORDER BY utc_us, seq, place", (kind,)
        ).fetchall()
    return [json.loads(body) for (body,) in rows]


def stored_envelopes(database: Path) -> dict[tuple[int, str], set[int]]:
    """Numbers stored, by (epoch, lane)."""
    found: dict[tuple[int, str], set[int]] = {}
    with _open(database) as db:
        for epoch, lane, seq in db.execute("SELECT epoch, lane, seq FROM envelope"):
            found.setdefault((epoch, lane), set()).add(seq)
    return found


def duplicate_facts(database: Path) -> int:
    """Facts that stand twice in the database; the primary keys make this zero by construction."""
    with _open(database) as db:
        query = (
            "SELECT count(*) - count(DISTINCT site||':'||epoch||':'||lane||':'||seq||':'||place) FROM record"
        )
        return int(db.execute(query).fetchone()[0])
