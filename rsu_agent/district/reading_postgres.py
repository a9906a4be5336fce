"""Reading the district's PostgreSQL: read-only transactions, bounded in time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import anyio
import asyncpg

from rsu_agent.district.facts import KEEP_DAYS, table_of, us_of, utc
from rsu_agent.district.partitions import stored_days
from rsu_agent.district.reading import MOST_LATEST, Cursor, Fact, LaneRow, ReaderLost, SiteRow

COLUMNS = "site, epoch, lane, seq, place, kind, t, stored, body"
NEW = timedelta(days=2)  # what is older when it arrives is history, not news
ANSWERS_S = 20
CHUNK = 5_000
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


class PostgresReader:
    """Connects when it is first asked, and again after the database was away."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: asyncpg.Pool | None = None
        self._opening = anyio.Lock()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.terminate()

    async def sites(self) -> list[SiteRow]:
        """Those that have said anything, in order of their names."""
        rows = await self._ask("SELECT site, district, lat, lon, state FROM site ORDER BY 1")
        return [_site(row) for row in rows]

    async def lanes(self) -> list[LaneRow]:
        """Every lane of every outbox file ever heard of."""
        rows = await self._ask(
            "SELECT site, epoch, lane, hw, coalesce(lower(gaps) - 1, hw), (SELECT coalesce(sum(upper(g) - "
            "lower(g)), 0)::bigint FROM unnest(gaps) g), stored, utc_us, clock_s, version, duplicates, "
            "refused FROM site_lane"
        )
        return [LaneRow(*(*row[:6], us_of(row[6]), *row[7:])) for row in map(tuple, rows)]

    async def history(
        self, kind: str, site: str | None, from_us: int, to_us: int, after: Cursor, limit: int
    ) -> list[Fact]:
        """Records of a kind in order of their time, from where the last page ended."""
        return await self._facts(
            f"SELECT {COLUMNS} FROM {table_of(kind)} WHERE kind = $1 AND t >= $2 AND t < $3 "
            "AND ($4::text IS NULL OR site = $4) "
            "AND (t, site, epoch, lane, seq, place) > ($5, $6, $7, $8, $9, $10) "
            "ORDER BY t, site, epoch, lane, seq, place LIMIT $11",
            kind, _time(max(from_us, after[0])), _time(to_us), site, _time(after[0]), *after[1:], limit,
        )  # fmt: skip

    async def latest(self, site: str, since_us: int) -> list[Fact]:
        """Records of a site since then, the newest of each table."""
        share = MOST_LATEST // len(KEEP_DAYS)
        found: list[Fact] = []
        for table in KEEP_DAYS:
            query = f"SELECT {COLUMNS} FROM {table} WHERE site = $1 AND t >= $2 ORDER BY t DESC LIMIT $3"
            found += await self._facts(query, site, _time(since_us), share)
        return found

    async def arrived(self, kind: str, since_us: int, limit: int) -> list[Fact]:
        """Records of a kind that were stored since then, in order of arrival."""
        return await self._facts(
            f"SELECT {COLUMNS} FROM {table_of(kind)} WHERE kind = $1 AND stored >= $2 AND t >= $3 "
            "ORDER BY stored LIMIT $4",
            kind, _time(since_us), _time(since_us) - NEW, limit,
        )  # fmt: skip

    async def dead_counts(self) -> dict[str, int]:
        """Dead letters kept, by reason."""
        rows = await self._ask("SELECT reason, count(*) AS n FROM dead_letter GROUP BY 1")
        return {row["reason"]: row["n"] for row in rows}

    async def dead(self, limit: int) -> list[dict[str, Any]]:
        """The newest dead letters."""
        rows = await self._ask(
            "SELECT stored, site, topic, reason, detail, size, encode(bytes, 'hex') AS hex FROM dead_letter "
            "ORDER BY number DESC LIMIT $1",
            limit,
        )
        return [
            {"stored_us": us_of(row["stored"])} | {k: row[k] for k in list(row.keys())[1:]} for row in rows
        ]

    async def days(self) -> list[tuple[str, date]]:
        """(table, day) of every partition, the empty ones made ahead too."""
        pool = await self._connected()
        try:
            async with pool.acquire() as db:
                return await stored_days(db)
        except LOST as error:
            raise ReaderLost(str(error)) from None

    async def facts(self, table: str, day: date) -> AsyncIterator[Sequence[Fact]]:
        """All records of a table and a day (UTC), in pieces."""
        begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
        pool = await self._connected()
        async with pool.acquire() as db, db.transaction(readonly=True):
            cursor = await db.cursor(
                f"SELECT {COLUMNS} FROM {table} WHERE t >= $1 AND t < $2 ORDER BY t, site, seq, place",
                begins, begins + timedelta(days=1),
            )  # fmt: skip
            while rows := await cursor.fetch(CHUNK):
                yield [_fact(row) for row in rows]

    async def _facts(self, query: str, *values: Any) -> list[Fact]:
        return [_fact(row) for row in await self._ask(query, *values)]

    async def _ask(self, query: str, *values: Any) -> list[asyncpg.Record]:
        pool = await self._connected()
        try:
            return list(await pool.fetch(query, *values, timeout=ANSWERS_S))
        except LOST as error:
            raise ReaderLost(str(error)) from None

    async def _connected(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                settings = {"application_name": "rsu-district-api", "default_transaction_read_only": "on"}
                try:
                    self._pool = await asyncpg.create_pool(
                        self._dsn, min_size=0, max_size=4, timeout=10, server_settings=settings
                    )
                except LOST as error:
                    raise ReaderLost(str(error)) from None
            return self._pool


def _site(row: asyncpg.Record) -> SiteRow:
    site, district, lat, lon, state = row
    return SiteRow(site, district, lat, lon, json.loads(state) if state else None)


def _fact(row: asyncpg.Record) -> Fact:
    values = tuple(row)
    return Fact(*(*values[:6], us_of(values[6]), us_of(values[7]), json.loads(values[8])))


def _time(us: int) -> datetime:
    """What both PostgreSQL and Python have a date for."""
    return utc(min(max(us, us_of(EARLIEST)), us_of(LATEST)))
