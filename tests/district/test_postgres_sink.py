"""The real PostgreSQL: one transaction a batch, the key is the authority, nobody blocks another."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import asyncpg
import pytest

from hil.postgres import INITDB, MISSING, cluster
from rsu_agent.district.facts import DAY_US, KEEP_DAYS, utc
from rsu_agent.district.migrate import migrate, migrations
from rsu_agent.district.partitions import stored_days
from rsu_agent.district.postgres_notes import forget
from rsu_agent.district.postgres_sink import PostgresSink
from rsu_agent.district.receiver import Receiver
from rsu_agent.district.sink import Batch
from rsu_agent.ports.envelope import Ack, pack_envelope
from tests.district.made import NOW_US, Heard, batch, dead, envelope, prefix, taken

pytestmark = pytest.mark.anyio
KEY = "site-1", 7, "lo"


@pytest.fixture
async def db(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    yield connection
    await connection.close()


@pytest.fixture
async def sink(database: str) -> AsyncIterator[PostgresSink]:
    made = PostgresSink(database)
    await made.open()
    yield made
    await made.aclose()


async def numbers(db: asyncpg.Connection, site: str = "site-1") -> list[int]:
    return [row["seq"] for row in await db.fetch("SELECT seq FROM envelope WHERE site=$1 ORDER BY 1", site)]


async def test_facts_and_identity_are_there_when_it_is_acknowledged(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    told = await sink.take(batch(envelope(1), envelope(2), envelope(5)), NOW_US)
    assert told.acks == {KEY: Ack(7, "lo", 2, ((5, 5),))}
    assert await numbers(db) == [1, 2, 5]
    assert await db.fetchval("SELECT count(*) FROM phase") == 3
    row = await db.fetchrow("SELECT hw, gaps::text, envelopes, duplicates FROM site_lane")
    assert tuple(row) == (5, "{[3,5)}", 3, 0)


async def test_every_kind_is_filed_in_its_table_by_its_day(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    kinds = ("event", "flow", "phase", "health", "audit", "still", "hb", "tomorrow")
    records = [{"k": kind, "t": NOW_US - 3 * DAY_US, "x": [1, {"y": None}]} for kind in kinds]
    await sink.take(batch(envelope(1, *records)), NOW_US)
    counted = {table: await db.fetchval(f"SELECT count(*) FROM {table}") for table in KEEP_DAYS}
    assert counted == {"event": 1, "flow": 1, "phase": 1, "health": 1, "audit": 2, "other": 2}
    day = f"{utc(NOW_US - 3 * DAY_US):%Y%m%d}"
    assert await db.fetchval(f"SELECT count(*) FROM flow_{day}") == 1
    assert await db.fetchval("SELECT body->'x'->1->'y' FROM other WHERE kind = 'tomorrow'") == "null"


@pytest.mark.parametrize("told", [None, 0, -(1 << 63), (1 << 63) - 1, 2.5, "now", NOW_US + 5 * DAY_US, True])
async def test_a_record_whose_time_is_none_is_filed_under_its_arrival(
    sink: PostgresSink, db: asyncpg.Connection, told: object
) -> None:
    await sink.take(batch(envelope(1, {"k": "flow", "t": told})), NOW_US)
    assert await db.fetchval("SELECT t FROM flow") == utc(NOW_US)


async def test_a_duplicate_in_the_batch_and_in_a_later_one_is_stored_once(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    await sink.take(batch(envelope(1), envelope(1)), NOW_US)
    told = await sink.take(batch(envelope(1), envelope(2)), NOW_US)
    assert (told.fresh, told.acks[KEY].contiguous) == (1, 2)
    assert await db.fetchval("SELECT count(*) FROM phase") == 2
    assert await db.fetchval("SELECT duplicates FROM site_lane") == 2


async def test_the_key_is_the_authority_even_where_the_lane_says_otherwise(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    await sink.take(batch(envelope(1)), NOW_US)
    await db.execute("UPDATE site_lane SET hw = 0, gaps = '{}'")
    told = await sink.take(batch(envelope(1), envelope(2)), NOW_US)
    assert (told.fresh, told.acks[KEY].contiguous) == (1, 2)
    assert await db.fetchval("SELECT count(*) FROM phase") == 2


async def test_two_workers_in_each_others_way_store_everything_once(
    database: str, db: asyncpg.Connection
) -> None:
    dice = random.Random(3)
    everything = [envelope(seq, site=f"site-{n}") for n in range(5) for seq in range(1, 101)]

    async def work(seed: int) -> None:
        sink, mine = PostgresSink(database), everything[:]
        random.Random(seed).shuffle(mine)
        for start in range(0, len(mine), 37):
            await sink.take(batch(*mine[start : start + 37]), NOW_US)
        await sink.aclose()

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(work, dice.randrange(1 << 30))
    assert await db.fetchval("SELECT count(*) FROM envelope") == 500
    assert await db.fetchval("SELECT count(*) FROM phase") == 500
    lanes = await db.fetch("SELECT hw, gaps::text, envelopes, duplicates FROM site_lane")
    assert [tuple(row) for row in lanes] == [(100, "{}", 100, 200)] * 5


async def test_what_the_database_will_not_have_is_refused_alone(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    """The decoder lets nothing of this kind through; this is what holds when it does."""
    good = [taken(envelope(seq)) for seq in range(1, 8)]
    bad = taken(envelope(8))
    object.__setattr__(bad, "bodies", ('{"k": NaN}',))
    told = await sink.take(Batch([*good[:3], bad, *good[3:]]), NOW_US)
    assert await numbers(db) == [1, 2, 3, 4, 5, 6, 7]
    assert [(letter.reason, letter.identity) for letter in told.refused] == [("unstorable", (7, "lo", 8))]
    assert told.acks[KEY].contiguous == 8, "a refused number is no longer waited for"
    assert await db.fetchval("SELECT reason FROM dead_letter") == "unstorable"


async def test_a_refusal_is_kept_once_with_its_bytes_and_its_number_is_passed(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    payload = pack_envelope(envelope(2, {"k": "hb", "v": float("nan")}))
    letter = dead(f"{prefix()}/up/lo", payload)
    for _ in range(2):
        told = await sink.take(Batch([taken(envelope(1)), taken(envelope(3))], [letter]), NOW_US)
    assert told.acks[KEY].contiguous == 3
    [row] = await db.fetch("SELECT site, reason, seq, bytes FROM dead_letter")
    assert tuple(row) == ("site-1", "invalid", 2, payload)


async def test_what_was_declared_lost_is_no_longer_waited_for(sink: PostgresSink) -> None:
    gap = {"k": "gap", "t": NOW_US, "l": "lo", "from": 2, "to": 9, "n": 8}
    told = await sink.take(batch(envelope(1), envelope(10, gap)), NOW_US)
    assert told.acks[KEY] == Ack(7, "lo", 10)


async def test_a_version_of_tomorrow_is_kept_raw(sink: PostgresSink, db: asyncpg.Connection) -> None:
    tomorrow = envelope(1, version=2)
    told = await sink.take(batch(tomorrow), NOW_US)
    assert told.acks[KEY].contiguous == 1
    row = await db.fetchrow("SELECT version, bytes FROM raw_envelope")
    assert tuple(row) == (2, pack_envelope(tomorrow))
    assert (await sink.take(batch(tomorrow), NOW_US)).fresh == 0


async def test_a_birth_tells_where_the_site_is(sink: PostgresSink, db: asyncpg.Connection) -> None:
    receiver = Receiver(sink)
    await receiver.hear(f"{prefix()}/state", b'{"on":1,"lat":22.7,"lon":114.3,"sw":"2.1"}')
    await receiver.hear(f"{prefix('site-2')}/state", b"\xff nonsense")
    await receiver.store(Heard(), receiver._next())
    rows = await db.fetch("SELECT site, district, lat, lon, state->>'sw' FROM site ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        ("site-1", "pingshan", 22.7, 114.3, "2.1"),
        ("site-2", "pingshan", None, None, None),
    ]


async def test_migrations_are_applied_once_by_however_many(database: str, db: asyncpg.Connection) -> None:
    others = [await asyncpg.connect(database) for _ in range(4)]
    async with anyio.create_task_group() as tasks:
        for other in others:
            tasks.start_soon(migrate, other)
    assert await migrate(db) == max(migrations())
    applied = [row["version"] for row in await db.fetch("SELECT version FROM schema_version ORDER BY 1")]
    assert applied == sorted(migrations())
    for other in others:
        await other.close()


async def test_a_database_of_a_later_version_is_refused(sink: PostgresSink, db: asyncpg.Connection) -> None:
    await db.execute("INSERT INTO schema_version (version, name) VALUES (999, 'of tomorrow')")
    with pytest.raises(SystemExit, match="999"):
        await migrate(db)


async def test_old_partitions_are_dropped_and_new_ones_stand_ahead(
    sink: PostgresSink, db: asyncpg.Connection
) -> None:
    await sink.take(
        batch(*(envelope(n, {"k": "phase", "t": NOW_US - n * DAY_US}) for n in range(1, 6))), NOW_US
    )
    await db.execute("UPDATE keep SET days = 2 WHERE fact = 'phase'")
    assert await sink.sweep(NOW_US) == 3
    assert await db.fetchval("SELECT count(*) FROM phase") == 2
    today = utc(NOW_US).date()
    ahead = {day for table, day in await stored_days(db) if table == "phase" and day > today}
    assert ahead >= {today + timedelta(days=1), today + timedelta(days=2)}
    await sink.take(batch(envelope(9, {"k": "phase", "t": NOW_US - 4 * DAY_US})), NOW_US)
    assert await db.fetchval("SELECT count(*) FROM phase") == 3, "a day that comes again has a place again"


async def test_identities_swept_away_are_still_duplicates(sink: PostgresSink, db: asyncpg.Connection) -> None:
    await sink.take(batch(*map(envelope, (1, 2, 3, 5))), NOW_US)
    assert await forget(db, utc(NOW_US) + timedelta(seconds=1)) == 3, "what lies above a gap stays"
    told = await sink.take(batch(*map(envelope, (2, 3, 4, 5, 6))), NOW_US)
    assert (told.fresh, told.acks[KEY].contiguous) == (2, 6)
    assert await db.fetchval("SELECT count(*) FROM phase") == 6


async def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_is_lost(
    sink: PostgresSink, db: asyncpg.Connection, database: str
) -> None:
    receiver, heard = Receiver(sink), Heard()
    await receiver.store(heard, batch(envelope(1)))
    name = await db.fetchval("SELECT current_database()")
    other = await asyncpg.connect(database.replace(f"/{name}?", "/postgres?"))
    await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    await other.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname=$1 AND pid <> pg_backend_pid()",
        name,
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receiver.store, heard, batch(envelope(2)))
        with anyio.move_on_after(1.5):
            await anyio.sleep_forever()
        assert [ack.contiguous for _, ack in heard.acks] == [1]
        await other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    await other.close()
    assert [ack.contiguous for _, ack in heard.acks] == [1, 2]


async def test_a_server_that_crashes_again_and_again_loses_nothing_that_was_acknowledged() -> None:
    if INITDB is None:
        pytest.skip(MISSING)
    with cluster() as address:
        sink, heard = PostgresSink(address), Heard()
        await sink.open()
        receiver = Receiver(sink)
        for start in range(0, 200, 10):
            if start % 50 == 20:
                assert sink._db is not None
                os.kill(sink._db.get_server_pid(), signal.SIGKILL)  # the postmaster then restarts all of it
            await receiver.store(heard, batch(*map(envelope, range(start + 1, start + 11))))
        await sink.aclose()
        db = await asyncpg.connect(address)
        assert await numbers(db) == list(range(1, 201))
        assert await db.fetchval("SELECT count(*) FROM phase") == 200
        await db.close()
    assert heard.acks[-1][1].contiguous == 200


async def test_a_lane_is_scattered_no_further_than_is_kept_and_others_suffer_nothing(
    sink: PostgresSink, db: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rsu_agent.district.numbers.MOST_GAPS", 20)
    hostile = [envelope(3 * n) for n in range(1, 31)]
    told = await sink.take(batch(*hostile, envelope(1, site="site-2")), NOW_US)
    assert [(letter.reason, letter.identity) for letter in told.refused] == [
        ("scattered", (7, "lo", 3 * n)) for n in range(21, 31)
    ]
    assert await numbers(db) == [3 * n for n in range(1, 21)]
    assert await numbers(db, "site-2") == [1]
    assert await db.fetchval("SELECT count(*) FROM dead_letter WHERE reason = 'scattered'") == 10
    told = await sink.take(batch(*(envelope(n) for n in range(1, 62))), NOW_US)
    assert told.refused == [], "numbers that fill gaps, or follow, are always taken"
    assert told.acks[KEY].contiguous == 61
