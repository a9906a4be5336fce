"""Rows a second into the outbox's lane, each on disk before the next, against plain SQLite."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_seal import Row
from rsu_agent.outlets.outbox_shelves import Shelf

ROWS = 300
BODY = bytes(200)


def outbox(_seed: int) -> dict[str, Any]:
    """One transaction a row, synchronous=FULL in both; ratio = ours / plain."""
    with tempfile.TemporaryDirectory() as folder:
        lane = Lane(Path(folder) / "lane.sqlite", 64 << 20)
        began_s = time.perf_counter()
        for _ in range(ROWS):
            lane.append([Row(Shelf.FLOW, "flow", (BODY,))])
        ours = ROWS / (time.perf_counter() - began_s)
        lane.close()
        plain = sqlite3.connect(Path(folder) / "plain.sqlite", isolation_level=None)
        plain.execute("PRAGMA journal_mode=WAL")
        plain.execute("PRAGMA synchronous=FULL")
        plain.execute("CREATE TABLE queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)")
        began_s = time.perf_counter()
        for _ in range(ROWS):
            plain.execute("INSERT INTO queue (body) VALUES (?)", (BODY,))
        theirs = ROWS / (time.perf_counter() - began_s)
        plain.close()
    return {"rows_per_s": round(ours), "plain_rows_per_s": round(theirs), "ratio": round(ours / theirs, 2)}
