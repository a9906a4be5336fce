"""Several databases read as one: a site is whole in its shard, what is of all sites is merged."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import date
from typing import Any, TypeVar

import anyio

from rsu_agent.district.reading import Cursor, Fact, LaneRow, Reader, SiteRow
from rsu_agent.district.shards import shard_of

T = TypeVar("T")


class ShardedReader:
    """One reader a shard, in the order of their numbers."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = readers

    async def sites(self) -> list[SiteRow]:
        """Of all shards, in order of their names."""
        return sorted(_joined(await self._all(lambda r: r.sites())), key=lambda site: site.site)

    async def lanes(self) -> list[LaneRow]:
        """Of all shards."""
        return _joined(await self._all(lambda r: r.lanes()))

    async def history(
        self, kind: str, site: str | None, from_us: int, to_us: int, after: Cursor, limit: int
    ) -> list[Fact]:
        """A page: of each shard the first rows behind the cursor, of these the first of all."""
        if site is not None:
            return await self._of(site).history(kind, site, from_us, to_us, after, limit)
        pages = await self._all(lambda r: r.history(kind, None, from_us, to_us, after, limit))
        return list(heapq.merge(*pages, key=lambda fact: fact.cursor))[:limit]

    async def latest(self, site: str, since_us: int) -> list[Fact]:
        """Of the site's shard."""
        return await self._of(site).latest(site, since_us)

    async def arrived(self, kind: str, since_us: int, limit: int) -> list[Fact]:
        """In order of arrival."""
        pages = await self._all(lambda r: r.arrived(kind, since_us, limit))
        return list(heapq.merge(*pages, key=lambda fact: fact.stored_us))[:limit]

    async def dead_counts(self) -> dict[str, int]:
        """By reason, summed."""
        total: Counter[str] = Counter()
        for counts in await self._all(lambda r: r.dead_counts()):
            total.update(counts)
        return dict(total)

    async def dead(self, limit: int) -> list[dict[str, Any]]:
        """The newest of all."""
        letters = _joined(await self._all(lambda r: r.dead(limit)))
        return sorted(letters, key=lambda letter: -int(letter["stored_us"]))[:limit]

    async def days(self) -> list[tuple[str, date]]:
        """(table, day) that any shard has."""
        return sorted(set(_joined(await self._all(lambda r: r.days()))))

    async def facts(self, table: str, day: date) -> AsyncIterator[Sequence[Fact]]:
        """One shard after the other."""
        for reader in self._readers:
            async for piece in reader.facts(table, day):
                yield piece

    async def aclose(self) -> None:
        """Close them all."""
        for reader in self._readers:
            await reader.aclose()

    def _of(self, site: str) -> Reader:
        return self._readers[shard_of(site, len(self._readers))]

    async def _all(self, ask: Callable[[Reader], Awaitable[T]]) -> list[T]:
        """Every shard's answer, asked side by side. Raises ReaderLost where one does not answer."""
        found: dict[int, T] = {}
        lost: list[Exception] = []

        async def one(number: int, reader: Reader) -> None:
            try:
                found[number] = await ask(reader)
            except Exception as error:  # noqa: BLE001 (raised below: a group of them would be another error)
                lost.append(error)

        async with anyio.create_task_group() as tasks:
            for number, reader in enumerate(self._readers):
                tasks.start_soon(one, number, reader)
        if lost:
            raise lost[0]
        return [found[number] for number in range(len(self._readers))]


def _joined(parts: Iterable[list[T]]) -> list[T]:
    return [row for part in parts for row in part]
