"""The virtual controller as a GA/T 1743-2020 unit: publishes colours and step plans, answers questions."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile

from hil.devices.controller_view import ControllerView
from hil.devices.gat1743_codec import EVERYBODY, Reader, Told, build
from hil.devices.heads import DIRECTION, LAMP_TYPE
from hil.devices.signal_plan import PLANS

CONTROLLER, ASK, SET, ANSWER, MISTAKE, PUBLISH = 0x1000, 0x80, 0x81, 0x83, 0x86, 0x87
RUN_STATE, MODE, COLOURS, THIS_CYCLE, NEXT_CYCLE = 0x0101, 0x0102, 0x0103, 0x0301, 0x0302
BYTES = {  # red in bits 1-0, yellow in 3-2, green in 5-4: 1 off, 2 on, 3 flashing
    "dark": 0x15, "red": 0x16, "red_flash": 0x17, "red_yellow": 0x1A, "yellow": 0x19, "yellow_flash": 0x1D,
    "green": 0x25, "green_flash": 0x35,
}  # fmt: skip
MODES = {"flash": 1, "startup": 1, "fixed": 2, "manual": 3, "actuated": 4, "coordinated": 5, "adaptive": 6}
OBJECTS = (RUN_STATE, MODE, COLOURS, THIS_CYCLE, NEXT_CYCLE)
SOON_S = 0.05  # when to look again whether a stage that waits has begun
SAME_INSTANT_S = 1e-6
FAMILY = {"green_flash": "green", "red_flash": "red", "yellow_flash": "yellow"}


@dataclass(frozen=True)
class Gat1743Manners:
    """How this unit behaves. ids: `unique`, or `per_direction` from 1 in each."""

    period_s: float = 1.0
    publishes: bool = True
    publishes_changes: bool = False
    reply_delay_s: tuple[float, float] = (0.005, 0.02)
    ids: str = "unique"
    number: int = 1
    region: int = 440310
    milliseconds: bool = True
    tail: bytes = b""


class Gat1743Front:
    """Sans-IO."""

    def __init__(self, view: ControllerView, manners: Gat1743Manners, seed: int = 1) -> None:
        self._view, self._manners = view, manners
        self._random = random.Random(seed)
        self._reader = Reader()
        self._later: list[tuple[float, Told]] = []
        self._busy_s = float("-inf")  # until then it thinks of its answers
        self._due_s: float | None = None
        self._look_s: float | None = None  # when a cycle may begin
        self._seen: tuple[int, float] | None = None  # stage and its seconds when last looked
        self._now_s = 0.0
        self._kept: dict[int, bytes | None] | None = None
        self.writes = 0
        self._ids = self._numbered()

    @property
    def frozen(self) -> bool:
        """Whether what was true is told again and again."""
        return self._kept is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        if on != self.frozen:
            self._kept = {item: self._body(item, self._now_s) for item in OBJECTS} if on else None

    def opened(self, now_s: float) -> None:
        """Publications begin."""
        self._now_s = self._due_s = now_s
        self._cycle_begins(now_s)

    def closed(self) -> None:
        """Nothing is said any more."""
        self._due_s = self._look_s = self._seen = None
        self._busy_s = float("-inf")
        self._later.clear()
        self._reader = Reader()

    def hear(self, data: bytes, now_s: float) -> None:
        """Questions to this unit, or to all."""
        self._now_s = now_s
        for told in self._reader.feed(data):
            self.writes += told.operation == SET
            mine = told.to_type & CONTROLLER and told.to_number in (EVERYBODY, self._manners.number)
            if mine and told.operation in (ASK, SET) and len(self._later) < 16:
                self._busy_s = max(self._busy_s, now_s) + self._random.uniform(*self._manners.reply_delay_s)
                self._later.append((self._busy_s, told))

    def changed(self, _groups: list[int], now_s: float) -> list[bytes]:
        """Colours at once, where the unit does so."""
        self._now_s = now_s
        return [self._published(COLOURS, now_s)] if self._manners.publishes_changes else []

    def due(self, now_s: float) -> list[bytes]:
        """Answers, colours every period, the plan when a cycle has begun."""
        self._now_s = now_s
        ready = [told for at_s, told in self._later if at_s <= now_s]
        self._later = self._later[len(ready) :]  # they stand in the order of their time
        frames = [self._answer(told, now_s) for told in ready]
        if self._due_s is None or not self._manners.publishes:
            return frames
        if now_s >= self._due_s:
            late = now_s >= self._due_s + self._manners.period_s
            self._due_s = (now_s if late else self._due_s) + self._manners.period_s
            frames.append(self._published(COLOURS, now_s))
        if not self.frozen and self._cycle_begins(now_s) and self._body(THIS_CYCLE, now_s) is not None:
            frames.append(self._published(THIS_CYCLE, now_s))
        return frames

    def next_s(self) -> float | None:
        """The next answer or publication."""
        own = [self._due_s, None if self.frozen else self._look_s] if self._manners.publishes else []
        return min((at for at in [*own, *(at_s for at_s, _ in self._later)] if at is not None), default=None)

    def _cycle_begins(self, now_s: float) -> bool:
        """Whether the plan's first stage has begun since the last look; never at the first look."""
        seen, (stage, elapsed_s, remaining_s) = self._seen, self._view.stage(now_s)
        self._seen = stage, elapsed_s
        wait_s = max(remaining_s, SAME_INSTANT_S) if elapsed_s > 0 else SOON_S
        self._look_s = now_s + wait_s if stage and remaining_s > 0 else None
        plan = PLANS.get(self._view.plan)
        if seen is None or plan is None or stage != plan.chain[0][0] or elapsed_s <= 0:
            return False
        return seen[0] != stage or not 0 < seen[1] <= elapsed_s

    def _answer(self, told: Told, now_s: float) -> bytes:
        body = self._body(told.item, now_s) if told.operation == ASK else None
        kind = MISTAKE if body is None else ANSWER
        return self._frame(kind, told.item, body or b"\x01", now_s, to=(told.from_type, told.from_number))

    def _published(self, item: int, now_s: float) -> bytes:
        return self._frame(PUBLISH, item, self._body(item, now_s) or b"", now_s, to=(0x8000, EVERYBODY))

    def _frame(self, kind: int, item: int, body: bytes, now_s: float, to: tuple[int, int]) -> bytes:
        seconds, ms = divmod(round(self._view.utc_s(now_s) * 1000), 1000)
        rest, seconds = ms if self._manners.milliseconds else 0, seconds & 0xFFFFFFFF
        told = Told(CONTROLLER, self._manners.number, *to, kind, item, seconds, rest, body=body)
        return build(replace(told, region=self._manners.region))

    def _body(self, item: int, now_s: float) -> bytes | None:
        """An object's bytes now, or as they were when it froze; None for one it does not have."""
        if self._kept is not None:
            return self._kept.get(item)
        view, tail = self._view, self._manners.tail
        body: bytes | None = None
        if item == RUN_STATE:
            body = bytes([2 if view.faults else 1]) + tail
        elif item == MODE:
            mode = 8 if view.preempt else 7 if view.priority else MODES.get(view.mode, 9)
            body = bytes([mode]) + tail
        elif item == COLOURS:
            body = self._entries(lambda g: bytes([BYTES[view.known[g]], self._countdown(g, now_s)]))
        elif item in (THIS_CYCLE, NEXT_CYCLE):
            ahead = int(item == NEXT_CYCLE)
            groups = self._hung()
            if any(view.steps(group, ahead, now_s) for group in groups):
                body = bytes([len(groups)]) + self._entries(lambda g: self._steps(g, ahead, now_s))
        return body

    def _hung(self) -> list[int]:
        return sorted(self._view.known.keys() & DIRECTION.keys())

    def _entries(self, lamp: object) -> bytes:
        """Lamps by direction: degrees, how many, and of each its number, type and the rest."""
        by_direction: dict[int, list[int]] = {}
        for group in self._hung():
            by_direction.setdefault(DIRECTION[group], []).append(group)
        data = bytes([len(by_direction)])
        for degrees, groups in sorted(by_direction.items()):
            data += struct.pack("<HB", degrees, len(groups))
            for group in groups:
                data += bytes([self._ids[group], LAMP_TYPE[group]]) + lamp(group)  # type: ignore[operator]
        return data

    def _steps(self, group: int, ahead: int, now_s: float) -> bytes:
        steps = self._view.steps(group, ahead, now_s)
        return bytes([len(steps)]) + b"".join(struct.pack("<BH", BYTES[c], s) for c, s in steps)

    def _countdown(self, group: int, now_s: float) -> int:
        """Seconds as a display shows them: steady and flash of one colour as one, 1 in the last second."""
        if self._view.mode == "manual":
            return 0
        likely = self._view.span(group, now_s).likely
        if likely is None:
            return 0
        steps = [*self._view.steps(group, 0, now_s), *self._view.steps(group, 1, now_s)]
        left = likely + _behind(self._view.known[group], steps) - SAME_INSTANT_S
        return max(1, math.ceil(left)) if left <= 255 else 0

    def _numbered(self) -> dict[int, int]:
        if self._manners.ids == "unique":
            return {group: group for group in DIRECTION}
        places: dict[int, int] = {}
        numbers = {}
        for group in sorted(DIRECTION):
            places[DIRECTION[group]] = places.get(DIRECTION[group], 0) + 1
            numbers[group] = places[DIRECTION[group]]
        return numbers


def _behind(colour: str, steps: Iterable[tuple[str, int]]) -> int:
    """Seconds for which a lamp keeps its colour, flashing or steady, after this step of it."""
    order, family = list(steps), FAMILY.get(colour, colour)
    for place, (own, _) in enumerate(order):
        rest = order[place + 1 :] + order[: place + 1]
        if own == colour != rest[0][0]:
            run = list(takewhile(lambda step: FAMILY.get(step[0], step[0]) == family, rest))
            return sum(seconds for _, seconds in run) if len(run) < len(rest) else 0
    return 0
