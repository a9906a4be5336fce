"""Opening a lane's SQLite file: its epoch, what came before it, and what becomes of a damaged one."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from rsu_agent.outlets.outbox_shelves import Shelf

log = logging.getLogger(__name__)
PAGE_BYTES = 4096
FRAME_BYTES = PAGE_BYTES + 24  # a page in the -wal file
CHECKPOINT_PAGES = 256  # the -wal file is written back to the database at this length
WAL_SHARE = 8  # ... or at an eighth of a small quota
LEAST_PAGES = 16
ASIDE = ".damaged"
EPOCH_FILE = ".epoch"
RECORDS = "r_"  # before a count: of records, not of rows
COUNTS = ("produced", "acknowledged", "queued", "dropped", "dead", "rolled")

LAYOUT = f"""
CREATE TABLE IF NOT EXISTS queue (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, shelf INTEGER NOT NULL DEFAULT {int(Shelf.LOG)},
  n INTEGER NOT NULL DEFAULT 1, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS by_shelf ON queue (shelf, seq);
CREATE TABLE IF NOT EXISTS open (
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS dead (seq INTEGER PRIMARY KEY, code TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS counts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """How this opening began. why: `start` (the file was there), `new` (there was none), `damaged`.

    Of the epoch before: None where nobody knows.
    """

    why: str
    epoch: int
    previous_epoch: int | None = None
    previous_last: int | None = None


def open_lane(path: Path, quota_bytes: int) -> tuple[sqlite3.Connection, Begun]:
    """The file, made when it is missing; a damaged one is set aside under another name (one is kept)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    why, told, last = "start" if path.exists() else "new", _told_epoch(path), None
    try:
        db = _connected(path, quota_bytes, check=why == "start")
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked, full, no permission: the file is not at fault
        log.error("%s is damaged (%s): set aside, a new one begins", path, error)
        why, (known, last) = "damaged", _salvaged(path)
        told = known or told
        set_aside(path)
        db = _connected(path, quota_bytes, check=False)
    fresh = secrets.randbits(62) + 1
    db.execute("INSERT OR IGNORE INTO counts VALUES ('epoch', ?)", (fresh,))
    epoch = int(db.execute("SELECT value FROM counts WHERE name = 'epoch'").fetchone()[0])
    if epoch == fresh and why == "start":
        why = "new"  # a file of another make, or one that died before its epoch was on disk
    if epoch == told:
        return db, Begun(why, epoch)
    _tell_epoch(path, epoch)
    return db, Begun(why, epoch, told, last)


def set_aside(path: Path) -> None:
    """Out of the way, for whoever wants to look; an earlier one goes, so that the disk's share holds."""
    for end in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{end}", f"{path}{ASIDE}{end}")


def pages(quota_bytes: int) -> tuple[int, int]:
    """(most pages of the database, pages at which its -wal file is written back): both keep the quota."""
    whole = quota_bytes // PAGE_BYTES
    wal = max(4, min(CHECKPOINT_PAGES, whole // WAL_SHARE))
    return max(LEAST_PAGES, whole - 2 * wal), wal


def _connected(path: Path, quota_bytes: int, *, check: bool) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError (and no subclass of it) for a damaged file."""
    most, wal = pages(quota_bytes)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=OFF")  # Debian's default writes every page that is given up
        if check and (said := db.execute("PRAGMA integrity_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(str(said))
        db.execute(f"PRAGMA wal_autocheckpoint={wal}")
        db.execute(f"PRAGMA max_page_count={most}")
        _upgrade(db)
        db.executescript(LAYOUT)
        _count_once(db)
    except BaseException:
        db.close()
        raise
    return db


def _upgrade(db: sqlite3.Connection) -> None:
    """A file of the first layout gets the columns that it lacks."""
    columns = {row[1] for row in db.execute("PRAGMA table_info(queue)")}
    for name, default in (("shelf", int(Shelf.LOG)), ("n", 1)):
        if columns and name not in columns:
            db.execute(f"ALTER TABLE queue ADD COLUMN {name} INTEGER NOT NULL DEFAULT {default}")


def _count_once(db: sqlite3.Connection) -> None:
    """The numbers of a file that did not keep them: what is missing is counted from the tables."""
    if db.execute("SELECT 1 FROM counts WHERE name = 'queued'").fetchone():
        return
    found = dict(db.execute("SELECT name, value FROM counts").fetchall())
    last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'queue'").fetchone()
    found["produced"] = last[0] if last else 0
    found["queued"] = db.execute("SELECT count(*) FROM queue").fetchone()[0]
    found["dead"] = db.execute("SELECT count(*) FROM dead").fetchone()[0]
    named = [(prefix + name, found.get(name, 0)) for prefix in ("", RECORDS) for name in COUNTS]
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?)", named)
    db.execute("COMMIT")


def _salvaged(path: Path) -> tuple[int | None, int | None]:
    """(epoch, last number) that a damaged file still tells."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            epoch = db.execute("SELECT value FROM counts WHERE name = 'epoch'").fetchone()[0]
            last = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'queue'").fetchone()[0]
            return int(epoch), int(last)
    except (sqlite3.Error, TypeError, ValueError):
        return None, None


def _told_epoch(path: Path) -> int | None:
    """The epoch of the file that was here last, from the small file beside it."""
    try:
        return int(Path(f"{path}{EPOCH_FILE}").read_text())
    except (OSError, ValueError):
        return None


def _tell_epoch(path: Path, epoch: int) -> None:
    """Written aside and renamed: there is always a whole one. A full disk costs the memory, not the start."""
    new = Path(f"{path}{EPOCH_FILE}.new")
    try:
        with new.open("w") as file:
            file.write(str(epoch))
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, f"{path}{EPOCH_FILE}")
    except OSError as error:
        log.warning("%s: %s", new, error)
