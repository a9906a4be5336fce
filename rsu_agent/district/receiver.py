"""The receiver: decode, store, commit, and only then acknowledge. Hostile input costs a dead letter."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from typing import Protocol

import anyio

from rsu_agent.district.acknowledge import DRAINING, REPEAT_S, Draining, Repeats, with_these
from rsu_agent.district.decode import read, read_state
from rsu_agent.district.facts import KNOWN_KINDS
from rsu_agent.district.sink import Batch, DeadLetter, LaneKey, Sink, Taken
from rsu_agent.ports.chaos_point import chaos_point
from rsu_agent.ports.envelope import Ack, pack_ack
from rsu_agent.ports.mqtt import Session

log = logging.getLogger(__name__)
BATCH = 2_000
BATCH_S = 0.1
WINDOW, LEAST_WINDOW = 256, 20  # envelopes that a lane may have under way
SHARED_OUT = 4_000  # that all lanes with a backlog may have: so that news is a second behind them at most
MOST_WAITING = 20_000  # then nothing is taken from the connection until the database has caught up
MOST_DEAD = 100  # dead letters kept of one batch; the others are counted and answered
TOPIC = "rsu/1/+/+/up/#"
STATE_TOPIC = "rsu/1/+/+/state"


class Publisher(Protocol):
    """What acknowledgements are sent with."""

    def say(self, topic: str, payload: bytes) -> None: ...


class Receiver:
    """One worker over one sink."""

    def __init__(self, sink: Sink, *, window: int = WINDOW) -> None:
        self._sink, self._window = sink, window
        self.counters: Counter[str] = Counter()
        self._waiting = Batch()
        self._of_lane: Counter[LaneKey] = Counter()
        self._repeats, self._draining = Repeats(), Draining()
        self._wake, self._full, self._room = anyio.Event(), anyio.Event(), anyio.Event()

    @property
    def waiting(self) -> int:
        """Messages heard and not yet committed."""
        return len(self._waiting)

    async def run(self, session: Session, topics: tuple[str, ...] = (TOPIC, STATE_TOPIC)) -> None:
        """Until the connection ends (DeviceLost)."""
        self.forget()
        for topic in topics:
            await session.subscribe(topic, 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._commit, session)
            tasks.start_soon(self.repeat, session)
            async for topic, payload in session.messages():
                await self.hear(topic, payload)

    async def hear(self, topic: str, payload: bytes) -> None:
        """One message; waits where the database is far behind."""
        chaos_point("receive")
        if topic.endswith("/state"):
            state = read_state(topic, payload)
            if state is None:
                self.counters["rejected_strange_topic"] += 1
                return
            self._waiting.states.append(state)
        else:
            self._take(read(topic, payload))
        self._wake.set()
        if len(self._waiting) >= MOST_WAITING:
            self._room = anyio.Event()
            await self._room.wait()

    def _take(self, one: Taken | DeadLetter) -> None:
        if isinstance(one, DeadLetter):
            self.counters[f"rejected_{one.reason}"] += 1
            log.info("refused from %s: %s", one.topic, one.detail or one.reason)
            self._waiting.dead.append(one)
            return
        self._waiting.taken.append(one)
        self.counters["unknown_version"] += one.raw is not None
        self.counters["unknown_kind"] += sum(r["k"] not in KNOWN_KINDS for r in one.envelope.records)
        self._of_lane[one.key] += 1
        self._draining.heard(one.key, time.monotonic())
        if self._of_lane[one.key] >= DRAINING or len(self._waiting) >= BATCH:
            self._full.set()

    def forget(self) -> None:
        """A new connection: what was heard over the last one will be sent again."""
        self._waiting, self._of_lane = Batch(), Counter()
        self._wake, self._full = anyio.Event(), anyio.Event()

    async def _commit(self, publisher: Publisher) -> None:
        """Batches: wait a little so that one transaction serves many, commit, acknowledge."""
        while True:
            await self._wake.wait()
            with anyio.move_on_after(BATCH_S):
                await self._full.wait()
            await self.store(publisher, self._next())
            self._room.set()

    def _next(self) -> Batch:
        """All that waits, up to a batch."""
        batch, self._of_lane = self._waiting, Counter()
        self._wake, self._full = anyio.Event(), anyio.Event()
        self._waiting = Batch(batch.taken[BATCH:], batch.dead[BATCH:], batch.states[BATCH:])
        if len(self._waiting):
            self._wake.set()
            self._full.set()
        return Batch(batch.taken[:BATCH], batch.dead[:BATCH], batch.states[:BATCH])

    async def store(self, publisher: Publisher, batch: Batch) -> None:
        """Commit a batch, then say so."""
        answers = batch.dead
        self.counters["dead_uncounted"] += len(batch.dead[MOST_DEAD:])
        named = [letter for letter in batch.dead if letter.identity is not None]
        kept = named + [letter for letter in batch.dead if letter.identity is None][:MOST_DEAD]
        committed = await self._sink.take(Batch(batch.taken, kept, batch.states), time.time_ns() // 1000)
        chaos_point("store")
        window = max(LEAST_WINDOW, min(self._window, SHARED_OUT // self._draining.lanes))
        self.counters["envelopes"] += len(batch.taken)
        self.counters["duplicates"] += len(batch.taken) - committed.fresh
        prefixes = {(d.site, *d.identity[:2]): d.prefix for d in batch.dead if d.identity and d.prefix}
        prefixes |= {one.key: one.prefix for one in batch.taken}
        for letter in (*answers, *committed.refused):
            if letter.identity is not None and letter.prefix is not None:
                epoch, lane, seq = letter.identity
                refusal = Ack(epoch, lane, 0, rejected=((seq, letter.reason),), window=window)
                publisher.say(f"{letter.prefix}/ack", pack_ack(refusal))
        gone = {(letter.site, *letter.identity) for letter in committed.refused if letter.identity}
        numbers: dict[LaneKey, list[int]] = defaultdict(list)
        for one in batch.taken:
            if (*one.key, one.envelope.seq) not in gone:
                numbers[one.key].append(one.envelope.seq)
        for key, ack in committed.acks.items():
            ack = with_these(ack, numbers[key])
            ack = Ack(ack.epoch, ack.lane, ack.contiguous, ack.ranges, window=window)
            if self._repeats.say(key, prefixes[key] or "", ack, time.monotonic()):
                publisher.say(f"{prefixes[key]}/ack", pack_ack(ack))
                chaos_point("reply")

    async def flush(self, publisher: Publisher) -> None:
        """Commit and acknowledge all that was heard."""
        while len(self._waiting):
            await self.store(publisher, self._next())

    async def repeat(self, publisher: Publisher) -> None:
        """For ever: acknowledgements that were said too early to be said again at once."""
        while True:
            await anyio.sleep(REPEAT_S / 4)
            for prefix, ack in self._repeats.due(time.monotonic()):
                publisher.say(f"{prefix}/ack", pack_ack(ack))
