"""Opening a lane's SQLite file: its epoch, what came before it, and what becomes of a damaged one."""

from __future__ import annotations

import contextlib
import hashlib
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
ASIDE, ENDS = ".damaged", ("", "-wal", "-shm")
ASIDE_SHARE = 4  # of a lane's share, that a file set aside may take
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
    """How this opening began. why: `start` (the file was there), `new` (there was none), `damaged`, `site`
    (it was another site's).

    Of the epoch before: None where nobody knows.
    """

    why: str
    epoch: int
    previous_epoch: int | None = None
    previous_last: int | None = None


class OfAnotherSite(Exception):
    """What is queued in the file was seen at a crossing that this box no longer stands at."""


def open_lane(path: Path, quota_bytes: int, site: str | None = None) -> tuple[sqlite3.Connection, Begun]:
    """The file, made when it is missing. One that is damaged, or that another site has filled, is set aside
    under another name: one is kept, and counts in the quota."""
    path.parent.mkdir(parents=True, exist_ok=True)
    why, told, last = "start" if path.exists() else "new", _told_epoch(path), None
    try:
        db = _connected(path, quota_bytes - aside_bytes(path), check=why == "start", site=site)
    except (sqlite3.DatabaseError, OfAnotherSite) as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # locked, full, no permission: the file is not at fault
        log.error("%s: %s; set aside, a new one begins", path, error)
        why = "site" if isinstance(error, OfAnotherSite) else "damaged"
        known, last = _salvaged(path)
        told = known or told
        set_aside(path, quota_bytes // ASIDE_SHARE)
        db = _connected(path, quota_bytes - aside_bytes(path), check=False, site=site)
    fresh = secrets.randbits(62) + 1
    db.execute("INSERT OR IGNORE INTO counts VALUES ('epoch', ?)", (fresh,))
    epoch = int(db.execute("SELECT value FROM counts WHERE name = 'epoch'").fetchone()[0])
    if epoch == fresh and why == "start":
        why = "new"  # a file of another make, or one that died before its epoch was on disk
    if epoch == told:
        return db, Begun(why, epoch)
    _tell_epoch(path, epoch)
    return db, Begun(why, epoch, told, last)


def set_aside(path: Path, most_bytes: int) -> None:
    """Out of the way, for whoever wants to look; an earlier one goes, and one that is larger than this."""
    for end in ENDS:
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{end}", f"{path}{ASIDE}{end}")
    if (size := aside_bytes(path)) > most_bytes:
        log.warning("%s%s is not kept: %d bytes", path, ASIDE, size)
        for end in ENDS:
            Path(f"{path}{ASIDE}{end}").unlink(missing_ok=True)


def aside_bytes(path: Path) -> int:
    """What a file that was set aside takes of the lane's share."""
    found = (Path(f"{path}{ASIDE}{end}") for end in ENDS)
    return sum(each.stat().st_size for each in found if each.exists())


def _of_site(site: str) -> int:
    return int.from_bytes(hashlib.blake2b(site.encode(), digest_size=7).digest())


def pages(quota_bytes: int) -> tuple[int, int]:
    """(most pages of the database, pages at which its -wal file is written back): both keep the quota."""
    whole = quota_bytes // PAGE_BYTES
    wal = max(4, min(CHECKPOINT_PAGES, whole // WAL_SHARE))
    return max(LEAST_PAGES, whole - 2 * wal), wal


def _connected(path: Path, quota_bytes: int, *, check: bool, site: str | None) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError (and no subclass of it) for a damaged file, OfAnotherSite."""
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
        if site is not None:
            _claim(db, site)
    except BaseException:
        db.close()
        raise
    return db


def _claim(db: sqlite3.Connection, site: str) -> None:
    """Whose the file is: under one epoch no two sites speak."""
    found = db.execute("SELECT value FROM counts WHERE name = 'site'").fetchone()
    if found is not None and found[0] != _of_site(site):
        queued = db.execute("SELECT (SELECT count(*) FROM queue) + (SELECT count(*) FROM open)").fetchone()[0]
        raise OfAnotherSite(
            f"it is of another site than {site}, with {queued} rows that were not acknowledged"
        )
    db.execute("INSERT OR IGNORE INTO counts VALUES ('site', ?)", (_of_site(site),))


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
