"""PostgreSQL: identities, facts and how far each lane has come, in one transaction a batch."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import anyio
import asyncpg

from rsu_agent.district.facts import filed_us, heard_us, lost_for_ever, place_of, table_of, utc
from rsu_agent.district.migrate import migrate
from rsu_agent.district.numbers import Numbers
from rsu_agent.district.partitions import Partitions
from rsu_agent.district.postgres_notes import bury, forget, note, place
from rsu_agent.district.shards import WHOLE, claim
from rsu_agent.district.sink import Batch, Committed, DeadLetter, LaneKey, Taken
from rsu_agent.ports.envelope import Ack, Envelope

log = logging.getLogger(__name__)
MOST_RANGES = 32
RETRY_S = 1.0
KEEP_IDENTITY = timedelta(days=30)  # then the lane's floor stands for them
MOST_TRIES = 5  # of a transaction that collided with another worker's
COLUMNS = ("site", "epoch", "lane", "seq", "place", "kind", "t", "stored", "body")
INCOMING = """CREATE TEMPORARY TABLE IF NOT EXISTS incoming (site text, epoch bigint, lane text, seq bigint,
  utc_us bigint, stored timestamptz) ON COMMIT DELETE ROWS"""
LOCKED = """SELECT l.site, l.epoch, l.lane, l.hw, l.floor, l.gaps
  FROM unnest($1::text[], $2::bigint[], $3::text[]) AS k (site, epoch, lane)
  JOIN site_lane l USING (site, epoch, lane) ORDER BY 1, 2, 3 FOR UPDATE OF l"""
MADE = """INSERT INTO site_lane (site, epoch, lane) SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
  AS k (site, epoch, lane) ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING"""
SITES = """INSERT INTO site (site, district) SELECT * FROM unnest($1::text[], $2::text[])
  ON CONFLICT DO NOTHING"""
STORED = """WITH fresh AS (INSERT INTO envelope SELECT * FROM incoming ORDER BY site, epoch, lane, seq
  ON CONFLICT DO NOTHING RETURNING site, epoch, lane, seq)
  SELECT site, epoch, lane, seq FROM incoming EXCEPT ALL SELECT site, epoch, lane, seq FROM fresh"""
ADVANCED = """UPDATE site_lane l SET hw = k.hw, gaps = k.gaps::int8multirange, stored = $11,
  utc_us = greatest(l.utc_us, k.utc_us), clock_s = coalesce(k.clock_s, l.clock_s),
  version = coalesce(k.version, l.version), envelopes = l.envelopes + k.fresh,
  duplicates = l.duplicates + k.again, refused = l.refused + k.refused
  FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[],
    $7::double precision[], $8::integer[], $9::bigint[], $10::bigint[], $12::bigint[])
  AS k (site, epoch, lane, hw, gaps, utc_us, clock_s, version, fresh, again, refused)
  WHERE (l.site, l.epoch, l.lane) = (k.site, k.epoch, k.lane)"""
GONE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when the server's farewell crosses our next question
    asyncpg.OperatorInterventionError,  # shut down, crashed, not up yet
    asyncpg.InsufficientResourcesError,
)
COLLIDED = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.UniqueViolationError)


class PostgresSink:
    """One connection. shard: (number, of how many).

    While the database is away, `take` waits for it: nothing is acknowledged meanwhile.
    """

    def __init__(self, dsn: str, shard: tuple[int, int] = WHOLE) -> None:
        self._dsn, self._shard = dsn, shard
        self._db: asyncpg.Connection | None = None
        self._partitions = Partitions()

    async def open(self) -> None:
        """Connect and migrate. Raises OSError or asyncpg's errors."""
        db = await asyncpg.connect(
            self._dsn, timeout=10, server_settings={"application_name": "rsu-district"}
        )
        await migrate(db)
        await claim(db, self._shard)
        await self._partitions.make_ahead(db)
        await db.execute(INCOMING)
        self._db = db

    async def aclose(self) -> None:
        """Close the connection."""
        if self._db is not None:
            await self._db.close()

    async def sweep(self, now_us: int) -> int:
        """Make partitions ahead, drop old ones and old identities; how many partitions went."""
        db = await asyncpg.connect(self._dsn, timeout=10)  # of its own: the other one is at work
        try:
            await self._partitions.make_ahead(db)
            await forget(db, utc(now_us) - KEEP_IDENTITY)
            return len(await self._partitions.drop_old(db, utc(now_us).date()))
        except asyncpg.PostgresError as error:
            raise OSError(f"{type(error).__name__}: {error}") from None
        finally:
            await db.close()

    async def take(self, batch: Batch, now_us: int) -> Committed:
        """As the protocol has it. What the database itself will not have is found by halving the batch."""
        while True:
            try:
                if self._db is None or self._db.is_closed():
                    await self._reopen()
                return await self._whole_or_halves(batch, now_us)
            except GONE as error:
                log.warning("database: %s; waiting for it", error)
                await self._drop()
                await anyio.sleep(RETRY_S)

    async def _whole_or_halves(self, batch: Batch, now_us: int) -> Committed:
        try:
            return await self._tried(batch, now_us)
        except (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            ValueError,
            OverflowError,
        ) as error:
            if len(batch.taken) <= 1:
                if not batch.taken:
                    raise
                letter = _refused(batch.taken[0], "unstorable", str(error))
                rest = await self._tried(Batch([], [*batch.dead, letter], batch.states), now_us)
                return Committed(rest.acks, rest.fresh, (letter, *rest.refused))
        middle = len(batch.taken) // 2
        first = await self._whole_or_halves(Batch(batch.taken[:middle], batch.dead, batch.states), now_us)
        last = await self._whole_or_halves(Batch(batch.taken[middle:]), now_us)
        return Committed(
            {**first.acks, **last.acks}, first.fresh + last.fresh, (*first.refused, *last.refused)
        )

    async def _tried(self, batch: Batch, now_us: int) -> Committed:
        for _ in range(MOST_TRIES - 1):
            try:
                return await self._transaction(batch, now_us)
            except COLLIDED as error:
                log.info("once more: %s", error)
        return await self._transaction(batch, now_us)

    async def _transaction(self, batch: Batch, now_us: int) -> Committed:
        db = self._db
        assert db is not None
        lanes = _lanes(batch)
        facts = _facts(batch.taken, now_us)
        await self._partitions.ensure(
            db, {(table, row[6].date()) for table, rows in facts.items() for row in rows}
        )
        async with db.transaction():
            await self._lock(db, lanes)
            fresh, scattered = _fresh(batch.taken, lanes)
            await self._identities(db, fresh, lanes, now_us)
            if len(fresh) < len(batch.taken):
                facts = _facts(fresh.values(), now_us)
            for table, rows in facts.items():
                await db.copy_records_to_table(table, records=rows, columns=COLUMNS)
            await note(db, batch, [one for one in fresh.values() if one.raw is not None], utc(now_us))
            await bury(db, [*batch.dead, *scattered], utc(now_us))
            await place(db, _places(fresh.values()))
            await db.execute(ADVANCED, *_columns(lanes, now_us))
        return Committed({key: lane.ack(key) for key, lane in lanes.items()}, len(fresh), scattered)

    async def _lock(self, db: asyncpg.Connection, lanes: dict[LaneKey, _Lane]) -> None:
        """The lanes' rows, in one order for every worker; what they say goes into `lanes`."""
        keys = tuple(map(list, zip(*sorted(lanes), strict=True))) or ([], [], [])
        rows = await db.fetch(LOCKED, *keys)
        if len(rows) < len(lanes):
            await db.execute(MADE, *keys)
            sites = sorted({(key[0], lane.district) for key, lane in lanes.items()})
            await db.execute(SITES, *map(list, zip(*sites, strict=True)))
            rows = await db.fetch(LOCKED, *keys)
        for site, epoch, lane, high, floor, gaps in rows:
            lanes[site, epoch, lane].numbers = Numbers(high, [(g.lower, g.upper - 1) for g in gaps])
            lanes[site, epoch, lane].floor = floor

    async def _identities(
        self, db: asyncpg.Connection, fresh: dict[_Identity, Taken], lanes: dict[LaneKey, _Lane], now_us: int
    ) -> None:
        """Store them; those that the primary key knows already leave `fresh`."""
        now = utc(now_us)
        if not fresh:
            return
        rows = [(*identity, one.envelope.utc_us, now) for identity, one in fresh.items()]
        await db.copy_records_to_table("incoming", records=rows)
        for row in await db.fetch(STORED):
            site, epoch, lane, _ = identity = tuple(row)
            fresh.pop(identity)
            lanes[site, epoch, lane].fresh -= 1

    async def _reopen(self) -> None:
        """The database was there once: whatever it says now, it is waited for."""
        try:
            await self.open()
        except asyncpg.PostgresError as error:
            raise OSError(f"{type(error).__name__}: {error}") from None

    async def _drop(self) -> None:
        if self._db is not None:
            self._db.terminate()
        self._db, self._partitions = None, Partitions()


