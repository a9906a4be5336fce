"""The district: stored once, acknowledged only after the commit, whatever comes and whenever it dies."""

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
from rsu_agent.district.store import MOST_RANGES, Store
from rsu_agent.ports.envelope import LARGEST, Ack, Envelope, pack_envelope, unpack_ack
from rsu_agent.ports.mqtt import Broker, connect

pytestmark = pytest.mark.anyio
PREFIX = "rsu/1/pingshan/site-1"
KEY = "site-1", 7, "hi"


def envelope(seq: int, *, epoch: int = 7, lane: str = "hi", site: str = "site-1", **extra: Any) -> Envelope:
    record = {"k": "hazard", "t": 1_700_000_000_000_000 + seq, "n": seq} | extra
    return Envelope(site, epoch, lane, seq, 1_700_000_000_000_000, (record,))


class Heard:
    """A publisher that keeps what it was given, and what the database held at that instant."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.acks: list[tuple[str, Ack, set[int]]] = []

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        ack = unpack_ack(payload)
        committed = stored_envelopes(self._database).get((ack.epoch, ack.lane), set())
        self.acks.append((topic, ack, committed))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "district.sqlite"


async def test_what_is_acknowledged_is_already_committed_for_other_eyes(database: Path) -> None:
    heard, receiver = Heard(database), Receiver(Store(database))
    await receiver.store(heard, [(PREFIX, envelope(seq)) for seq in (1, 2, 5)])
    [(topic, ack, committed)] = heard.acks
    assert topic == f"{PREFIX}/ack"
    assert (ack.contiguous, ack.ranges) == (2, ((5, 5),))
    assert committed == {1, 2, 5}


async def test_a_commit_that_fails_acknowledges_nothing_and_keeps_nothing(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, store = Heard(database), Store(database)

    def full(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(store, "_advance", full)
    with pytest.raises(sqlite3.OperationalError):
        await Receiver(store).store(heard, [(PREFIX, envelope(1))])
    assert heard.acks == []
    assert stored_envelopes(database) == {}
    monkeypatch.undo()
    await Receiver(store).store(heard, [(PREFIX, envelope(1))])
    assert heard.acks[0][1].contiguous == 1


async def test_a_duplicate_is_acknowledged_again_and_stored_once(database: Path) -> None:
    heard, receiver = Heard(database), Receiver(Store(database))
    for _ in range(3):
        await receiver.store(heard, [(PREFIX, envelope(1)), (PREFIX, envelope(1))])
    assert [ack.contiguous for _, ack, _ in heard.acks] == [1, 1, 1]
    assert [record["n"] for record in stored_records(database, "hazard")] == [1]
    assert duplicate_facts(database) == 0
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT duplicates FROM lane").fetchone() == (5,)


async def test_the_numbers_of_two_epochs_lanes_and_sites_are_kept_apart(database: Path) -> None:
    heard, receiver = Heard(database), Receiver(Store(database))
    others = [envelope(1), envelope(1, epoch=8), envelope(1, lane="lo"), envelope(2, epoch=8)]
    batch = [(PREFIX, other) for other in others] + [("rsu/1/pingshan/site-2", envelope(1, site="site-2"))]
    await receiver.store(heard, batch)
    told = {(topic, ack.epoch, ack.lane): ack.contiguous for topic, ack, _ in heard.acks}
    assert told == {
        (f"{PREFIX}/ack", 7, "hi"): 1,
        (f"{PREFIX}/ack", 8, "hi"): 2,
        (f"{PREFIX}/ack", 7, "lo"): 1,
        ("rsu/1/pingshan/site-2/ack", 7, "hi"): 1,
    }


async def test_a_restart_in_the_middle_goes_on_where_the_commit_stood(database: Path) -> None:
    heard, first = Heard(database), Store(database)
    await Receiver(first).store(heard, [(PREFIX, envelope(seq)) for seq in (1, 3)])
    first.close()
    again = Store(database)
    assert again.ack(KEY) == Ack(7, "hi", 1, ((3, 3),))
    await Receiver(again).store(heard, [(PREFIX, envelope(seq)) for seq in (1, 2, 3, 4)])
    assert heard.acks[-1][1].contiguous == 4
    assert [record["n"] for record in stored_records(database, "hazard")] == [1, 2, 3, 4]


async def test_a_gap_that_the_agent_owns_up_to_is_kept_as_a_record(database: Path) -> None:
    gap = Envelope("site-1", 7, "hi", 1, 5, ({"k": "gap", "l": "lo", "from": 4, "to": 9, "n": 6},))
    await Receiver(Store(database)).store(Heard(database), [(PREFIX, gap)])
    assert stored_records(database, "gap") == [{"k": "gap", "l": "lo", "from": 4, "to": 9, "n": 6}]


async def test_an_envelope_that_can_be_named_is_refused_by_its_name(database: Path) -> None:
    heard, receiver = Heard(database), Receiver(Store(database))
    strange = Envelope("site-1", 7, "hi", 3, 5, ({"no kind": 1},))
    await receiver.hear(heard, f"{PREFIX}/up/hi", pack_envelope(strange))
    [(topic, ack, _)] = heard.acks
    assert (topic, ack.rejected) == (f"{PREFIX}/ack", ((3, "invalid"),))
    assert receiver.counters == {"rejected_invalid": 1}


@pytest.mark.parametrize("topic", [f"{PREFIX}/up/lo", "rsu/1/pingshan/site-2/up/hi"])
async def test_an_envelope_under_another_name_than_its_own_is_not_stored(database: Path, topic: str) -> None:
    receiver = Receiver(Store(database))
    await receiver.hear(Heard(database), topic, pack_envelope(envelope(1)))
    assert receiver.counters == {"rejected_misdirected": 1}
    assert not receiver._waiting


@given(
    payload=st.binary(max_size=300) | st.just(b"\x28\xb5\x2f\xfd" + bytes(40)) | st.just(bytes(LARGEST + 1))
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_any_garbage_costs_one_counter_and_no_memory(tmp_path: Path, payload: bytes) -> None:
    database = tmp_path / "garbage.sqlite"
    store = Store(database)
    try:
        receiver = Receiver(store)
        anyio.run(receiver.hear, Heard(database), f"{PREFIX}/up/hi", payload)
    finally:
        store.close()
    assert receiver.counters.total() == 1
    assert not receiver._waiting


@pytest.mark.parametrize("topic", ["rsu/1/pingshan/site-1/up", "", "a/b/c/d/e/f/g", "/" * 4000])
async def test_a_topic_of_another_shape_is_counted(database: Path, topic: str) -> None:
    receiver = Receiver(Store(database))
    await receiver.hear(Heard(database), topic, pack_envelope(envelope(1)))
    assert receiver.counters == {"strange_topics": 1}


@given(arrivals=st.lists(st.integers(1, 40), min_size=1, max_size=80), size=st.integers(1, 9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_an_acknowledgement_says_exactly_what_has_come_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, arrivals: list[int], size: int
) -> None:
    database = tmp_path_factory.mktemp("order") / "district.sqlite"
    store = Store(database)
    for start in range(0, len(arrivals), size):
        store.commit((envelope(seq) for seq in arrivals[start : start + size]), 1)
    ack = store.ack(KEY)
    store.close()
    said = set(range(1, ack.contiguous + 1)) | {n for low, high in ack.ranges for n in range(low, high + 1)}
    assert said == set(arrivals)
    assert ack.contiguous + 1 not in arrivals
    assert stored_envelopes(database) == {(7, "hi"): set(arrivals)}


async def test_more_gaps_than_an_acknowledgement_holds_leaves_the_highest_unsaid(database: Path) -> None:
    store = Store(database)
    store.commit((envelope(2 * n) for n in range(1, MOST_RANGES + 20)), 1)
    ack = store.ack(KEY)
    assert ack.ranges == tuple((2 * n, 2 * n) for n in range(1, MOST_RANGES + 1))


async def test_a_lane_with_a_hole_for_ever_is_still_acknowledged_range_by_range(database: Path) -> None:
    store = Store(database)
    store.commit((envelope(seq) for seq in range(2, 5002)), 1)
    [(low, high)] = store.ack(KEY).ranges
    assert low == 2
    assert high > 1000


async def test_through_a_real_broker_garbage_does_not_stop_what_follows(database: Path) -> None:
    store, port = Store(database), free_port()
    receiver = Receiver(store)
    heard: list[Ack] = []
    async with loopback_broker(port), anyio.create_task_group() as tasks:
        district = await stay_connected(tasks, receiver, port)
        async with connect(Broker("127.0.0.1", port, "site-1", version=3)) as site:
            await site.subscribe(f"{PREFIX}/ack", 0)
            await site.publish(f"{PREFIX}/up/hi", b"\xc1 nonsense", qos=1)
            for seq in (1, 1, 2):
                await site.publish(f"{PREFIX}/up/hi", pack_envelope(envelope(seq, word="行人")), qos=1)
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
                    subscribed.set()

                session.subscribe = telling  # type: ignore[method-assign]
                await receiver.run(session)

    tasks.start_soon(run)
    with anyio.fail_after(60):
        await subscribed.wait()
    return scope
