"""Numbered SQL files, applied in order, each once and in a transaction, by one process at a time."""

from __future__ import annotations

import logging
from importlib.resources import files

import asyncpg

from rsu_agent.district.facts import KEEP_DAYS

log = logging.getLogger(__name__)
LOCK = 0x5253_5501  # "RSU" and what is locked: migrations and partitions


def migrations() -> dict[int, tuple[str, str]]:
    """number -> (name, SQL)."""
    folder = files("rsu_agent.district") / "migrations"
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {int(name.split("_")[0]): (name, (folder / name).read_text()) for name in found}


async def migrate(db: asyncpg.Connection) -> int:
    """Bring the database up to date; its version. A database of a later version is refused."""
    known = migrations()
    async with db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await db.execute(
            "CREATE TABLE IF NOT EXISTS schema_version (version integer PRIMARY KEY, name text NOT NULL, "
            "applied timestamptz NOT NULL DEFAULT now())"
        )
        done = {row["version"] for row in await db.fetch("SELECT version FROM schema_version")}
        if done - known.keys():
            raise SystemExit(f"the database is of version {max(done)}, this receiver knows {max(known)}")
        for number in sorted(known.keys() - done):
            name, sql = known[number]
            log.info("migration %s", name)
            await db.execute(sql)
            await db.execute("INSERT INTO schema_version (version, name) VALUES ($1, $2)", number, name)
        await db.executemany(
            "INSERT INTO keep VALUES ($1, $2) ON CONFLICT DO NOTHING", list(KEEP_DAYS.items())
        )
    return max(known)
