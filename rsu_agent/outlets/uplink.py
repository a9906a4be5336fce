"""Draining the outbox to the district: high lane first, resent until acknowledged, deleted on its word."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio

from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink_beside import Beside
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.envelope import LANES, BadEnvelope, Envelope, pack_envelope, unpack_ack
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
WINDOW = 20
LO_SHARE = 0.7  # of the window that the low lane may fill
RESEND_S = 5.0
LOOK_S = 0.05  # how often the outbox is looked at when nothing else happens
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 1.0, 60.0


class Transport(Protocol):
    """What a connection gives (ports.mqtt.Session)."""

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None: ...

    async def subscribe(self, topic: str, qos: int) -> None: ...

    def messages(self) -> Any: ...


@dataclass(slots=True)
class _Flight:
    """Rows of one lane that are under way."""

    sent_s: dict[int, float] = field(default_factory=dict)
    high: int = 0


class Uplink:
    """One site's way up. `open_transport` makes a fresh connection at every attempt."""

    def __init__(
        self,
        outbox: Outbox,
        open_transport: Callable[[], AbstractAsyncContextManager[Transport]],
        prefix: str,
        site: str,
        clock: Clock,
        *,
        resend_s: float = RESEND_S,
        first_back_off_s: float = FIRST_BACK_OFF_S,
        beside: Sequence[Beside] = (),
    ) -> None:
        self._beside = beside
        self._outbox, self._open, self._prefix, self._site = outbox, open_transport, prefix, site
        self._clock, self._resend_s, self._first_back_off_s = clock, resend_s, first_back_off_s
        self._flights = {lane: _Flight() for lane in LANES}
        self._window = WINDOW
        self.connected = False
        self.counters: Counter[str] = Counter()
        self.rtt_s: float | None = None
        self.reason = "starting"

    async def run(self) -> None:
        """For ever: connect, drain, back off with full jitter."""
        back_off_s = self._first_back_off_s
        while True:
            try:
                async with self._open() as transport:
                    await transport.subscribe(f"{self._prefix}/ack", 0)
                    await self._open_to_those_beside(transport)
                    await transport.publish(f"{self._prefix}/state", b'{"on":1}', qos=1, retain=True)
                    self.connected, self.reason, back_off_s = True, "ok", self._first_back_off_s
                    self._flights = {lane: _Flight() for lane in LANES}
                    await self._serve(transport)
            except DeviceLost as lost:
                self._down(lost)
            except BaseExceptionGroup as group:
                lost_ones, rest = group.split(DeviceLost)
                if rest is not None or lost_ones is None:
                    raise
                self._down(lost_ones.exceptions[0])
            await self._clock.sleep(random.uniform(0.0, back_off_s))
            back_off_s = min(LONGEST_BACK_OFF_S, back_off_s * 2)

    def status(self) -> dict[str, Any]:
        """For people and metrics."""
        numbers = self._outbox.numbers()
        return {
            "connected": self.connected,
            "reason": self.reason,
            "backlog": sum(lane["queued"] for lane in numbers.values()),
            "acked": sum(lane["acknowledged"] for lane in numbers.values()),
            "produced": sum(lane["produced"] for lane in numbers.values()),
            "dropped": sum(lane["dropped"] for lane in numbers.values()),
            "sent": self.counters["sent"],
            "resent": self.counters["resent"],
            "rtt_s": self.rtt_s,
        }

    def _down(self, lost: BaseException) -> None:
        self.connected = False
        self.reason = getattr(lost, "reason", "closed")
        self.counters["lost"] += 1
        log.info("uplink down: %s", lost)

    async def _open_to_those_beside(self, transport: Transport) -> None:
        """Hear their topics; one that the broker forbids costs that topic only."""
        for each in self._beside:
            for topic in each.subscriptions:
                try:
                    await transport.subscribe(topic, 1)
                except DeviceLost as lost:
                    if lost.reason != "refused":
                        raise
                    each.refused(topic)

    async def _serve(self, transport: Transport) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear, transport)
            for each in self._beside:
                tasks.start_soon(each.run, transport)
            while True:
                sent = [await self._send(transport, lane) for lane in LANES]
                if not any(sent):
                    await self._clock.sleep(LOOK_S)

    async def _send(self, transport: Transport, lane: str) -> bool:
        """Send what the window allows; True when anything was sent."""
        flight, now_s = self._flights[lane], self._clock.now_s()
        if flight.sent_s and now_s - min(flight.sent_s.values()) > max(
            self._resend_s, 3 * (self.rtt_s or 0.0)
        ):
            self.counters["resent"] += len(flight.sent_s)
            flight.sent_s.clear()
            flight.high = 0
        room = self._window - sum(len(f.sent_s) for f in self._flights.values())
        if lane == "lo":
            room = min(room, int(self._window * LO_SHARE) - len(flight.sent_s))
        rows = self._outbox.after(lane, flight.high, room) if room > 0 else []
        for seq, records in rows:
            stamp = round(self._clock.utc_s() * 1e6)
            envelope = Envelope(self._site, self._outbox.epoch(lane), lane, seq, stamp, tuple(records))
            flight.sent_s[seq] = self._clock.now_s()
            flight.high = max(flight.high, seq)
            await transport.publish(f"{self._prefix}/up/{lane}", pack_envelope(envelope), qos=1)
            self.counters["sent"] += 1
        return bool(rows)

    async def _hear(self, transport: Transport) -> None:
        async for topic, payload in transport.messages():
            if not topic.endswith("/ack"):
                for each in self._beside:
                    if topic in each.subscriptions:
                        each.hear(topic, payload)
                continue
            try:
                ack = unpack_ack(payload)
            except BadEnvelope:
                self.counters["bad_acks"] += 1
                continue
            if ack.lane not in LANES or ack.epoch != self._outbox.epoch(ack.lane):
                self.counters["strange_acks"] += 1
                continue
            self._window = max(1, min(WINDOW, ack.window))
            self._outbox.acknowledge(ack)
            self._landed(ack.lane, ack.contiguous, [*ack.ranges, *((q, q) for q, _ in ack.rejected)])

    def _landed(self, lane: str, contiguous: int, ranges: list[tuple[int, int]]) -> None:
        flight, now_s = self._flights[lane], self._clock.now_s()
        for seq in list(flight.sent_s):
            if seq <= contiguous or any(low <= seq <= high for low, high in ranges):
                self.rtt_s = now_s - flight.sent_s.pop(seq)
