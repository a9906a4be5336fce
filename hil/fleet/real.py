"""A pole with the product's own outbox on disk and its own uplink, over a connection of its own."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import msgpack

from hil.fleet.line import Line
from hil.fleet.plan import DISTRICT, Plan, epoch_key, site_of
from hil.fleet.records import Crossing, flow
from hil.fleet.tally import Key, Tally
from rsu_agent.outlets.outbox import Outbox, Windows
from rsu_agent.outlets.outbox_lane import Lane
from rsu_agent.outlets.outbox_seal import Row
from rsu_agent.outlets.outbox_shelves import Shelf
from rsu_agent.outlets.uplink import Uplink
from rsu_agent.ports.clock import SystemClock
from rsu_agent.ports.envelope import LANES, SCHEMA, Ack, pack_envelope, unpack_envelope
from rsu_agent.ports.mqtt import Broker

QUOTA = 64 << 20
LOOK_S = 0.05
DAY_US = 86_400_000_000
WINDOWS = Windows()


class NotingOutbox(Outbox):
    """Tells the tally what leaves; may write envelopes of the version after ours."""

    def __init__(self, number: int, tally: Tally, version: int, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._number, self._tally, self._version = number, tally, version
        self._old = {lane: self.last(lane) for lane in LANES}

    def envelopes(self, lane: str, seq: int, most: int, site: str) -> list[tuple[int, bytes]]:
        """As the product's; envelopes that were here at the start are sent and not timed."""
        rows = super().envelopes(lane, seq, most, site)
        return [(number, self._noted(lane, number, payload)) for number, payload in rows]

    def _noted(self, lane: str, number: int, payload: bytes) -> bytes:
        timed = number > self._old[lane]
        if not timed and self._version == SCHEMA:
            return payload
        sent = unpack_envelope(payload)
        if timed:
            stamps_us = [int(record["t"]) for record in sent.records]
            self._tally.sent((self._number, lane), number, sent.utc_us, stamps_us)
        return payload if self._version == SCHEMA else pack_envelope(replace(sent, version=self._version))


class NotingUplink(Uplink):
    """Tells the tally what is answered."""

    def __init__(self, number: int, tally: Tally, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._number, self._tally = number, tally

    def _answered(self, ack: Ack) -> None:
        super()._answered(ack)
        self._tally.answered((self._number, ack.lane), ack, time.time_ns() // 1000)


class RealPoles:
    """All of them, in this process: two files and a thread each."""

    name = "real"

    def __init__(self, plan: Plan, broker: tuple[str, int], line: Line, tally: Tally, folder: Path) -> None:
        self._tally = tally
        self._outboxes: dict[int, NotingOutbox] = {}
        self._uplinks: list[NotingUplink] = []
        self._plan, self._crossings = plan, dict[int, Crossing]()
        for number in range(1, plan.sites + 1):
            outbox = self._outbox(plan, number, plan.version_of(number)[0], folder / site_of(number))
            self._outboxes[number] = outbox
            prefix = f"rsu/1/{DISTRICT}/{site_of(number)}"
            where, will = Broker(*broker, site_of(number)), (f"{prefix}/state", b'{"on":0}')
            opened = partial(line.open, where, will)
            uplink = NotingUplink(number, tally, outbox, opened, prefix, site_of(number), SystemClock())
            self._uplinks.append(uplink)

    def _outbox(self, plan: Plan, number: int, version: int, folder: Path) -> NotingOutbox:
        folder.mkdir(parents=True)
        if plan.backlog:
            fill(folder / "lo.sqlite", site_of(number), plan.backlog, plan.seed + number)
        options: dict[str, Any] = {"site": site_of(number), "birth": {"ver": "simulated", "cfg": "-"}}
        options["windows"] = Windows(WINDOWS.live_s / plan.pace, WINDOWS.away_s / plan.pace)
        return NotingOutbox(number, self._tally, version, folder, QUOTA, **options)

    async def run(self, producing: anyio.Event) -> None:
        """Until cancelled; records come until `producing` is set."""
        plan, begins_us = self._plan, time.time_ns() // 1000
        for number in self._outboxes:
            tomorrow = plan.version_of(number)[1]
            self._crossings[number] = Crossing(plan.seed, number, begins_us, plan.pace, tomorrow=tomorrow)
        async with anyio.create_task_group() as tasks:
            for uplink in self._uplinks:
                tasks.start_soon(uplink.run)
            while not producing.is_set():
                self._produce(time.time_ns() // 1000)
                await anyio.sleep(LOOK_S)
            for outbox in self._outboxes.values():
                outbox.seal_soon()

    def _produce(self, now_us: int) -> None:
        for number, crossing in self._crossings.items():
            if crossing.next_us <= now_us:
                for record, lane in crossing.due(now_us):
                    self._outboxes[number].append(record, lane)

    @property
    def drained(self) -> bool:
        """Whether nothing waits on any pole; what waits for company is told to wait no longer."""
        for outbox in self._outboxes.values():
            if not outbox.settled or outbox.held or any(outbox.queued(lane) for lane in LANES):
                outbox.seal_soon()
                return False
        return True

    @property
    def marks(self) -> dict[Key, int]:
        """The last number of every lane."""
        return {(n, lane): box.last(lane) for n, box in self._outboxes.items() for lane in LANES}

    @property
    def given(self) -> dict[tuple[int, str], int]:
        """By (epoch, lane), the last number."""
        return {epoch_key(box, lane): box.last(lane) for box in self._outboxes.values() for lane in LANES}

    @property
    def resent(self) -> int:
        """Envelopes that were sent again."""
        return sum(uplink.counters["resent"] for uplink in self._uplinks)

    def close(self) -> None:
        """The files."""
        for outbox in self._outboxes.values():
            outbox.close()


def fill(path: Path, site: str, envelopes: int, seed: int) -> None:
    """A low lane with the envelopes of the day before now."""
    lane = Lane(path, QUOTA, site)
    lane.append([Row(Shelf.FLOW, "flow", bodies) for bodies in _bodies(envelopes, seed)])
    lane.close()


def _bodies(envelopes: int, seed: int) -> list[tuple[bytes, ...]]:
    dice, now_us = random.Random(seed), time.time_ns() // 1000
    first_us, step_us = now_us - DAY_US, DAY_US // envelopes
    return [
        tuple(msgpack.packb(flow(dice, lane, first_us + at * step_us)) for lane in range(3))
        for at in range(envelopes)
    ]
