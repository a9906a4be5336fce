"""Reading the district's SQLite file, in a thread, while the receiver writes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from rsu_agent.district.facts import DAY_US, table_of, us_of
from rsu_agent.district.reading import MOST_LATEST, Cursor, Fact, LaneRow, ReaderLost, SiteRow

FACT = (
    "SELECT r.site, r.epoch, r.lane, r.seq, r.place, r.kind, r.utc_us, e.stored_us, r.body FROM record r "
    "JOIN envelope e USING (site, epoch, lane, seq) "
)
LANE = """SELECT site, epoch, lane, highest, contiguous, stored_us, utc_us, clock_s, version, duplicates,
  refused,
  (SELECT count(*) FROM envelope e WHERE e.site=l.site AND e.epoch=l.epoch AND e.lane=l.lane
    AND e.seq > l.contiguous)
  + (SELECT coalesce(sum(last - max(first, l.contiguous + 1) + 1), 0) FROM hole h WHERE h.site=l.site
    AND h.epoch=l.epoch AND h.lane=l.lane AND h.last > l.contiguous) FROM lane l"""
CHUNK = 5_000
Made = TypeVar("Made")


class SqliteReader:
    """Opens the file when it is first asked; one question at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._one = anyio.Lock()

    async def aclose(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()

    async def sites(self) -> list[SiteRow]:
        """Those that have said anything, in order of their names."""
        rows = await self._ask(
            "SELECT l.site, coalesce(s.district, ''), s.lat, s.lon, s.state FROM (SELECT site FROM lane "
            "UNION SELECT site FROM site) l LEFT JOIN site s USING (site) ORDER BY 1"
        )
        return [SiteRow(*(*row[:4], json.loads(row[4]) if row[4] else None)) for row in rows]

    async def lanes(self) -> list[LaneRow]:
        """Every lane of every outbox file ever heard of."""
        rows = await self._ask(LANE)
        return [LaneRow(*(*row[:5], max(0, row[3] - row[4] - row[11]), *row[5:11])) for row in rows]

    async def history(
        self, kind: str, site: str | None, from_us: int, to_us: int, after: Cursor, limit: int
    ) -> list[Fact]:
        """Records of a kind in order of their time, from where the last page ended."""
        return await self._facts(
            FACT + "WHERE r.kind=? AND r.utc_us>=? AND r.utc_us<? AND (? IS NULL OR r.site=?) AND "
            "(r.utc_us, r.site, r.epoch, r.lane, r.seq, r.place) > (?,?,?,?,?,?) "
            "ORDER BY r.utc_us, r.site, r.epoch, r.lane, r.seq, r.place LIMIT ?",
            (kind, max(from_us, after[0]), to_us, site, site, *after, limit),
        )

    async def latest(self, site: str, since_us: int) -> list[Fact]:
        """Records of a site since then, the newest MOST_LATEST."""
        return await self._facts(
            FACT + "WHERE r.site=? AND e.stored_us>=? ORDER BY e.stored_us DESC LIMIT ?",
            (site, since_us, MOST_LATEST),
        )

    async def arrived(self, kind: str, since_us: int, limit: int) -> list[Fact]:
        """Records of a kind that were stored since then, in order of arrival."""
        return await self._facts(
            FACT.replace("record r JOIN envelope e", "envelope e CROSS JOIN record r")
            + "WHERE r.kind=? AND e.stored_us>=? ORDER BY e.stored_us LIMIT ?",
            (kind, since_us, limit),
        )

    async def dead_counts(self) -> dict[str, int]:
        """Dead letters kept, by reason."""
        return dict(await self._ask("SELECT reason, count(*) FROM dead_letter GROUP BY 1"))

    async def dead(self, limit: int) -> list[dict[str, Any]]:
        """The newest dead letters."""
        names = ("stored_us", "site", "topic", "reason", "detail", "size", "hex")
        rows = await self._ask(
            "SELECT stored_us, site, topic, reason, detail, size, lower(hex(bytes)) FROM dead_letter "
            "ORDER BY number DESC LIMIT ?",
            (limit,),
        )
        return [dict(zip(names, row, strict=True)) for row in rows]

    async def days(self) -> list[tuple[str, date]]:
        """(table, day) for which anything is stored."""
        rows = await self._ask(f"SELECT DISTINCT kind, utc_us / {DAY_US} FROM record")
        epoch = date(1970, 1, 1)
        return sorted({(table_of(kind), epoch + timedelta(days=day)) for kind, day in rows})

    async def facts(self, table: str, day: date) -> AsyncIterator[Sequence[Fact]]:
        """All records of a table and a day (UTC), in pieces."""
        from_us = us_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
        kinds = [
            kind for (kind,) in await self._ask("SELECT DISTINCT kind FROM record") if table_of(kind) == table
        ]
        for kind in sorted(kinds):
            after: Cursor = (from_us, "", 0, "", 0, 0)
            while rows := await self.history(kind, None, from_us, from_us + DAY_US, after, CHUNK):
                yield rows
                after = rows[-1].cursor

    async def _facts(self, query: str, values: tuple[Any, ...]) -> list[Fact]:
        return [Fact(*(*row[:8], json.loads(row[8]))) for row in await self._ask(query, values)]

    async def _ask(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        def ask() -> list[tuple[Any, ...]]:
            if self._db is None:
                address = f"{self._path.absolute().as_uri()}?mode=ro"
                self._db = sqlite3.connect(address, uri=True, check_same_thread=False)
            return self._db.execute(query, values).fetchall()

        async with self._one:
            return await _in_a_thread(ask)


async def _in_a_thread(function: Callable[[], Made]) -> Made:
    try:
        return await anyio.to_thread.run_sync(function)
    except sqlite3.Error as error:
        raise ReaderLost(str(error)) from None