_Identity = tuple[str, int, str, int]


class _Lane:
    """What a batch brings to one lane."""

    def __init__(self, district: str) -> None:
        self.district = district
        self.numbers = Numbers()
        self.newest: Envelope | None = None
        self.heard = self.fresh = self.refused = self.floor = 0
        self.given_up: list[tuple[int, int]] = []

    def ack(self, key: LaneKey) -> Ack:
        ranges = tuple(self.numbers.ranges(MOST_RANGES))
        return Ack(key[1], key[2], self.numbers.contiguous, ranges)


def _lanes(batch: Batch) -> dict[LaneKey, _Lane]:
    lanes: dict[LaneKey, _Lane] = {}
    for one in batch.taken:
        lane = lanes.get(one.key) or lanes.setdefault(one.key, _Lane(_district(one.prefix)))
        lane.heard += 1
        if lane.newest is None or one.envelope.utc_us >= lane.newest.utc_us:
            lane.newest = one.envelope
    for letter in batch.dead:
        if letter.identity is None or letter.prefix is None:
            continue
        epoch, name, seq = letter.identity
        lane = lanes.setdefault((letter.site, epoch, name), _Lane(_district(letter.prefix)))
        lane.refused += 1
        lane.given_up.append((seq, seq))
    return lanes


def _fresh(
    taken: Iterable[Taken], lanes: dict[LaneKey, _Lane]
) -> tuple[dict[_Identity, Taken], list[DeadLetter]]:
    """Each identity once, without those swept away, and those that are refused because they would scatter a
    lane without bound; the lanes, which are locked, move on."""
    fresh: dict[_Identity, Taken] = {}
    scattered: list[DeadLetter] = []
    for one in taken:
        lane, seq = lanes[one.key], one.envelope.seq
        identity = (*one.key, seq)
        if seq <= lane.floor or identity in fresh:
            continue
        if lane.numbers.would_scatter(seq):
            scattered.append(_refused(one, "scattered", "more gaps than are kept of a lane"))
            lane.heard, lane.refused = lane.heard - 1, lane.refused + 1
            continue
        lane.numbers.add(seq, seq)
        lane.fresh += 1
        fresh[identity] = one
        lane.given_up += lost_for_ever(one.envelope)
    for lane in lanes.values():
        for first, last in lane.given_up:
            if not lane.numbers.would_scatter(first):
                lane.numbers.add(first, last)
    return fresh, scattered


