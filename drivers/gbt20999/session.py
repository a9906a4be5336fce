"""Reading one controller: what to ask at which instant, and what the answers say. Sans-IO."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from drivers.gbt20999 import ids
from drivers.gbt20999.batches import Questions
from drivers.gbt20999.link import (
    Answer,
    Event,
    HeartbeatAsked,
    Link,
    OtherMaster,
    Refusal,
    Unasked,
)
from drivers.gbt20999.memory import Memory
from drivers.gbt20999.reports import ROWS_READ, report
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Address, Frame, Garbled, Identity
from rsu_agent.ports.sweep import Sweep
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import Control, Programme, SignalReport, StageReport

SLOW_PERIOD_S = 0.5  # faults, priority, clock
PROBE_PERIOD_S = 20.0  # does the same programme still answer?
SHARE_S = 0.06  # of a poll period of 0.1 s, for one question that is not a lamp poll
SMALLEST_SHARE_BYTES = 200  # so that at 9600 baud configuration is read at all
QUIET_S = 0.03  # after rubbish: let the line run empty before asking again
FASTEST_TIMEOUT_S = 0.12  # a scheduler's or USB adapter's hiccup is no loss
SLOWEST_DECAY = 0.98  # a poll; the slowest reply of the last seconds is remembered
SUSPICIOUS = 2  # timeouts in a row: is the line dead, or are our questions too long? One value tells
LISTS = ((ids.FAULT_COUNT, ids.FAULT_TYPE), (ids.ALARM_COUNT, ids.ALARM_TYPE))
PRIORITY_ROWS = range(1, 5)
NO_LIMIT = 1 << 16

SILENT_HINT = "check the wire, the controller's number, and its communication type (2.3.3)"
GARBLED_HINT = "bytes come but no frames: check baud rate, parity and the checksum setting"


class Session:
    """Bytes and time in; bytes, reports and programmes out. `check` raises when the device is lost."""

    def __init__(self, settings: Settings, now_s: float, memory: Memory) -> None:
        self._settings, self._memory = settings, memory
        wire = settings.line("master")
        self._byte_s = wire.byte_s
        identity = Identity(
            version=int(settings.version, 16),
            host=settings.host_id,
            controller=settings.controller_id or 0,
            crossing=settings.crossing_in_frame,
        )
        self._link = Link(identity, settings.dialect(), self._byte_s, datagrams=wire.keeps_bounds)
        self._sweep = Sweep()
        self._questions = Questions(settings.batch)
        self._verdict = Verdict(
            settings.silent_after_s, now_s + settings.listen_first_s, SILENT_HINT, GARBLED_HINT
        )
        self.counters: Counter[str] = Counter()
        self._replies: deque[bytes] = deque()
        self._polls: deque[tuple[Address, ...]] = deque()
        self._polled_last = False
        self._poll_due_s = self._slow_due_s = 0.0
        self._probe_due_s = now_s + PROBE_PERIOD_S
        self._quiet_until_s = now_s + settings.listen_first_s
        self._rubbish_s: float | None = None
        self._slowest_s: float | None = None
        self._timeouts_in_row = 0
        self._controller: int | None = settings.controller_id
        self._plan: int | None = None
        self._stage: int | None = None
        self._control: Control | None = None
        self._rows = dict.fromkeys((count for count, _ in LISTS), 0)

    @property
    def rest_s(self) -> float | None:
        """How long the rest of the frame under way takes; None: not known."""
        return self._link.rest_s

    # What leaves

    def next_bytes(self, now_s: float) -> bytes | None:
        """What to write now, if anything."""
        if self._replies:
            return self._replies.popleft()
        if self._link.asked:
            if now_s < self._deadline_s():
                return None
            self._timed_out()
        if now_s < self._quiet_until_s:
            return None
        question = self._choose(now_s)
        if not question:
            return None
        self.counters["queries"] += 1
        return self._link.ask(question, now_s)

    def wake_s(self, now_s: float) -> float:
        """When `next_bytes` should be asked again if nothing arrives before."""
        if self._replies:
            return now_s
        if self._link.asked:
            return self._deadline_s()
        if self._memory.groups:
            return max(self._quiet_until_s, min(self._poll_due_s, self._slow_due_s))
        return max(self._quiet_until_s, now_s)

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def _deadline_s(self) -> float:
        wait_s = self._settings.reply_timeout_s
        if self._slowest_s is not None:
            wait_s = min(wait_s, max(FASTEST_TIMEOUT_S, 3 * self._slowest_s))
        deadline_s = self._link.asked_s + self._link.transfer_s + wait_s
        return deadline_s if self._rubbish_s is None else min(deadline_s, self._rubbish_s + QUIET_S)

    def _timed_out(self) -> None:
        self.counters["timeouts"] += 1
        garbled, self._rubbish_s = self._rubbish_s is not None, None
        self._questions.unanswered(
            self._link.give_up(), others_answer=self._timeouts_in_row == 0, garbled=garbled
        )
        self._timeouts_in_row += 1

    def _choose(self, now_s: float) -> tuple[Address, ...]:
        """Lamps on their grid; between two lamp polls at most what fits, and never lamps alone for ever."""
        if self._timeouts_in_row >= SUSPICIOUS:
            return (ids.RUN_MODE(self._settings.crossing),)
        poll_due = bool(self._memory.groups) and (bool(self._polls) or now_s >= self._poll_due_s)
        poll_due = poll_due and self._questions.settled(self._poll_addresses())
        if not poll_due or self._polled_last:
            self._polled_last = False
            other = self._other(now_s)
            if other or not poll_due:
                return other
        self._polled_last = True
        return self._poll(now_s)

    def _poll(self, now_s: float) -> tuple[Address, ...]:
        if not self._polls:
            period_s = 1 / self._settings.poll_hz
            missed = max(0, int((now_s - self._poll_due_s) / period_s))
            self._poll_due_s = (self._poll_due_s or now_s) + period_s * (
                missed + 1 if self._poll_due_s else 1
            )
            self._polls.extend(self._questions.batches(self._poll_addresses(), NO_LIMIT))
        return self._polls.popleft() if self._polls else ()

    def _poll_addresses(self) -> list[Address]:
        crossing = self._settings.crossing
        addresses = [ids.LAMP(group) for group in self._memory.groups]
        addresses += [ids.RUN_MODE(crossing), ids.RUN_PLAN(crossing), ids.RUN_STAGE(crossing)]
        if self._stage:
            stage = self._stage
            addresses += [ids.STAGE_STATE(stage), ids.STAGE_ELAPSED(stage), ids.STAGE_REMAINING(stage)]
        return addresses

    def _other(self, now_s: float) -> tuple[Address, ...]:
        """The next question that is not a lamp poll: smaller batches, configuration, slow values."""
        share = max(SMALLEST_SHARE_BYTES, int(SHARE_S / self._byte_s)) if self._byte_s else NO_LIMIT
        if follow_up := self._questions.next_follow_up():
            return follow_up
        wanted = self._memory.wanted(self._questions.absent, self._plan, self._settings)
        if wanted:
            return self._questions.batches(wanted, share)[0]
        if now_s >= self._slow_due_s:
            self._slow_due_s = now_s + SLOW_PERIOD_S
            first, *rest = self._questions.batches(self._slow_addresses(now_s), share) or [()]
            self._questions.follow_ups.extend(rest)
            return first
        return ()

    def _slow_addresses(self, now_s: float) -> list[Address]:
        addresses = [ids.UTC]
        for count, row_type in LISTS:
            rows = min(self._rows[count], ROWS_READ)
            addresses += [count, *(row_type(row) for row in range(1, rows + 1))]
        addresses += [
            item(row) for item in (ids.EMERGENCY_RUNNING, ids.PRIORITY_RUNNING) for row in PRIORITY_ROWS
        ]
        if now_s >= self._probe_due_s:
            self._probe_due_s = now_s + PROBE_PERIOD_S
            addresses += self._memory.probe(self._plan)
        return addresses

    # What comes in

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take a chunk read at now_s. Raises DeviceLost for another master or another controller."""
        self.counters["bytes"] += len(data)
        if self._rubbish_s is not None:
            self._rubbish_s = now_s
        for event in self._link.receive(data, now_s):
            yield from self._event(event, now_s)

    def _event(self, event: Event, now_s: float) -> Iterator[SignalReport | Programme]:
        match event:
            case Garbled(why, size):
                self._garbled(why, size, now_s)
                return
            case OtherMaster(frame):
                raise DeviceLost(
                    "busy",
                    f"SER07 another master on the line (host {frame.host}, type {frame.kind:#04x})",
                    "this line belongs to another host: use a port of our own",
                )
            case HeartbeatAsked():
                self.counters["heartbeats"] += 1
                if self._settings.heartbeat == "answer":
                    self._replies.append(self._link.heartbeat())
            case Refusal():
                self.counters["refusals"] += 1
                self._timeouts_in_row = 0
                self._questions.refused(event)
                self._memory.absent(self._questions.absent)
            case Answer(_, frame, delay_s):
                self._timeouts_in_row, self._rubbish_s = 0, None
                self._slowest_s = max(delay_s, (self._slowest_s or 0.0) * SLOWEST_DECAY)
                self._questions.answered(event)
                yield from self._frame(frame, now_s)
            case Unasked(frame):
                self.counters["unasked"] += 1
                yield from self._frame(frame, now_s)
        self.counters["frames"] += 1
        self._verdict.good(now_s)
        yield from self._memory.finished(self._questions.absent, self._plan, self._settings)

    def _garbled(self, why: str, size: int, now_s: float) -> None:
        self.counters["garbled"] += 1
        self.counters[f"garbled_{why}"] += 1
        self.counters["garbled_bytes"] += size
        self._verdict.garbled(why, size)
        self._rubbish_s = now_s
        self._quiet_until_s = max(self._quiet_until_s, now_s + QUIET_S)

    def _frame(self, frame: Frame, now_s: float) -> Iterator[SignalReport]:
        self._same_controller(frame)
        if self._memory.take(frame, self._controller or 0):
            self._questions.forget_absences()
        made = report(frame, self._memory.groups, self._settings.crossing)
        if made is None:
            return
        self._follow(made, frame, now_s)
        self.counters["reports"] += 1
        yield from self._sweep.take(made, self._memory.groups)

    def _same_controller(self, frame: Frame) -> None:
        if self._controller is None:
            self._controller = self._memory.owner(frame.controller)
        if frame.controller != self._controller:
            raise DeviceLost(
                "refused",
                f"controller {frame.controller} answers instead of {self._controller}",
                "does this line lead to the right cabinet? after a unit was exchanged, restart the agent",
            )

    def _follow(self, made: SignalReport, frame: Frame, now_s: float) -> None:
        """Keep up with plan, mode, stage and faults; what changes the programme has it read again."""
        news = (made.plan is not None and self._plan not in (None, made.plan)) or (
            made.control is not None and self._control not in (None, made.control)
        )
        self._plan = self._plan if made.plan is None else made.plan
        self._control = self._control if made.control is None else made.control
        if news:
            self._memory.read_again()
            self._questions.forget_absences()
        named = dict(frame.values).get(ids.RUN_STAGE(self._settings.crossing))
        self._follow_stage(made.stage, named, now_s)
        for address, data in frame.values:
            rows = int.from_bytes(data, "big") if address in self._rows else None
            if rows is not None and rows != self._rows[address]:
                self._rows[address] = rows
                self._slow_due_s = now_s

    def _follow_stage(self, stage: StageReport | None, named: bytes | None, now_s: float) -> None:
        """A stage that has just begun is asked for at once: its times came for the one before."""
        number = stage.stage if stage else named[0] if named else None
        if number is not None and number != self._stage:
            self._stage = number
            if stage is None and number:
                self._poll_due_s = min(self._poll_due_s, now_s)
