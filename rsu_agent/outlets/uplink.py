"""Draining the outbox to the district: high lane first, resent until acknowledged, deleted on its word."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import anyio
import anyio.lowlevel

from rsu_agent.outlets.flight import Flight
from rsu_agent.outlets.outbox import Outbox
from rsu_agent.outlets.uplink_beside import Beside
from rsu_agent.ports.chaos_point import chaos_point
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.envelope import LANES, Ack, BadEnvelope, unpack_ack
from rsu_agent.ports.trouble import DeviceLost

log = logging.getLogger(__name__)
WINDOW = 20  # envelopes that the receiver has not answered, until it grants another number
MOST_WINDOW = 256  # ... and never more: what a lost connection sends twice, and what the process holds
LO_SHARE = 0.7  # of the window that the low lane may fill
BURST = 4  # the low lane waits until this part of the window is free: one commit of the receiver serves many
READ_AHEAD = 64
RESEND_S = 5.0
UNHEARD_S = 25.0  # published and not answered for so long is an alarm: it must be seen within 30 s
LOOK_S = 0.05  # how often the outbox is looked at when nothing else happens
FIRST_BACK_OFF_S, LONGEST_BACK_OFF_S = 1.0, 60.0


class Transport(Protocol):
    """What a connection gives (ports.mqtt.Session). `refused`: why the broker does not take what was sent."""

    refused: str | None

    def send(self, topic: str, payload: bytes) -> None: ...

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None: ...

    async def subscribe(self, topic: str, qos: int) -> None: ...

    def messages(self) -> Any: ...


class Uplink:
    """One site's way up. `open_transport` makes a fresh connection at every attempt.

    reason: `ok`; connected but `unheard` (no receiver answers) or `refused` (the broker takes nothing from
    us); or why there is no connection.
    """

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
        unheard_s: float = UNHEARD_S,
        software: str = "",
        beside: Sequence[Beside] = (),
    ) -> None:
        self._beside, self._software = beside, software
        self._outbox, self._open, self._prefix, self._site = outbox, open_transport, prefix, site
        self._clock, self._resend_s, self._first_back_off_s = clock, resend_s, first_back_off_s
        self._unheard_s = unheard_s
        self._back_off_s = first_back_off_s
        self._flights = {lane: Flight() for lane in LANES}
        self._window = WINDOW
        self._wake = anyio.Event()
        self._heard_s = 0.0
        self._unanswered_s: float | None = None
        self.connected = False
        self.counters: Counter[str] = Counter()
        self.rtt_s: float | None = None
        self.reason = "starting"

    async def run(self) -> None:
        """For ever: connect, drain, back off with full jitter."""
        while True:
            try:
                async with self._open() as transport:
                    await transport.subscribe(f"{self._prefix}/ack", 0)
                    await self._open_to_those_beside(transport)
                    await transport.publish(f"{self._prefix}/state", self._state(), qos=1, retain=True)
                    self._begin()
                    await self._serve(transport)
            except DeviceLost as lost:
                self._down(lost)
            except BaseExceptionGroup as group:
                lost_ones, rest = group.split(DeviceLost)
                if rest is not None or lost_ones is None:
                    raise
                self._down(lost_ones.exceptions[0])
            await self._clock.sleep(random.uniform(0.0, self._back_off_s))
            self._back_off_s = min(LONGEST_BACK_OFF_S, self._back_off_s * 2)

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

    def _state(self) -> bytes:
        """For people: what runs here, and which files it sends from."""
        epochs = {lane: str(self._outbox.epoch(lane)) for lane in LANES}
        software = {"sw": self._software} if self._software else {}
        return json.dumps({"on": 1, **software, "ep": epochs}, separators=(",", ":")).encode()

    def _begin(self) -> None:
        self.connected, self.reason = True, "ok"
        self._flights = {lane: Flight() for lane in LANES}
        self._window, self._unanswered_s, self._heard_s = WINDOW, None, self._clock.now_s()

    def _down(self, lost: BaseException) -> None:
        self.connected = False
        self.reason = getattr(lost, "reason", "closed")
        self.counters["lost"] += 1
        self._outbox.listened_to(False)
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
                self._wake = anyio.Event()
                sent = [self._send(transport, lane) for lane in LANES]
                self._judge(transport)
                if any(sent):
                    await anyio.lowlevel.checkpoint()
                    continue
                with self._clock.move_on_after(LOOK_S):
                    await self._wake.wait()

    def _send(self, transport: Transport, lane: str) -> bool:
        """Send what the window allows; True when anything was sent."""
        flight, now_s = self._flights[lane], self._clock.now_s()
        self._mend(flight, lane, now_s)
        room = self._window - sum(map(len, self._flights.values()))
        if lane == "lo":
            room = min(room, max(1, int(self._window * LO_SHARE)) - len(flight))
            if flight and room < self._window // BURST:
                return False
        if room <= 0:
            return False
        if not flight.ready and self._outbox.last(lane) > flight.high:
            flight.read(self._outbox.envelopes(lane, flight.high, READ_AHEAD, self._site))
        count = min(room, len(flight.ready))
        for _ in range(count):
            seq, payload = flight.ready.popleft()
            flight.sent(seq, now_s)
            if self._unanswered_s is None:
                self._unanswered_s = now_s
            transport.send(f"{self._prefix}/up/{lane}", payload)
            chaos_point("publish")
        self.counters["sent"] += count
        return count > 0

    def _mend(self, flight: Flight, lane: str, now_s: float) -> None:
        """Send again what nobody answers, and what was answered but stands in the outbox still."""
        limit_s = max(self._resend_s, 3 * (self.rtt_s or 0.0))
        if flight.late(now_s, limit_s):
            self.counters["resent"] += flight.again()
        elif not flight and not flight.ready and now_s - self._heard_s > limit_s:
            self._heard_s = now_s
            if self._outbox.queued(lane):
                flight.from_the_beginning()

    def _judge(self, transport: Transport) -> None:
        """Publishing that succeeds proves nothing: aiomqtt hides a refusal, a broker may have no receiver."""
        reason = "ok"
        if self._unanswered_s is not None:
            if transport.refused:
                reason = "refused"
            elif self._clock.now_s() - self._unanswered_s > self._unheard_s:
                reason = "unheard"
        if reason not in ("ok", self.reason):
            self.counters[reason] += 1
            self._outbox.listened_to(False)
            log.warning("uplink: connected, but %s %s", reason, transport.refused or "")
        self.reason = reason

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
            chaos_point("ack")
            self._answered(ack)
            self._wake.set()

    def _answered(self, ack: Ack) -> None:
        self._window = max(1, min(MOST_WINDOW, ack.window))
        self._back_off_s = self._first_back_off_s  # this connection is good for something
        self._heard_s = self._clock.now_s()
        self._unanswered_s = None
        self._outbox.acknowledge_soon(ack)
        self._outbox.listened_to(True)
        ranges = [*ack.ranges, *((seq, seq) for seq, _ in ack.rejected)]
        took_s = self._flights[ack.lane].landed(ack.contiguous, ranges, self._heard_s)
        self.rtt_s = self.rtt_s if took_s is None else took_s
