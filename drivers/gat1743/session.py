"""Reading one GA/T 1743 controller: what to ask when, and what its publications and replies say. Sans-IO."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from drivers.gat1743 import bodies
from drivers.gat1743.codes import BUS_PRIORITY, CONTROLS, EMERGENCY, FAULTS, KINDS, colour
from drivers.gat1743.deframer import Deframer
from drivers.gat1743.groups import Groups
from drivers.gat1743.settings import Settings
from drivers.gat1743.wire import ASKING, TELLING, Frame, Garbled, Item, Operation, query
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import (
    Control,
    GroupSteps,
    GroupTimes,
    Lamp,
    LampGroup,
    Programme,
    SignalReport,
    Step,
)

# Asked for beside the colours, and how often (facts 3.3: a public implementation asks for plans every second)
SLOW_PERIODS_S = {
    Item.CONTROL_MODE: 0.5,
    Item.THIS_CYCLE: 1.0,
    Item.NEXT_CYCLE: 1.0,
    Item.RUN_STATE: 2.0,
}
MODE_WAIT_S = 3.0  # a controller that does not tell its mode by then does not tell it: unknown control
MOST_UTC_REST = 999  # the two bytes behind the seconds are milliseconds in a public simulator

SILENT_HINT = "check wire or address, region, numbers, and that the controller publishes"
GARBLED_HINT = "bytes come but no frames: check baud rate and parity, and that this is GA/T 1743-2020"


class Session:
    """Bytes and time in; bytes, reports and programmes out. utc_less_now_s: UTC less the monotonic clock."""

    def __init__(self, settings: Settings, now_s: float, utc_less_now_s: float) -> None:
        self._settings, self._utc_less_now_s = settings, utc_less_now_s
        self._deframer = Deframer(settings.line(settings.role).byte_s)
        self._verdict = Verdict(
            settings.silent_after_s, now_s + settings.listen_first_s, SILENT_HINT, GARBLED_HINT
        )
        self._groups = Groups(settings.groups)
        self._kinds: dict[int, int] = {}
        self._due_s = dict.fromkeys((Item.COLOURS, *SLOW_PERIODS_S), now_s + settings.listen_first_s)
        self._asked: tuple[Item, float] | None = None
        self._number = settings.controller_number
        self._mode_by_s: float | None = None
        self.counters: Counter[str] = Counter()

    # What leaves

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:
        """The query that is due, one at a time."""
        if self._settings.role == "listener" or now_s < self._free_s():
            return None
        if self._asked is not None:
            self.counters["timeouts"] += 1
            self._asked = None
        item = min(self._due_s, key=lambda candidate: self._due_s[candidate])
        if self._due_s[item] > now_s:
            return None
        period_s = SLOW_PERIODS_S.get(item, 1 / self._settings.poll_hz)
        self._due_s[item] = max(self._due_s[item] + period_s, now_s)
        self._asked = item, now_s
        self.counters["queries"] += 1
        utc_s = int(now_s + self._utc_less_now_s) & 0xFFFFFFFF
        return query(self._settings.sender(), self._settings.receiver(), item, utc_s)

    def wake_s(self, now_s: float) -> float:
        """When something is due."""
        if self._settings.role == "listener":
            return self._verdict.silent_at_s
        return max(self._free_s(), min(self._due_s.values()), now_s)

    def _free_s(self) -> float:
        """When the next query may leave."""
        return self._asked[1] + self._settings.reply_timeout_s if self._asked else float("-inf")

    # What comes in

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take a chunk, or one datagram. Raises DeviceLost for another master or another controller."""
        self.counters["bytes"] += len(data)
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Garbled):
                self._garbled(found)
            else:
                self.counters["frames"] += 1
                yield from self._frame(found, now_s)

    def _garbled(self, found: Garbled) -> None:
        self.counters["garbled"] += 1
        self.counters[f"garbled_{found.why}"] += 1
        self._verdict.garbled(found.why, found.size)

    def _frame(self, frame: Frame, now_s: float) -> Iterator[SignalReport | Programme]:
        if frame.operation in ASKING:
            self._asking(frame)
            return
        if not self._ours(frame):
            self.counters["of_others"] += 1
            return
        self._verdict.good(now_s)
        if self._asked is not None and frame.item == self._asked[0]:
            self._asked = None
        if frame.operation == Operation.ERROR:
            self.counters["refusals"] += 1
            if frame.item in SLOW_PERIODS_S:
                self._due_s[Item(frame.item)] = now_s + 60.0
        if frame.operation not in TELLING:
            return
        try:
            yield from self._told(frame, now_s)
        except bodies.Short:
            self._garbled(Garbled("body", len(frame.body)))

    def _asking(self, frame: Frame) -> None:
        """Another host asks: a master gives way at once, a listener does not mind."""
        if frame.sender == self._settings.sender():
            return
        self.counters["others_ask"] += 1
        if self._settings.role == "master":
            raise DeviceLost(
                "busy",
                f"SER07 another master on the line (number {frame.sender.number})",
                "this line belongs to another host: use role: listener or a port of our own",
            )

    def _ours(self, frame: Frame) -> bool:
        """Whether our controller speaks. Raises DeviceLost when another one does and none was named."""
        if self._number is None:
            self._number = frame.sender.number
        if frame.sender.number == self._number:
            return True
        if self._settings.controller_number is None:
            raise DeviceLost(
                "refused",
                f"controller {frame.sender.number} speaks beside {self._number}",
                "name ours in the site file: controller_number",
            )
        return False

    def _told(self, frame: Frame, now_s: float) -> Iterator[SignalReport | Programme]:
        match frame.item:
            case Item.COLOURS:
                yield from self._colours(frame, now_s)
            case Item.THIS_CYCLE | Item.NEXT_CYCLE:
                cycle = self._cycle(frame.body)
                if cycle:
                    name = "this_cycle" if frame.item == Item.THIS_CYCLE else "next_cycle"
                    yield self._report(frame, **{name: cycle})
            case Item.CONTROL_MODE:
                mode = bodies.one_byte(frame.body)
                self._mode_by_s = float("inf")
                yield self._report(
                    frame,
                    control=CONTROLS.get(mode, Control.UNKNOWN),
                    preempt=mode == EMERGENCY,
                    priority=mode == BUS_PRIORITY,
                )
            case Item.RUN_STATE:
                faults = FAULTS.get(bodies.one_byte(frame.body))
                if faults is not None:
                    yield self._report(frame, faults=faults)
            case _:
                self.counters["other_objects"] += 1

    def _colours(self, frame: Frame, now_s: float) -> Iterator[SignalReport | Programme]:
        told = bodies.lamps(frame.body)
        if self._groups.learn((lamp.direction, lamp.lamp) for lamp in told) or not self._kinds:
            self._kinds = self._kinds_of(told)
            yield self._programme()
        numbered = [(self._groups.of(lamp.direction, lamp.lamp), lamp) for lamp in told]
        seen = [(group, lamp) for group, lamp in numbered if group is not None]
        yield self._report(
            frame,
            lamps=tuple(
                sorted((Lamp(g, colour(lamp.colour)) for g, lamp in seen), key=lambda lamp: lamp.group)
            ),
            complete={group for group, _ in seen} >= self._groups.known.keys(),
            times=tuple(
                GroupTimes(group, likely_s=float(lamp.countdown), display=True)
                for group, lamp in seen
                if lamp.countdown
            ),
            control=self._mode_missing(now_s),
        )

    def _mode_missing(self, now_s: float) -> Control | None:
        """Control of a controller that has not told its mode for so long that it never will."""
        self._mode_by_s = self._mode_by_s or now_s + MODE_WAIT_S
        return Control.UNKNOWN if now_s >= self._mode_by_s else None

    def _cycle(self, body: bytes) -> tuple[GroupSteps, ...]:
        """Steps of the lamps that are known; empty where a step's length is missing."""
        cycle = []
        for lamp in bodies.steps(body):
            group = self._groups.of(lamp.direction, lamp.lamp)
            if group is not None and lamp.steps:
                own = tuple(Step(colour(code), float(seconds)) for code, seconds in lamp.steps if seconds)
                cycle.append(GroupSteps(group, own))
        return tuple(sorted(cycle, key=lambda steps: steps.group))

    def _report(self, frame: Frame, **said: object) -> SignalReport:
        self.counters["reports"] += 1
        rest_ms = frame.utc_rest if frame.utc_rest <= MOST_UTC_REST else 0
        return SignalReport(
            frame.first_byte_s,
            frame.last_byte_s,
            controller_utc_ms=frame.utc_s * 1000 + rest_ms if frame.utc_s else None,
            unsolicited=frame.operation != Operation.REPLY,
            **said,  # type: ignore[arg-type]
        )

    def _kinds_of(self, told: tuple[bodies.LampTold, ...]) -> dict[int, int]:
        kinds = {self._groups.of(lamp.direction, lamp.lamp): lamp.kind for lamp in told}
        return self._kinds | {group: kind for group, kind in kinds.items() if group is not None}

    def _programme(self) -> Programme:
        known = self._groups.known
        lamps = []
        for group, (direction, number) in known.items():
            name, kind = KINDS.get(self._kinds.get(group, 0), ("", None))
            lamps.append(LampGroup(group, kind, f"{direction}/{number} {name}".strip()))
        digest = hashlib.sha256(repr((self._number, lamps)).encode()).hexdigest()
        return Programme(digest, tuple(known), lamps=tuple(lamps))
