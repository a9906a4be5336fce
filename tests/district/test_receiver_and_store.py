"""The receiver over SQLite: stored once, acknowledged only after the commit, whatever comes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rsu_agent.district.broker import free_port, loopback_broker
from rsu_agent.district.read import duplicate_facts, stored_envelopes, stored_records
from rsu_agent.district.receiver import Receiver
from rsu_agent.district.sink import Batch
from rsu_agent.district.store import MOST_RANGES, SqliteSink
from rsu_agent.ports.envelope import LARGEST, Ack, Envelope, pack_envelope, unpack_ack
from rsu_agent.ports.mqtt import Broker, connect
from tests.district.made import Heard, batch, dead, envelope, prefix, taken

pytestmark = pytest.mark.anyio
TOPIC = f"{prefix()}/up/lo"
KEY = "site-1", 7, "lo"


class Looking(Heard):
    """Also keeps what the database held at the instant of each acknowledgement."""

    def __init__(self, database: Path) -> None:
        super().__init__()
        self._database = database
        self.committed: list[set[int]] = []

    def say(self, topic: str, payload: bytes) -> None:
        super().say(topic, payload)
        ack = unpack_ack(payload)
        self.committed.append(stored_envelopes(self._database).get((ack.epoch, ack.lane), set()))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "district.sqlite"


async def test_what_is_acknowledged_is_already_committed_for_other_eyes(database: Path) -> None:
    heard, receiver = Looking(database), Receiver(SqliteSink(database))
    await receiver.store(heard, batch(*map(envelope, (1, 2, 5))))
    [(topic, ack)] = heard.acks
    assert topic == f"{prefix()}/ack"
    assert (ack.contiguous, ack.ranges) == (2, ((5, 5),))
    assert heard.committed == [{1, 2, 5}]


async def test_a_commit_that_fails_acknowledges_nothing_and_keeps_nothing(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, store = Heard(), SqliteSink(database)

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "_advance", full)
    with pytest.raises(sqlite3.OperationalError):
        await Receiver(store).store(heard, batch(envelope(1)))
    assert heard.acks == []
    assert stored_envelopes(database) == {}
    monkeypatch.undo()
    await Receiver(store).store(heard, batch(envelope(1)))
    assert heard.acks[0][1].contiguous == 1


async def test_a_duplicate_is_stored_once_and_counted(database: Path) -> None:
    receiver = Receiver(SqliteSink(database))
    for _ in range(3):
        await receiver.store(Heard(), batch(envelope(1), envelope(1)))
    assert [record["n"] for record in stored_records(database, "phase")] == [1]
    assert duplicate_facts(database) == 0
    assert (receiver.counters["envelopes"], receiver.counters["duplicates"]) == (6, 5)
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT duplicates FROM lane").fetchone() == (5,)


async def test_the_numbers_of_two_epochs_lanes_and_sites_are_kept_apart(database: Path) -> None:
    heard, receiver = Heard(), Receiver(SqliteSink(database))
    others = [envelope(1), envelope(1, epoch=8), envelope(1, lane="hi"), envelope(2, epoch=8)]
    await receiver.store(heard, batch(*others, envelope(1, site="site-2")))
    told = {(topic, ack.epoch, ack.lane): ack.contiguous for topic, ack in heard.acks}
    assert told == {
        (f"{prefix()}/ack", 7, "lo"): 1,
        (f"{prefix()}/ack", 8, "lo"): 2,
        (f"{prefix()}/ack", 7, "hi"): 1,
        (f"{prefix('site-2')}/ack", 7, "lo"): 1,
    }


async def test_a_restart_in_the_middle_goes_on_where_the_commit_stood(database: Path) -> None:
    heard, first = Heard(), SqliteSink(database)
    await Receiver(first).store(heard, batch(envelope(1), envelope(3)))
    first.close()
    again = SqliteSink(database)
    assert again.ack(KEY) == Ack(7, "lo", 1, ((3, 3),))
    await Receiver(again).store(heard, batch(*map(envelope, (1, 2, 3, 4))))
    assert heard.acks[-1][1].contiguous == 4
    assert [record["n"] for record in stored_records(database, "phase")] == [1, 2, 3, 4]


async def test_a_gap_that_the_agent_owns_up_to_is_kept_and_no_longer_waited_for(database: Path) -> None:
    heard, receiver = Heard(), Receiver(SqliteSink(database))
    gap = {"k": "gap", "l": "lo", "from": 2, "to": 9, "n": 8}
    await receiver.store(heard, batch(envelope(1), envelope(10, gap)))
    assert stored_records(database, "gap") == [gap]
    assert heard.acks[-1][1] == Ack(7, "lo", 10, (), window=heard.acks[-1][1].window)
    assert stored_envelopes(database) == {(7, "lo"): {1, 10}}, "declared is not stored"


async def test_a_refusal_is_answered_by_number_kept_and_blocks_nobody(database: Path) -> None:
    heard, receiver = Heard(), Receiver(SqliteSink(database))
    strange = Envelope("site-1", 7, "lo", 2, 5, ({"no kind": 1},))
    letter = dead(TOPIC, pack_envelope(strange))
    for _ in range(2):
        await receiver.store(heard, Batch([taken(envelope(1)), taken(envelope(3))], [letter]))
    assert heard.acks[0][1].rejected == ((2, "invalid"),)
    assert heard.acks[1][1].contiguous == 3
    with sqlite3.connect(database) as db:
        [(reason, seq, kept)] = db.execute("SELECT reason, seq, bytes FROM dead_letter").fetchall()
        assert (reason, seq, kept) == ("invalid", 2, pack_envelope(strange))


async def test_of_a_flood_of_garbage_a_little_is_kept(database: Path) -> None:
    receiver = Receiver(SqliteSink(database))
    letters = [dead(TOPIC, bytes([193, n % 256])) for n in range(5000)]
    await receiver.store(Heard(), Batch([taken(envelope(1))], letters))
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT count(*) FROM dead_letter").fetchone() == (100,)
    assert receiver.counters["dead_uncounted"] == 4900


async def test_a_version_of_tomorrow_is_kept_raw_counted_and_acknowledged(database: Path) -> None:
    heard, receiver = Heard(), Receiver(SqliteSink(database))
    tomorrow = pack_envelope(envelope(1, version=2))
    await receiver.hear(TOPIC, tomorrow)
    await receiver.store(heard, receiver._next())
    assert heard.acks[0][1].contiguous == 1
    assert receiver.counters["unknown_version"] == 1
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT version, bytes FROM raw_envelope").fetchone() == (2, tomorrow)


async def test_a_kind_of_tomorrow_is_kept_as_it_came_and_counted(database: Path) -> None:
    receiver = Receiver(SqliteSink(database))
    await receiver.hear(TOPIC, pack_envelope(envelope(1, {"k": "tomorrow", "x": [1, {"y": None}]})))
    await receiver.store(Heard(), receiver._next())
    assert stored_records(database, "tomorrow") == [{"k": "tomorrow", "x": [1, {"y": None}]}]
    assert receiver.counters["unknown_kind"] == 1


@given(
    payload=st.binary(max_size=300) | st.just(b"\x28\xb5\x2f\xfd" + bytes(40)) | st.just(bytes(LARGEST + 1))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_garbage_costs_one_dead_letter_and_the_next_envelope_is_stored(
    tmp_path_factory: pytest.TempPathFactory, payload: bytes
) -> None:
    store = SqliteSink(tmp_path_factory.mktemp("garbage") / "district.sqlite")
    heard, receiver = Heard(), Receiver(store)

    async def go() -> None:
        await receiver.hear(TOPIC, payload)
        await receiver.hear(TOPIC, pack_envelope(envelope(1)))
        await receiver.store(heard, receiver._next())

    try:
        anyio.run(go)
    finally:
        store.close()
    assert heard.acks[-1][1].contiguous == 1
    assert receiver.counters["envelopes"] == 1
    assert sum(count for name, count in receiver.counters.items() if name.startswith("rejected")) == 1


@given(arrivals=st.lists(st.integers(1, 40), min_size=1, max_size=80), size=st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_an_acknowledgement_says_exactly_what_has_come_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, arrivals: list[int], size: int
) -> None:
    database = tmp_path_factory.mktemp("order") / "district.sqlite"
    store = SqliteSink(database)
    for start in range(0, len(arrivals), size):
        store.commit((envelope(seq) for seq in arrivals[start : start + size]), 1)
    ack = store.ack(KEY)
    store.close()
    said = set(range(1, ack.contiguous + 1)) | {n for low, high in ack.ranges for n in range(low, high + 1)}
    assert said == set(arrivals)
    assert ack.contiguous + 1 not in arrivals
    assert stored_envelopes(database) == {(7, "lo"): set(arrivals)}


async def test_more_gaps_than_an_acknowledgement_holds_leaves_the_highest_unsaid(database: Path) -> None:
    store = SqliteSink(database)
    store.commit((envelope(2 * n) for n in range(1, MOST_RANGES + 20)), 1)
    assert store.ack(KEY).ranges == tuple((2 * n, 2 * n) for n in range(1, MOST_RANGES + 1))


async def test_a_lane_with_a_hole_for_ever_is_still_acknowledged_range_by_range(database: Path) -> None:
    store = SqliteSink(database)
    store.commit((envelope(seq) for seq in range(2, 5002)), 1)
    [(low, high)] = store.ack(KEY).ranges
    assert low == 2
    assert high > 1000


async def test_a_file_of_the_first_version_is_taken_over(database: Path) -> None:
    with sqlite3.connect(database) as db:
        db.executescript(
            "CREATE TABLE envelope (site TEXT, epoch INTEGER, lane TEXT, seq INTEGER, utc_us INTEGER, "
            "stored_us INTEGER, PRIMARY KEY (site, epoch, lane, seq)) WITHOUT ROWID;"
            "CREATE TABLE lane (site TEXT, epoch INTEGER, lane TEXT, contiguous INTEGER NOT NULL, duplicates "
            "INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (site, epoch, lane)) WITHOUT ROWID;"
            "INSERT INTO envelope VALUES ('site-1', 7, 'lo', 1, 5, 5);"
            "INSERT INTO lane VALUES ('site-1', 7, 'lo', 1, 0);"
        )
    store = SqliteSink(database)
    store.commit([envelope(1), envelope(2)], 1)
    assert store.ack(KEY).contiguous == 2
    assert [record["n"] for record in stored_records(database, "phase")] == [2]


async def test_a_file_of_a_later_version_is_refused(database: Path) -> None:
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(SystemExit, match="99"):
        SqliteSink(database)


async def test_what_is_older_than_its_kind_is_kept_is_swept(database: Path) -> None:
    store = SqliteSink(database)
    day_us = 86_400_000_000
    old = [envelope(n, {"k": kind, "t": day_us}) for n, kind in ((1, "phase"), (2, "event"))]
    store.commit(old, day_us)
    assert await store.sweep(102 * day_us) == 1
    assert stored_records(database, "phase") == []
    assert len(stored_records(database, "event")) == 1


async def test_through_a_real_broker_garbage_does_not_stop_what_follows(database: Path) -> None:
    store, port = SqliteSink(database), free_port()
    receiver = Receiver(store)
    heard: list[Ack] = []
    async with loopback_broker(port), anyio.create_task_group() as tasks:
        district = await stay_connected(tasks, receiver, port)
        async with connect(Broker("127.0.0.1", port, "site-1", version=3)) as site:
            await site.subscribe(f"{prefix()}/ack", 0)
            await site.publish(TOPIC, b"\xc1 nonsense", qos=1)
            for seq in (1, 1, 2):
                one = envelope(seq, {"k": "hazard", "word": "行人"})
                await site.publish(TOPIC, pack_envelope(one), qos=1)
            with anyio.fail_after(60):
                async for _, payload in site.messages():
                    heard.append(unpack_ack(payload))
                    if heard[-1].contiguous == 2:
                        break
        district.cancel()
    assert receiver.counters["rejected_unreadable"] == 1
    assert [record["word"] for record in stored_records(database, "hazard")] == ["行人", "行人"]


async def stay_connected(tasks: Any, receiver: Receiver, port: int) -> anyio.CancelScope:
    """The receiver over a connection of its own; back once it has subscribed."""
    scope, subscribed = anyio.CancelScope(), anyio.Event()

    async def run() -> None:
        with scope:
            async with connect(Broker("127.0.0.1", port, "district-1", version=3)) as session:
                subscribe = session.subscribe

                async def telling(topic: str, qos: int) -> None:
                    await subscribe(topic, qos)
                    if topic.endswith("state"):
                        subscribed.set()

                session.subscribe = telling  # type: ignore[method-assign]
                await receiver.run(session)

    tasks.start_soon(run)
    with anyio.fail_after(60):
        await subscribed.wait()
    return scope
