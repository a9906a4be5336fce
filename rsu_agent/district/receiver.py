"""The receiver: decode, store, commit, and only then acknowledge. Hostile input costs a counter."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Protocol

import anyio

from rsu_agent.district.store import Store
from rsu_agent.ports.envelope import Ack, BadEnvelope, Envelope, pack_ack, unpack_envelope
from rsu_agent.ports.mqtt import Session

log = logging.getLogger(__name__)
BATCH = 500
BATCH_S = 0.05
TOPIC = "rsu/1/+/+/up/#"
TOPIC_PARTS = 6


class Publisher(Protocol):
    """What acknowledgements are sent with."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None: ...


class Receiver:
    """One worker over one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.counters: Counter[str] = Counter()
        self._waiting: list[tuple[str, Envelope]] = []
        self._wake = anyio.Event()

    async def run(self, session: Session) -> None:
        """Until the connection ends (DeviceLost)."""
        await session.subscribe(TOPIC, 1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._commit, session)
            async for topic, payload in session.messages():
                await self.hear(session, topic, payload)

    async def hear(self, publisher: Publisher, topic: str, payload: bytes) -> None:
        """One message."""
        parts = topic.split("/")
        if len(parts) != TOPIC_PARTS:
            self.counters["strange_topics"] += 1
            return
        prefix = "/".join(parts[:4])
        try:
            envelope = unpack_envelope(payload)
            if envelope.site != parts[3] or envelope.lane != parts[5]:
                raise BadEnvelope("misdirected", "topic and envelope disagree")
        except BadEnvelope as bad:
            self.counters[f"rejected_{bad.code}"] += 1
            log.info("rejected from %s: %s", topic, bad)
            if bad.identity is not None:
                epoch, lane, seq = bad.identity
                refusal = Ack(epoch, lane, 0, rejected=((seq, bad.code),))
                await publisher.publish(f"{prefix}/ack", pack_ack(refusal), qos=0)
            return
        self._waiting.append((prefix, envelope))
        self._wake.set()

    async def _commit(self, publisher: Publisher) -> None:
        """Batches: wait a little so that one transaction serves many, commit, acknowledge."""
        while True:
            await self._wake.wait()
            await anyio.sleep(BATCH_S)
            self._wake = anyio.Event()
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self.store(publisher, batch)

    async def store(self, publisher: Publisher, batch: list[tuple[str, Envelope]]) -> None:
        """Commit a batch, then say so."""
        prefixes = {(e.site, e.epoch, e.lane): prefix for prefix, e in batch}
        touched = self._store.commit((e for _, e in batch), time.time_ns() // 1000)
        self.counters["envelopes"] += len(batch)
        for key in touched:
            ack: Ack = self._store.ack(key)
            await publisher.publish(f"{prefixes[key]}/ack", pack_ack(ack), qos=0)
