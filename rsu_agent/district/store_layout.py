"""The layout of the district's SQLite file, and what is added to a file of an earlier version."""

from __future__ import annotations

import sqlite3

VERSION = 2
LAYOUT = """
CREATE TABLE IF NOT EXISTS envelope (site TEXT, epoch INTEGER, lane TEXT, seq INTEGER, utc_us INTEGER,
  stored_us INTEGER, PRIMARY KEY (site, epoch, lane, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (site TEXT, epoch INTEGER, lane TEXT, seq INTEGER, place INTEGER, kind TEXT,
  utc_us INTEGER, body TEXT, PRIMARY KEY (site, epoch, lane, seq, place)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_by_kind ON record (kind, utc_us);
CREATE TABLE IF NOT EXISTS lane (site TEXT, epoch INTEGER, lane TEXT, contiguous INTEGER NOT NULL,
  duplicates INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (site, epoch, lane)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hole (site TEXT, epoch INTEGER, lane TEXT, first INTEGER, last INTEGER,
  PRIMARY KEY (site, epoch, lane, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS raw_envelope (site TEXT, epoch INTEGER, lane TEXT, seq INTEGER, version INTEGER,
  bytes BLOB, PRIMARY KEY (site, epoch, lane, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter (number INTEGER PRIMARY KEY, stored_us INTEGER, site TEXT, topic TEXT,
  reason TEXT, detail TEXT, epoch INTEGER, lane TEXT, seq INTEGER, size INTEGER, bytes BLOB);
CREATE UNIQUE INDEX IF NOT EXISTS dead_once ON dead_letter (site, epoch, lane, seq);
CREATE TABLE IF NOT EXISTS site (site TEXT PRIMARY KEY, district TEXT, lat REAL, lon REAL, state TEXT,
  state_us INTEGER) WITHOUT ROWID;
"""
ADDED = (  # columns of `lane` that came with version 2
    "stored_us INTEGER NOT NULL DEFAULT 0",
    "utc_us INTEGER NOT NULL DEFAULT 0",
    "clock_s REAL",
    "version INTEGER NOT NULL DEFAULT 1",
    "refused INTEGER NOT NULL DEFAULT 0",
    "highest INTEGER NOT NULL DEFAULT 0",
)


def lay_out(db: sqlite3.Connection) -> None:
    """Make what is not there yet; a file of a later version is refused."""
    (found,) = db.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise SystemExit(f"the database is of version {found}, this receiver knows {VERSION}: update it")
    db.executescript(LAYOUT)
    there = {row[1] for row in db.execute("PRAGMA table_info(lane)")}
    for column in ADDED:
        if column.split()[0] not in there:
            db.execute(f"ALTER TABLE lane ADD COLUMN {column}")
    db.execute("CREATE INDEX IF NOT EXISTS envelope_by_arrival ON envelope (stored_us)")
    db.execute(f"PRAGMA user_version={VERSION}")
