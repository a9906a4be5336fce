"""Daily partitions of the fact tables: made ahead, made for a day that a backlog brings, dropped when old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import asyncpg

from rsu_agent.district.facts import KEEP_DAYS
from rsu_agent.district.migrate import LOCK

AHEAD_DAYS = 3
ONE_DAY = timedelta(days=1)


class Partitions:
    """The partitions that this process knows to be there."""

    def __init__(self) -> None:
        self._known: set[tuple[str, date]] = set()

    async def ensure(self, db: asyncpg.Connection, wanted: Iterable[tuple[str, date]]) -> None:
        """Make what is missing of these (table, day); not inside another transaction."""
        missing = sorted(set(wanted) - self._known)
        if not missing:
            return
        async with db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            for table, day in missing:
                await db.execute(
                    f"CREATE TABLE IF NOT EXISTS {_name(table, day)} PARTITION OF {table} "
                    f"FOR VALUES FROM ('{day}T00:00:00Z') TO ('{day + ONE_DAY}T00:00:00Z')"
                )
        self._known.update(missing)

    async def make_ahead(self, db: asyncpg.Connection) -> None:
        """Today's and the next days' of every table."""
        today = datetime.now(UTC).date()
        days = [today + n * ONE_DAY for n in range(-1, AHEAD_DAYS + 1)]
        await self.ensure(db, ((table, day) for table in KEEP_DAYS for day in days))

    async def drop_old(self, db: asyncpg.Connection, today: date) -> list[str]:
        """Drop partitions older than their table is kept; their names."""
        kept = {row["fact"]: row["days"] for row in await db.fetch("SELECT fact, days FROM keep")}
        gone = []
        async with db.transaction():
            await db.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            for table, day in await stored_days(db):
                if day < today - kept[table] * ONE_DAY:
                    await db.execute(f"DROP TABLE {_name(table, day)}")
                    self._known.discard((table, day))
                    gone.append(_name(table, day))
        return gone


async def stored_days(db: asyncpg.Connection) -> list[tuple[str, date]]:
    """(table, day) of every partition there is."""
    rows = await db.fetch(
        "SELECT p.relname AS parent, c.relname AS child FROM pg_inherits i "
        "JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent "
        "WHERE p.relname = ANY($1) AND c.relkind = 'r'",
        list(KEEP_DAYS),
    )
    return sorted(
        (row["parent"], datetime.strptime(row["child"].rsplit("_", 1)[1], "%Y%m%d").date()) for row in rows
    )


def _name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"
