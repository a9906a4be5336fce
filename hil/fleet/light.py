"""Light poles: rows in memory and a connection for many, so that ten thousand fit one process.

What the broker and the receiver see is the same protocol: topics, envelopes, windows, sending again.
"""

from __future__ import annotations

import heapq
import random
import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio

from hil.fleet.line import Line
from hil.fleet.plan import DISTRICT, Plan, site_of
from hil.fleet.records import Crossing, flow
from hil.fleet.tally import Key, Tally
from rsu_agent.outlets.uplink import LO_SHARE, RESEND_S, WINDOW
from rsu_agent.ports.envelope import LANES, Ack, BadEnvelope, Envelope, pack_envelope, unpack_ack
from rsu_agent.ports.mqtt import Broker, Session
from rsu_agent.ports.trouble import DeviceLost

POLES_A_LINE = 250
STARTS_PER_S = 1000  # poles that are switched on: each has a word for its start
WINDOW_S = 5.0  # the low lane's, as the product has it
LOOK_S = 0.02
BACK_OFF_S = 1.0
DAY_US = 86_400_000_000


@dataclass(slots=True)
class Row:
    """One envelope that is not answered. timed: not of the backlog."""

    seq: int
    utc_us: int
    records: Sequence[dict[str, Any]]
    timed: bool
    sent_s: float | None = None


