"""When an acknowledgement is said, and when a batch is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.district.acknowledge import DRAINING, REPEAT_S, TURN_S, Draining, Repeats, with_these
from rsu_agent.district.numbers import Numbers
from rsu_agent.district.receiver import BATCH, MOST_WAITING, Receiver
from rsu_agent.district.sink import Batch, Committed
from rsu_agent.district.store import SqliteSink
from rsu_agent.ports.envelope import Ack, pack_envelope
from tests.district.made import Heard, batch, envelope, prefix

pytestmark = pytest.mark.anyio
KEY = "site-1", 7, "lo"
TOPIC = f"{prefix()}/up/lo"


def test_news_is_said_at_once_and_a_repetition_a_second_later() -> None:
    repeats = Repeats()
    assert repeats.say(KEY, "a", Ack(7, "lo", 1), 0.0)
    assert repeats.say(KEY, "a", Ack(7, "lo", 2), 0.01), "it says something new"
    assert not repeats.say(KEY, "a", Ack(7, "lo", 2), 0.02)
    assert not repeats.say(KEY, "a", Ack(7, "lo", 2), 0.03)
    assert list(repeats.due(0.5)) == []
    assert list(repeats.due(0.01 + REPEAT_S)) == [("a", Ack(7, "lo", 2))]
    assert list(repeats.due(9.0)) == [], "it is owed once"


def test_another_window_alone_is_no_news() -> None:
    repeats = Repeats()
    assert repeats.say(KEY, "a", Ack(7, "lo", 1, window=256), 0.0)
    assert not repeats.say(KEY, "a", Ack(7, "lo", 1, window=20), 0.1)


async def test_a_district_that_returns_together_shares_what_may_be_under_way(tmp_path: Path) -> None:
    receiver, heard = Receiver(SqliteSink(tmp_path / "d.sqlite")), Heard()

    async def returns(poles: int, name: str) -> int:
        for n in range(poles):
            for seq in range(1, DRAINING + 1):
                one = envelope(seq, site=f"{name}-{n}")
                await receiver.hear(f"{prefix(one.site)}/up/lo", pack_envelope(one))
        await receiver.store(heard, receiver._next())
        return heard.acks[-1][1].window

    assert await returns(1, "pole") == 256
    assert 4_000 // 51 <= await returns(50, "mast") <= 4_000 // 50
    assert await returns(400, "site") == 20, "never less than a lane begins with"


def test_who_says_a_word_now_and_then_has_no_backlog() -> None:
    draining = Draining()
    for n in range(10_000):
        draining.heard(("site", n, "lo"), 0.0)
    assert draining.lanes == 1
    for n in range(DRAINING * 3):
        draining.heard(("site", n % 3, "lo"), 0.1)
    assert draining.lanes == 3
    draining.heard(KEY, 0.2 + TURN_S)
    assert draining.lanes == 3, "those of the turn before may go on"
    draining.heard(KEY, 0.3 + 2 * TURN_S)
    assert draining.lanes == 1


async def test_a_lane_with_many_holes_still_hears_of_what_it_has_just_sent(tmp_path: Path) -> None:
    receiver, heard = Receiver(SqliteSink(tmp_path / "d.sqlite")), Heard()
    await receiver.store(heard, batch(*(envelope(2 * n) for n in range(1, 200))))
    await receiver.store(heard, batch(envelope(900), envelope(901), envelope(77)))
    assert (900, 901) in heard.acks[-1][1].ranges
    assert (2, 2) in heard.acks[-1][1].ranges, "and of the lowest, as far as there is room"
    assert any(low <= 77 <= high for low, high in heard.acks[-1][1].ranges)


@given(st.sets(st.integers(1, 300)), st.sets(st.integers(1, 300)))
def test_what_is_added_to_an_acknowledgement_is_true_and_the_newest_is_in_it(
    stored: set[int], sent: set[int]
) -> None:
    stored |= sent
    numbers = Numbers()
    for number in stored:
        numbers.add(number, number)
    ack = with_these(Ack(7, "lo", numbers.contiguous, tuple(numbers.ranges(32))), sent)
    said = [n for low, high in ack.ranges for n in range(low, high + 1)]
    assert set(said) <= stored
    assert len(said) == len(set(said))
    assert len(ack.ranges) <= 64
    assert not sent or max(sent) <= ack.contiguous or max(sent) in said


def test_what_is_owed_is_settled_by_news() -> None:
    repeats = Repeats()
    repeats.say(KEY, "a", Ack(7, "lo", 1), 0.0)
    repeats.say(KEY, "a", Ack(7, "lo", 1), 0.1)
    repeats.say(KEY, "a", Ack(7, "lo", 2), 0.2)
    assert list(repeats.due(5.0)) == []


def test_one_lane_does_not_keep_another_from_being_told() -> None:
    repeats = Repeats()
    assert repeats.say(KEY, "a", Ack(7, "lo", 1), 0.0)
    assert repeats.say(("site-2", 7, "lo"), "b", Ack(7, "lo", 1), 0.0)


class Slow:
    """A sink whose commits the test lets through, one by one."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.gate = anyio.Semaphore(0)

    async def take(self, batch: Batch, now_us: int) -> Committed:
        self.batches.append(batch)
        await self.gate.acquire()
        return Committed({one.key: Ack(one.key[1], one.key[2], one.envelope.seq) for one in batch.taken}, 1)

    async def sweep(self, now_us: int) -> int:
        return 0

    async def aclose(self) -> None: ...


