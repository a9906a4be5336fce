"""The outbox and its way to the district: how soon a record is taken, how fast a backlog drains."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

from hil.bench.drain import bare_paho, district, drained, fill
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_seal import Row
from rsu_agent.outlets.outbox_shelves import Shelf

ROWS = 300
BODY = bytes(200)
BACKLOG = 86_400  # a day of one envelope a second
DRAINED = ("append_p99_ms", "drain_per_s", "hi_p99_ms", "rss_growth_mb", "ratio_paho")


def outbox(_seed: int) -> dict[str, Any]:
    """ratio: rows a second, each on disk before the next, ours / plain SQLite's. ratio_paho: drain / paho.

    What needs mosquitto is null where there is none. `load` is the machine's load average at the start.
    """
    figures: dict[str, Any] = dict.fromkeys(DRAINED)
    with tempfile.TemporaryDirectory() as folder:
        figures |= {"load": round(os.getloadavg()[0], 2), **_rows_per_s(Path(folder))}
        fill(Path(folder) / "outbox", BACKLOG)
        try:
            with district(Path(folder)) as port:
                paho = bare_paho(port)
                figures |= drained(Path(folder) / "outbox", port)
                figures |= {
                    "paho_per_s": round(paho),
                    "ratio_paho": round(figures["drain_per_s"] / paho, 3),
                }
        except FileNotFoundError as missing:
            figures["why"] = str(missing)
    return figures


def _rows_per_s(folder: Path) -> dict[str, Any]:
    """One transaction a row, synchronous=FULL in both."""
    lane = Lane(folder / "lane.sqlite", 64 << 20)
    began_s = time.perf_counter()
    for _ in range(ROWS):
        lane.append([Row(Shelf.FLOW, "flow", (BODY,))])
    ours = ROWS / (time.perf_counter() - began_s)
    lane.close()
    plain = sqlite3.connect(folder / "plain.sqlite", isolation_level=None)
    plain.execute("PRAGMA journal_mode=WAL")
    plain.execute("PRAGMA synchronous=FULL")
    plain.execute("CREATE TABLE queue (seq INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)")
    began_s = time.perf_counter()
    for _ in range(ROWS):
        plain.execute("INSERT INTO queue (body) VALUES (?)", (BODY,))
    theirs = ROWS / (time.perf_counter() - began_s)
    plain.close()
    return {"rows_per_s": round(ours), "plain_rows_per_s": round(theirs), "ratio": round(ours / theirs, 2)}
