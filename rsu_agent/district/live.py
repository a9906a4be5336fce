"""What a crossing says of this moment, for whoever looks at it: heard only meanwhile, and never stored."""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import msgpack

from rsu_agent.district.facts import as_json
from rsu_agent.ports.mqtt import Broker, Session, connect
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
STREAMS = ("spat", "objs", "event")
LARGEST = 64 << 10  # bytes of a message
LONGEST_US = 10_000_000  # that a message may claim to hold; ours hold 2.5 s at most
RETRY_S, QUIET_S = 1.0, 10.0  # a word after so long without one keeps the connection of who looks
WILD = frozenset("+#/\0")


class Listener:
    """Who looks at one site: the newest of each stream that was not sent yet."""

    def __init__(self) -> None:
        self.newest: dict[str, str] = {}
        self.wake = anyio.Event()


class LiveFeed:
    """One connection for all who look. counters: messages, and what of them was none."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._listeners: dict[str, set[Listener]] = defaultdict(set)
        self._changed = anyio.Event()
        self.counters: Counter[str] = Counter()

    async def run(self) -> None:
        """For ever; connected only while somebody looks."""
        while True:
            while not self._listeners:
                await self._changed.wait()
                self._changed = anyio.Event()
            try:
                async with connect(self._broker) as session, anyio.create_task_group() as tasks:
                    tasks.start_soon(self._follow, session, tasks.cancel_scope)
                    async for topic, payload in session.messages():
                        self.hear(topic, payload, time.time_ns() // 1000)
            except* DeviceLost as lost:
                log.info("live data: %s", lost.exceptions[0])
                await anyio.sleep(RETRY_S)

    async def events(self, site: str) -> AsyncIterator[str]:
        """Server-sent events of a site's streams, from now on."""
        with self._listening(site) as listener:
            yield "retry: 2000\n\n"
            while True:
                with anyio.move_on_after(QUIET_S):
                    await listener.wake.wait()
                listener.wake = anyio.Event()
                newest, listener.newest = listener.newest, {}
                for stream, body in newest.items():
                    yield f"event: {stream}\ndata: {body}\n\n"
                if not newest:
                    yield ": nothing\n\n"

    def hear(self, topic: str, payload: bytes, now_us: int) -> None:
        """One message: given on where it is one and still holds."""
        parts = topic.split("/")
        if len(parts) != 6 or parts[5] not in STREAMS or parts[3] not in self._listeners:
            return
        told = _read(payload)
        if told is None:
            self.counters["live_strange"] += 1
            return
        left_us = min(told["u"] - now_us, LONGEST_US)
        if left_us <= 0:
            self.counters["live_stale"] += 1
            return
        try:
            body = as_json({**told, "left_ms": left_us // 1000})
        except (ValueError, TypeError, RecursionError):
            self.counters["live_strange"] += 1
            return
        self.counters["live_messages"] += 1
        for listener in self._listeners[parts[3]]:
            listener.newest[parts[5]] = body
            listener.wake.set()

    @contextmanager
    def _listening(self, site: str) -> Any:
        listener = Listener()
        self._listeners[site].add(listener)
        self._changed.set()
        try:
            yield listener
        finally:
            self._listeners[site].discard(listener)
            if not self._listeners[site]:
                del self._listeners[site]
            self._changed.set()

    async def _follow(self, session: Session, scope: anyio.CancelScope) -> None:
        """Hear the topics of those sites that somebody looks at; nobody looks: the connection ends."""
        held: set[str] = set()
        while True:
            self._changed = anyio.Event()
            wanted = set(self._listeners)
            for site in wanted - held:
                await session.subscribe(f"rsu/1/+/{site}/live/#", 0)
            for site in held - wanted:
                with suppress(DeviceLost):
                    await session.unsubscribe(f"rsu/1/+/{site}/live/#")
            held = wanted
            if not held:
                scope.cancel()
                return
            await self._changed.wait()


def can_be_heard(site: str) -> bool:
    """Whether a name is one level of a topic and no pattern."""
    return 0 < len(site) <= 64 and not WILD & set(site)


def _read(payload: bytes) -> dict[str, Any] | None:
    """A live message's map; None for anything else."""
    if len(payload) > LARGEST:
        return None
    try:
        told = msgpack.unpackb(payload, strict_map_key=True)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException):
        return None
    times = [told.get("t"), told.get("u")] if isinstance(told, dict) else [None]
    return told if all(isinstance(each, int) and 0 <= each < 1 << 62 for each in times) else None