async def hear(receiver: Receiver, first: int, count: int) -> None:
    for seq in range(first, first + count):
        await receiver.hear(TOPIC, pack_envelope(envelope(seq)))


async def test_a_lane_that_drains_a_backlog_does_not_wait_for_the_batch_to_fill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rsu_agent.district.receiver.BATCH_S", 3600.0)
    sink, heard = Slow(), Heard()
    receiver = Receiver(sink)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receiver._commit, heard)
        await hear(receiver, 1, DRAINING - 1)
        await anyio.wait_all_tasks_blocked()
        assert sink.batches == []
        await hear(receiver, DRAINING, 1)
        await anyio.wait_all_tasks_blocked()
        assert [len(batch) for batch in sink.batches] == [DRAINING]
        await hear(receiver, DRAINING + 1, 200)  # what comes meanwhile is one batch
        sink.gate.release()
        await anyio.wait_all_tasks_blocked()
        assert [len(batch) for batch in sink.batches] == [DRAINING, 200]
        tasks.cancel_scope.cancel()
    assert [ack.contiguous for _, ack in heard.acks] == [DRAINING]


async def test_a_batch_has_a_greatest_size_and_the_rest_follows() -> None:
    sink = Slow()
    receiver = Receiver(sink)
    await hear(receiver, 1, BATCH + 5)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(receiver._commit, Heard())
        for _ in range(2):
            await anyio.wait_all_tasks_blocked()
            sink.gate.release()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert [len(batch) for batch in sink.batches] == [BATCH, 5]


async def test_a_database_far_behind_stops_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsu_agent.district.receiver.MOST_WAITING", 50)
    assert MOST_WAITING > BATCH
    sink = Slow()
    receiver = Receiver(sink)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hear, receiver, 1, 80)
        await anyio.wait_all_tasks_blocked()
        assert receiver.waiting == 50
        sink.gate.release()
        tasks.start_soon(receiver._commit, Heard())
        await anyio.wait_all_tasks_blocked()
        assert [len(batch) for batch in sink.batches] == [50, 30]
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("point", ["receive", "store", "reply"])
async def test_a_chaos_point_is_passed_where_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    passed: list[str] = []
    heard, store = Heard(), SqliteSink(tmp_path / "d.sqlite")

    def note(name: str) -> None:
        acked = len(heard.acks)
        passed.append(f"{name} {store.ack(KEY).contiguous} {acked}")

    monkeypatch.setattr("rsu_agent.district.receiver.chaos_point", note)
    receiver: Any = Receiver(store)
    await hear(receiver, 1, 1)
    await receiver.store(heard, receiver._next())
    seen = {"receive": "receive 0 0", "store": "store 1 0", "reply": "reply 1 1"}
    assert seen[point] in passed
