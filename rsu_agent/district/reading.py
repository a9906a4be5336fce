"""What may be asked of the district's database, whichever it is."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

Cursor = tuple[int, str, int, str, int, int]  # t_us, site, epoch, lane, seq, place
FIRST: Cursor = (-(1 << 63), "", 0, "", 0, 0)
MOST_ROWS = 5_000
LATEST_S = 86_400  # how far back the latest state of a site is looked for
MOST_LATEST = 2_000


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane of a site's present or a former outbox file. Times in UTC microseconds."""

    site: str
    epoch: int
    lane: str
    high: int
    contiguous: int
    missing: int
    stored_us: int
    utc_us: int
    clock_s: float | None
    version: int
    duplicates: int
    refused: int


@dataclass(frozen=True, slots=True)
class SiteRow:
    """What is known of a site beside its lanes. `state`: its birth or will, None before the first."""

    site: str
    district: str
    lat: float | None
    lon: float | None
    state: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One record as stored. `t_us`: the time under which it is filed."""

    site: str
    epoch: int
    lane: str
    seq: int
    place: int
    kind: str
    t_us: int
    stored_us: int
    body: Mapping[str, Any]

    @property
    def cursor(self) -> Cursor:
        """Where the next page begins."""
        return self.t_us, self.site, self.epoch, self.lane, self.seq, self.place

    def as_json(self) -> dict[str, Any]:
        """For people and programs; epoch as text, since JavaScript has no such number."""
        return {
            "site": self.site,
            "kind": self.kind,
            "t_us": self.t_us,
            "stored_us": self.stored_us,
            "id": f"{self.epoch}.{self.lane}.{self.seq}.{self.place}",
            "body": self.body,
        }


class Reader(Protocol):
    """Reads only. Raises ReaderLost where the database does not answer."""

    async def sites(self) -> list[SiteRow]: ...

    async def lanes(self) -> list[LaneRow]: ...

    async def history(
        self, kind: str, site: str | None, from_us: int, to_us: int, after: Cursor, limit: int
    ) -> list[Fact]: ...

    async def latest(self, site: str, since_us: int) -> list[Fact]: ...

    async def arrived(self, kind: str, since_us: int, limit: int) -> list[Fact]: ...

    async def dead_counts(self) -> dict[str, int]: ...

    async def dead(self, limit: int) -> list[dict[str, Any]]: ...

    async def days(self) -> list[tuple[str, date]]: ...

    def facts(self, table: str, day: date) -> AsyncIterator[Sequence[Fact]]: ...

    async def aclose(self) -> None: ...


class ReaderLost(Exception):
    """The database does not answer."""


def open_reader(database: str | Sequence[str]) -> Reader:
    """The reader of a SQLite file or of a PostgreSQL address; of several addresses, one over all shards."""
    if not isinstance(database, str):
        if len(database) > 1:
            from rsu_agent.district.reading_sharded import ShardedReader

            return ShardedReader([open_reader(each) for each in database])
        [database] = database
    if is_postgres(database):
        from rsu_agent.district.reading_postgres import PostgresReader

        return PostgresReader(database)
    from rsu_agent.district.reading_sqlite import SqliteReader

    return SqliteReader(Path(database))


def is_postgres(database: str) -> bool:
    """Whether it names a PostgreSQL and not a file."""
    return database.startswith(("postgresql://", "postgres://"))


def cursor_text(cursor: Cursor) -> str:
    """A cursor for an address."""
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The reverse. Raises ValueError."""
    value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    match value:
        case [int(t_us), str(site), int(epoch), str(lane), int(seq), int(place)]:
            if all(-(1 << 63) <= number < 1 << 63 for number in (t_us, epoch, seq)) and 0 <= place < 1 << 31:
                return t_us, site, epoch, lane, seq, place
    raise ValueError("no cursor")


KEYS = {  # kind -> field that tells one latest record from another
    "flow": "ln", "queue": "ln", "phase": "g", "health": "d", "walk": "cw", "zone": "d", "event": "i",
    "still": "d",
}  # fmt: skip


def latest_of(facts: Sequence[Fact]) -> dict[str, list[dict[str, Any]]]:
    """kind -> the newest record of each lane, lamp group, device; hazards only while they last."""
    newest: dict[tuple[str, str], Fact] = {}
    for fact in sorted(facts, key=lambda f: f.cursor):
        newest[fact.kind, str(fact.body.get(KEYS.get(fact.kind, ""), ""))] = fact
    told: dict[str, list[dict[str, Any]]] = {}
    for (kind, _), fact in sorted(newest.items()):
        if kind != "event" or fact.body.get("s") == "on":
            told.setdefault(kind, []).append({"t_us": fact.t_us, **fact.body})
    return told
