"""The virtual controller as a GA/T 1743-2020 unit: publishes colours and step plans, answers questions."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace

from hil.devices.controller_view import ControllerView
from hil.devices.gat1743_codec import EVERYBODY, Reader, Told, build
from hil.devices.heads import DIRECTION, LAMP_TYPE

CONTROLLER, ASK, SET, ANSWER, MISTAKE, PUBLISH = 0x1000, 0x80, 0x81, 0x83, 0x86, 0x87
RUN_STATE, MODE, COLOURS, THIS_CYCLE, NEXT_CYCLE = 0x0101, 0x0102, 0x0103, 0x0301, 0x0302
BYTES = {  # red in bits 1-0, yellow in 3-2, green in 5-4: 1 off, 2 on, 3 flashing
    "dark": 0x15, "red": 0x16, "red_flash": 0x17, "red_yellow": 0x1A, "yellow": 0x19, "yellow_flash": 0x1D,
    "green": 0x25, "green_flash": 0x35,
}  # fmt: skip
MODES = {"flash": 1, "startup": 1, "fixed": 2, "manual": 3, "actuated": 4, "coordinated": 5, "adaptive": 6}
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
        self._due_s: float | None = None
        self._stage = 0
        self._kept: dict[int, bytes] | None = None
        self.writes = 0
        self._ids = self._numbered()

    @property
    def frozen(self) -> bool:
        """Whether what was true is told again and again."""
        return self._kept is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._kept = {} if on else None

    def opened(self, now_s: float) -> None:
        """Publications begin."""
        self._due_s = now_s

    def closed(self) -> None:
        """Nothing is said any more."""
        self._due_s = None
        self._later.clear()
        self._reader = Reader()

    def hear(self, data: bytes, now_s: float) -> None:
        """Questions to this unit, or to all."""
        for told in self._reader.feed(data):
            if told.to_type & CONTROLLER and told.to_number in (EVERYBODY, self._manners.number):
                self.writes += told.operation == SET
                if told.operation == ASK and len(self._later) < 16:
                    self._later.append((now_s + self._random.uniform(*self._manners.reply_delay_s), told))

    def changed(self, _groups: list[int], now_s: float) -> list[bytes]:
        """Colours at once, where the unit does so."""
        return [self._published(COLOURS, now_s)] if self._manners.publishes_changes else []

    def due(self, now_s: float) -> list[bytes]:
        """Answers, colours every period, the plan when a cycle has begun."""
        ready = [told for at_s, told in self._later if at_s <= now_s]
        self._later = [(at_s, told) for at_s, told in self._later if at_s > now_s]
        frames = [self._answer(told, now_s) for told in ready]
        if self._due_s is not None and now_s >= self._due_s and self._manners.publishes:
            self._due_s = max(self._due_s + self._manners.period_s, now_s)
            frames.append(self._published(COLOURS, now_s))
            stage = self._view.stage(now_s)[0]
            if stage == 1 != self._stage:
                frames.append(self._published(THIS_CYCLE, now_s))
            self._stage = stage
        return frames

    def next_s(self) -> float | None:
        """The next answer or publication."""
        own = self._due_s if self._manners.publishes else None
        return min((at for at in [own, *(at_s for at_s, _ in self._later)] if at is not None), default=None)

    def _answer(self, told: Told, now_s: float) -> bytes:
        body = self._body(told.item, now_s)
        kind = MISTAKE if body is None else ANSWER
        return self._frame(kind, told.item, body or b"\x01", now_s, to=(told.from_type, told.from_number))

    def _published(self, item: int, now_s: float) -> bytes:
        return self._frame(PUBLISH, item, self._body(item, now_s) or b"", now_s, to=(0x8000, EVERYBODY))

    def _frame(self, kind: int, item: int, body: bytes, now_s: float, to: tuple[int, int]) -> bytes:
        utc_s = self._view.utc_s(now_s)
        rest = int(utc_s % 1 * 1000) if self._manners.milliseconds else 0
        told = Told(CONTROLLER, self._manners.number, *to, kind, item, int(utc_s), rest, body=body)
        return build(replace(told, region=self._manners.region))

    def _body(self, item: int, now_s: float) -> bytes | None:
        """An object's bytes now, or as they were when it froze; None for one it does not have."""
        if self._kept is not None and item in self._kept:
            return self._kept[item]
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
            if view.steps(1, ahead, now_s):
                body = bytes([len(view.known)]) + self._entries(lambda g: self._steps(g, ahead, now_s))
        if self._kept is not None and body is not None:
            self._kept[item] = body
        return body

    def _entries(self, lamp: object) -> bytes:
        """Lamps by direction: degrees, how many, and of each its number, type and the rest."""
        by_direction: dict[int, list[int]] = {}
        for group in sorted(self._view.known):
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
        left = likely + _behind(self._view.known[group], self._view.steps(group, 0, now_s))
        return math.ceil(left) if 0 < left <= 255 else 0

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
    """Seconds of the flash that follows a steady colour and is counted with it."""
    order = list(steps)
    for place, (own, _) in enumerate(order):
        following, seconds = order[(place + 1) % len(order)]
        if own == colour and FAMILY.get(following) == colour:
            return seconds
    return 0
