"""The distributed mode: fronts hand what poles send to a cluster, backs store their shard and answer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import anyio

from rsu_agent.district.mend import keep_current
from rsu_agent.district.receiver import Receiver
from rsu_agent.district.streams import COPIES, Servers, answered, open_streams, unpack_message
from rsu_agent.ports.chaos_point import chaos_point
from rsu_agent.ports.mqtt import Session


class Front:
    """Hears the poles. It reads nothing of what it passes on, and acknowledges nothing."""

    def __init__(self, servers: Servers, shards: int) -> None:
        self._servers, self._shards = servers, shards
        self.counters: Counter[str] = Counter()

    async def run(self, session: Session, topics: tuple[str, ...]) -> None:
        """Until broker or cluster is lost (DeviceLost)."""
        async with open_streams(self._servers, self._shards, self.counters) as streams:
            await streams.prepare(copies(self._servers))
            for topic in topics:
                await session.subscribe(topic, 1)
            async for topic, payload in session.messages():
                chaos_point("receive")
                await streams.put(topic, payload)


class Back:
    """Stores one shard: pulls, commits, acknowledges to the pole, and then lets the stream forget."""

    def __init__(self, receiver: Receiver, servers: Servers, shards: int, shard: int) -> None:
        self._receiver, self._servers, self._shards, self._shard = receiver, servers, shards, shard
        self.counters = receiver.counters

    async def run(self, session: Session, _topics: tuple[str, ...]) -> None:
        """Until broker or cluster is lost (DeviceLost)."""
        self._receiver.forget()
        async with open_streams(self._servers, self._shards, self.counters) as streams:
            await streams.prepare(copies(self._servers))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._receiver.repeat, session)
                tasks.start_soon(keep_current, streams, self._shard, copies(self._servers))
                async for messages in streams.pulls(self._shard):
                    await self._store(session, messages)

    async def _store(self, session: Session, messages: Any) -> None:
        for message in messages:
            told = unpack_message(message.data)
            if told is None:
                self.counters["strange_in_stream"] += 1
                continue
            self.counters["redelivered"] += message.metadata.num_delivered > 1
            await self._receiver.hear(*told)
        await self._receiver.flush(session)
        await answered(messages)
        self.counters["waiting_in_stream"] = messages[-1].metadata.num_pending if messages else 0


def copies(servers: Servers) -> int:
    """Of every stream: three where there are three servers, one where somebody tries it out with one."""
    return COPIES if len(servers.addresses) >= COPIES else 1
