"""Opens a GB/T 20999-2017 controller as master: asks, listens for traps, yields reports and the programme."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from drivers.gbt20999 import values as wire
from drivers.gbt20999.configuration import (
    MOST_GROUPS,
    configuration_questions,
    count,
    first_questions,
    plan_questions,
    programme,
)
from drivers.gbt20999.frames import Addresses, Deframer, Frame, Garbled, query
from drivers.gbt20999.keys import Settings
from drivers.gbt20999.questions import Asker
from drivers.gbt20999.told import report_from
from drivers.gbt20999.values import ERROR_REPLY, HEARTBEAT_QUERY, QUERY, REPLY, TRAP, Ident, number
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import BITS_A_BYTE, Line, LineSettings, open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Programme, SignalReport

RARE_PERIOD_S = 1.0  # faults, priority: asked this often
JUDGED_FRAMES = 40  # the share of garbled ones among so many tells a wrong baud rate
MOSTLY_GARBLED = 0.5


class Controller:
    """A controller on an open line (ports.devices.SignalSource)."""

    def __init__(self, line: Line, settings: Settings, clock: Clock) -> None:
        self._line, self._settings, self._clock = line, settings, clock
        self._deframer = Deframer(settings.baud, settings.crc)
        self._asker = Asker(settings.batch)
        self._asker.want(first_questions(settings.crossing_row))
        self._addresses = Addresses(
            host=settings.host_id, controller=settings.controller_id, crossing=settings.crossing_id
        )
        self._ready: deque[SignalReport | Programme] = deque()
        self._groups: tuple[int, ...] = ()
        self._plans: tuple[int, ...] = ()
        self._stage = 0
        self._asked_configuration = False
        self._told: str | None = None
        self._sequence = 0
        self._sent = b""
        self._poll_s = self._rare_s = self._reply_by_s = 0.0
        self._good_s = clock.now_s()
        self._recent: deque[bool] = deque(maxlen=JUDGED_FRAMES)
        self.counters: dict[str, int] = Counter()

    def __aiter__(self) -> AsyncIterator[SignalReport | Programme]:
        return self

    async def __anext__(self) -> SignalReport | Programme:
        while not self._ready:
            await self._step()
        return self._ready.popleft()

    async def _step(self) -> None:
        """Ask if it is time, then listen until something comes or is due."""
        now_s = self._clock.now_s()
        if now_s - self._good_s > self._settings.silence_s:
            raise DeviceLost("silent", f"nothing for {self._settings.silence_s:g} s", "check wiring and baud")
        if self._asker.waiting and now_s >= self._reply_by_s:
            self.counters["timeouts"] += 1
            self._asker.give_up()
        if not self._asker.waiting:
            await self._ask(now_s)
        due_s = self._reply_by_s if self._asker.waiting else self._poll_s
        with self._clock.move_on_after(max(0.001, min(due_s - now_s, self._settings.silence_s))):
            received = await self._line.read()
            self.counters["bytes"] += len(received.data)
            first_s = received.arrived_s - len(received.data) * BITS_A_BYTE / self._settings.baud
            for event in self._deframer.receive(received.data, first_s, received.arrived_s):
                self._heard(event)

    async def _ask(self, now_s: float) -> None:
        urgent: list[Ident] = []
        if now_s >= self._poll_s:
            urgent = list(self._poll(now_s))
            behind = now_s - self._poll_s
            self._poll_s = (
                now_s + self._settings.poll_period_s - min(behind % self._settings.poll_period_s, 0.05)
            )
        idents = self._asker.next(urgent)
        if not idents:
            return
        self._sequence = (self._sequence + 1) & 0xFF
        self._sent = query(idents, self._addresses, self._sequence, self._settings.crc)
        wire_s = (len(self._sent) + 17 + 14 * len(idents)) * 10 / self._settings.baud
        self._reply_by_s = now_s + wire_s + self._settings.reply_timeout_s
        await self._line.write(self._sent)
        self.counters["queries"] += 1

    def _poll(self, now_s: float) -> Iterator[Ident]:
        """What is asked at every poll, and now and then a little more."""
        row = self._settings.crossing_row
        for group in self._groups:
            yield wire.lamp(group)
        if self._groups:
            yield from (wire.run(attribute, row) for attribute in (2, 3, 4))
        if self._stage:
            yield from (wire.stage_run(attribute, self._stage) for attribute in (2, 3, 4))
        if self._told and now_s >= self._rare_s:
            self._rare_s = now_s + RARE_PERIOD_S
            faults = min(count(self._asker.known, wire.FAULT_COUNT), 8)
            yield from (wire.FAULT_COUNT, wire.PRIORITY_RUNS, wire.EMERGENCY_RUNS)
            yield from (wire.fault_type(n) for n in range(1, faults + 1))

    def _heard(self, event: Frame | Garbled) -> None:
        good = isinstance(event, Frame)
        self._recent.append(good)
        if isinstance(event, Garbled):
            self.counters[f"garbled_{event.reason}"] += 1
            if (
                len(self._recent) == JUDGED_FRAMES
                and self._recent.count(False) > MOSTLY_GARBLED * JUDGED_FRAMES
            ):
                raise DeviceLost(
                    "garbled", "most frames are broken", "wrong baud or parity, or the pair is swapped"
                )
            return
        self.counters["frames"] += 1
        self._good_s = event.last_byte_s
        if event.type == QUERY:
            self._heard_query(event)
        elif event.type in (REPLY, ERROR_REPLY, TRAP):
            self._heard_values(event)
        elif event.type == HEARTBEAT_QUERY:
            self.counters["heartbeats"] += 1
        else:
            self.counters["other_types"] += 1

    def _heard_query(self, frame: Frame) -> None:
        """Our own echo, or somebody else's question: then we must not be master here."""
        ours = query(
            [value.ident for value in frame.values], self._addresses, frame.sequence, self._settings.crc
        )
        if ours == self._sent:
            self.counters["echoes"] += 1
            return
        raise DeviceLost(
            "another_master", "another host asks on this line", "SER07: give us a port of our own"
        )

    def _heard_values(self, frame: Frame) -> None:
        if frame.type != TRAP:
            self._asker.heard(frame)
        else:
            self.counters["traps"] += 1
        if frame.type == ERROR_REPLY:
            self.counters["refusals"] += 1
            return
        self._follow(frame)
        report = report_from(frame, frozenset(self._groups), self._settings.crossing_row)
        if report is not None:
            self._ready.append(report)

    def _follow(self, frame: Frame) -> None:
        """Read the configuration when its size is known, again when another plan runs; tell it when whole."""
        for value in frame.values:
            if value.ident == wire.run(4, self._settings.crossing_row) and value.data:
                self._stage = number(value.data)
            elif value.ident == wire.run(3, self._settings.crossing_row) and value.data:
                self._want_plan(number(value.data))
        known = self._asker.known
        if not self._asked_configuration and wire.GROUP_COUNT in known and not self._asker.waiting:
            reported = self._settings.group_count or number(known[wire.GROUP_COUNT]) or MOST_GROUPS
            self._groups = tuple(range(1, min(reported, MOST_GROUPS) + 1))
            self._asker.want(
                configuration_questions(count(known, wire.PHASE_COUNT), count(known, wire.STAGE_COUNT))
            )
            self._asked_configuration = True
            self._poll_s = self._clock.now_s()
        absent = {group for group in self._groups if wire.lamp(group) in self._asker.absent}
        if absent:
            self._groups = tuple(group for group in self._groups if group not in absent)
        if self._asked_configuration and not self._asker.busy:
            self._tell(frame.controller)

    def _want_plan(self, plan: int) -> None:
        if plan and plan not in self._plans:
            self._plans = (*self._plans, plan)
            self._asker.want(plan_questions(plan))

    def _tell(self, controller: int) -> None:
        made = programme(self._asker.known, controller, self._groups, self._plans)
        if made.fingerprint != self._told:
            self._told = made.fingerprint
            self._ready.append(made)


@asynccontextmanager
async def open_controller(settings: Settings, clock: Clock) -> AsyncIterator[Controller]:
    """The controller on this line. Raises DeviceLost."""
    async with open_line(LineSettings(settings.port, settings.baud), clock) as line:
        yield Controller(line, settings, clock)


PLUGIN = Plugin("gbt20999", Kind.CONTROLLER, Settings, open_controller)