@dataclass(slots=True)
class Rows:
    """One lane of one pole: what waits, what is under way, the last number given.

    stock: rows of the backlog, numbers 1 to this; all are of the same records and made when they are sent.
    """

    epoch: int
    stock: int = 0
    of_stock: Sequence[dict[str, Any]] = ()
    stock_us: int = 0
    last: int = 0
    sent_stock: int = 0
    waiting: deque[Row] = field(default_factory=deque)
    flying: dict[int, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.last = self.stock

    def __len__(self) -> int:
        """Rows that wait."""
        return len(self.waiting) + self.stock - self.sent_stock

    def give(self, records: Sequence[dict[str, Any]], now_us: int) -> None:
        """The next number."""
        self.last += 1
        self.waiting.append(Row(self.last, now_us, records, True))

    def take(self, now_s: float) -> Row:
        """The lowest number that waits is under way from now on."""
        following = self.sent_stock + 1
        if following > self.stock or (self.waiting and self.waiting[0].seq < following):
            row = self.waiting.popleft()
        else:
            self.sent_stock = following
            row = Row(following, self.stock_us, self.of_stock, False)
        row.sent_s = now_s
        self.flying[row.seq] = row
        return row

    def again(self, before_s: float) -> int:
        """What was sent earlier than that goes once more, from the lowest on; how many."""
        if not any(row.sent_s is not None and row.sent_s < before_s for row in self.flying.values()):
            return 0
        count = len(self.flying)
        self.waiting.extendleft(self.flying[seq] for seq in sorted(self.flying, reverse=True))
        self.flying.clear()
        return count

    def answered(self, ack: Ack) -> None:
        """Gone is what the district has."""
        ranges = [*ack.ranges, *((seq, seq) for seq, _ in ack.rejected)]
        for seq in list(self.flying):
            if seq <= ack.contiguous or any(first <= seq <= last for first, last in ranges):
                del self.flying[seq]


class LightPole:
    """What one pole has to send, and when its window of the low lane closes next."""

    def __init__(self, plan: Plan, number: int, begins_us: int) -> None:
        self.number, self.site, self.window = number, site_of(number), WINDOW
        self.version, tomorrow = plan.version_of(number)
        self.crossing = Crossing(plan.seed, number, begins_us, plan.pace, tomorrow=tomorrow)
        self._held: list[dict[str, Any]] = []
        self._window_us = int(WINDOW_S / plan.pace * 1e6)
        dice = random.Random(plan.seed + number)
        self._closes_us = begins_us + dice.randrange(self._window_us)
        day = [flow(dice, lane, begins_us - DAY_US) for lane in range(3)]
        stock = plan.backlog, day, begins_us - DAY_US
        self.lanes = {"hi": Rows(secrets.randbits(62) + 1), "lo": Rows(secrets.randbits(62) + 1, *stock)}

    @property
    def next_us(self) -> int:
        """When to look at it again."""
        return min(self.crossing.next_us, self._closes_us)

    def produce(self, now_us: int) -> None:
        """The high lane at once, the low lane when its window closes."""
        for record, lane in self.crossing.due(now_us):
            if lane == "hi":
                self.lanes["hi"].give([record], now_us)
            else:
                self._held.append(record)
        if now_us >= self._closes_us:
            self._closes_us = now_us + self._window_us
            self.seal(now_us)

    def seal(self, now_us: int) -> None:
        """Let nothing wait for company."""
        if self._held:
            self.lanes["lo"].give(self._held, now_us)
            self._held = []

    def send(self, session: Session, prefix: str, tally: Tally, now_s: float) -> None:
        """What the window allows, high lane first. Raises DeviceLost."""
        flying = sum(len(rows.flying) for rows in self.lanes.values())
        for lane, rows in self.lanes.items():
            most = self.window - flying
            if lane == "lo":
                most = min(most, max(1, int(self.window * LO_SHARE)) - len(rows.flying))
            for _ in range(min(most, len(rows))):
                row = rows.take(now_s)
                flying += 1
                if row.timed:
                    tally.sent((self.number, lane), row.seq, row.utc_us, [r["t"] for r in row.records])
                session.send(f"{prefix}{self.site}/up/{lane}", self._packed(lane, rows.epoch, row))

    def _packed(self, lane: str, epoch: int, row: Row) -> bytes:
        told = tuple(row.records)
        return pack_envelope(
            Envelope(self.site, epoch, lane, row.seq, row.utc_us, told, version=self.version)
        )

    @property
    def drained(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._held and not any(len(rows) or rows.flying for rows in self.lanes.values())


class Trunk:
    """One connection and its poles. They have a district of their own, so that one subscription hears all."""

    def __init__(self, district: str, poles: Sequence[LightPole], broker: Broker, line: Line, tally: Tally):
        self._prefix, self._broker, self._line, self._tally = f"rsu/1/{district}/", broker, line, tally
        self._poles = {pole.site: pole for pole in poles}
        self._due = [(pole.next_us, pole.number, pole) for pole in poles]
        heapq.heapify(self._due)
        self._busy: set[str] = set(self._poles)
        self.resent = 0

    async def run(self) -> None:
        """For ever: connect, send, back off with full jitter."""
        while True:
            try:
                async with self._line.open(self._broker) as session:
                    await session.subscribe(f"{self._prefix}+/ack", 0)
                    self._again(float("inf"))
                    await self._serve(session)
            except DeviceLost:
                pass
            except BaseExceptionGroup as group:
                if group.split(DeviceLost)[1] is not None:
                    raise
            await anyio.sleep(random.uniform(0, BACK_OFF_S))

    def produce(self, now_us: int) -> None:
        """What all of them have to say by now."""
        while self._due and self._due[0][0] <= now_us:
            _, number, pole = self._due[0]
            pole.produce(now_us)
            self._busy.add(pole.site)
            heapq.heapreplace(self._due, (pole.next_us, number, pole))

    def seal(self, now_us: int) -> None:
        """Let nothing wait for company."""
        for pole in self._poles.values():
            pole.seal(now_us)
        self._busy.update(self._poles)

    async def _serve(self, session: Session) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hear, session)
            looked_s = time.monotonic()
            while True:
                now_s = time.monotonic()
                if now_s - looked_s > 1.0 and not session.behind:  # what the broker lacks is not late
                    looked_s = now_s
                    self._again(now_s - RESEND_S)
                busy, self._busy = self._busy, set()
                for site in busy:
                    self._poles[site].send(session, self._prefix, self._tally, now_s)
                await anyio.sleep(LOOK_S)

    def _again(self, before_s: float) -> None:
        for pole in self._poles.values():
            for rows in pole.lanes.values():
                if count := rows.again(before_s):
                    self.resent += count
                    self._busy.add(pole.site)

    async def _hear(self, session: Session) -> None:
        async for topic, payload in session.messages():
            pole = self._poles.get(topic.removeprefix(self._prefix).split("/")[0])
            try:
                ack = unpack_ack(payload)
            except BadEnvelope:
                continue
            if pole is None or ack.lane not in LANES or pole.lanes[ack.lane].epoch != ack.epoch:
                continue
            self._tally.answered((pole.number, ack.lane), ack, time.time_ns() // 1000)
            pole.lanes[ack.lane].answered(ack)
            pole.window = max(1, ack.window)
            self._busy.add(pole.site)


class LightPoles:
    """All of them, some hundreds a connection."""

    name = "light"

    def __init__(self, plan: Plan, broker: tuple[str, int], line: Line, tally: Tally) -> None:
        now_us, apart_us = time.time_ns() // 1000, 1_000_000 // STARTS_PER_S
        self._poles = [LightPole(plan, n, now_us + n * apart_us) for n in range(1, plan.sites + 1)]
        self._trunks = [
            Trunk(
                f"{DISTRICT}-{at // POLES_A_LINE + 1}",
                self._poles[at : at + POLES_A_LINE],
                Broker(*broker, f"simulated-{at // POLES_A_LINE + 1}", version=3),
                line,
                tally,
            )
            for at in range(0, plan.sites, POLES_A_LINE)
        ]

    async def run(self, producing: anyio.Event) -> None:
        """Until cancelled; records come until `producing` is set."""
        async with anyio.create_task_group() as tasks:
            for trunk in self._trunks:
                tasks.start_soon(trunk.run)
            while not producing.is_set():
                for trunk in self._trunks:
                    trunk.produce(time.time_ns() // 1000)
                await anyio.sleep(LOOK_S)
            for trunk in self._trunks:
                trunk.seal(time.time_ns() // 1000)

    @property
    def drained(self) -> bool:
        """Whether nothing waits on any pole."""
        return all(pole.drained for pole in self._poles)

    @property
    def marks(self) -> dict[Key, int]:
        """The last number of every lane."""
        return {(p.number, lane): rows.last for p in self._poles for lane, rows in p.lanes.items()}

    @property
    def given(self) -> dict[tuple[int, str], int]:
        """By (epoch, lane), the last number."""
        return {(rows.epoch, lane): rows.last for p in self._poles for lane, rows in p.lanes.items()}

    @property
    def resent(self) -> int:
        """Envelopes that were sent again."""
        return sum(trunk.resent for trunk in self._trunks)

    def close(self) -> None:
        """There are no files."""