def _facts(taken: Iterable[Taken], now_us: int) -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    now = utc(now_us)
    for one in taken:
        site, epoch, lane = one.key
        seq = one.envelope.seq
        for number, (record, body) in enumerate(zip(one.envelope.records, one.bodies, strict=True)):
            kind = record["k"]
            table = table_of(kind)
            when = utc(filed_us(record.get("t"), table, now_us))
            rows[table].append((site, epoch, lane, seq, number, kind, when, now, body))
    return rows


def _places(taken: Iterable[Taken]) -> dict[str, tuple[float, float]]:
    told = ((one.envelope.site, record) for one in taken for record in one.envelope.records)
    return {
        site: at for site, record in told if record["k"] in ("base", "birth") and (at := place_of(record))
    }


def _columns(lanes: dict[LaneKey, _Lane], now_us: int) -> list[Any]:
    rows = [
        (
            *key,
            lane.numbers.high,
            lane.numbers.multirange(),
            heard_us(lane.newest, now_us) if lane.newest else 0,
            lane.newest.clock_bound_s if lane.newest else None,
            lane.newest.version if lane.newest else None,
            lane.fresh,
            lane.heard - lane.fresh,
            lane.refused,
        )
        for key, lane in sorted(lanes.items(), key=lambda item: item[0])
    ]
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(11)]
    return [*columns[:10], utc(now_us), columns[10]]


def _district(prefix: str) -> str:
    return prefix.split("/")[2] if prefix.count("/") == 3 else ""


def _refused(one: Taken, reason: str, why: str) -> DeadLetter:
    envelope = one.envelope
    identity = envelope.epoch, envelope.lane, envelope.seq
    text = " ".join(one.bodies).encode()
    topic = f"{one.prefix}/up/{envelope.lane}"
    return DeadLetter(topic, reason, why[:200], text[:4096], len(text), one.prefix, identity)
