"""`python -m hil.power_cut.work --folder F --marks M --records N`: a real outbox at work, to be recorded.

Marks, a line each, are written when something is promised: `c lane n` committed, `k lane n` known to the
district (before it is acknowledged), `s lane seq` the highest number that may have been sent, `o` the
beginning of a quota that is too small: from there on records may be given up.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
from pathlib import Path
from typing import Any

from rsu_agent.outlets import outbox_file
from rsu_agent.outlets.outbox import Outbox, Windows
from rsu_agent.ports.envelope import LANES, Ack

SITE = "site-1"
ROOMY, TIGHT = 4 << 20, 256 << 10  # bytes of quota
LIVES = 3  # the outbox is closed and opened again so often with plenty of room, and once more with little
TEXT = "what happened at the crossing, in words "


class Work:
    """One outbox after another in the same folder."""

    def __init__(self, folder: Path, marks: Path) -> None:
        self._folder = folder
        self._marks = os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._lane_of: dict[int, str] = {}
        self._n = 0

    def mark(self, *words: object) -> None:
        """One line, in one write."""
        os.write(self._marks, (" ".join(map(str, words)) + "\n").encode())

    def life(self, records: int, quota: int, *, acknowledge: bool) -> None:
        """Open, append, acknowledge some of it, close."""
        box = Outbox(
            self._folder, quota, self._committed, site=SITE, birth={"ver": "0"}, windows=Windows(0.05, 0.05)
        )
        for at in range(records):
            self._n += 1
            lane = "hi" if self._n % 4 == 0 else "lo"
            self._lane_of[self._n] = lane
            receipt = box.append(_record(self._n), lane, self._n)
            if at % 10 == 9:
                receipt.wait(30)
                for name in LANES:
                    self.mark("s", name, box.last(name))
            if acknowledge and at % 40 == 39:
                self._acknowledge(box)
        box.close()

    def _committed(self, tags: list[int]) -> None:
        for n in tags:
            if n:
                self.mark("c", self._lane_of[n], n)

    def _acknowledge(self, box: Outbox) -> None:
        for name in LANES:
            rows = box.after(name, 0, 60)
            for _, records in rows:
                for record in records:
                    if "n" in record and record["k"] != "gap":
                        self.mark("k", name, record["n"])
            if rows:
                box.acknowledge_soon(Ack(box.epoch(name), name, rows[-1][0]))


def _record(n: int) -> dict[str, Any]:
    kind = ("flow", "phase", "hb", "event")[n % 4]
    return {"k": kind, "t": 1_790_000_000_000_000 + n * 60_000_000, "n": n, "w": TEXT * (n % 7)}


def main() -> None:
    """Parse and work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--marks", type=Path, required=True)
    parser.add_argument("--records", type=int, default=400)
    parser.add_argument("--careless", action="store_true", help="the control: nothing is ever synced")
    options = parser.parse_args()
    if options.careless:
        _never_sync()
    work = Work(options.folder, options.marks)
    for _ in range(LIVES):
        work.life(options.records // (LIVES + 1), ROOMY, acknowledge=True)
    work.mark("o")
    work.life(options.records, TIGHT, acknowledge=False)


def _never_sync() -> None:
    connected = outbox_file._connected

    def careless(*arguments: Any, **options: Any) -> sqlite3.Connection:
        db = connected(*arguments, **options)
        db.execute("PRAGMA synchronous=OFF")
        return db

    outbox_file._connected = careless


if __name__ == "__main__":
    main()
