"""Displays overheard: colour and seconds of each direction. Sans-IO; nothing is ever sent."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from drivers.gat508.settings import Settings
from drivers.gat508.wire import Deframer, Entry, Frame, Garbled
from rsu_agent.ports.sweep import Sweep
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import Colour, Control, GroupTimes, Lamp, LampGroup, Programme, SignalReport

LEARN_S = 5.0  # displays lit in so long exist; one that lights up later is added
# A display shows no flash, and may go blank while the lamp shines: black is no colour of the lamp
COLOURS = {1: Colour.GREEN, 2: Colour.YELLOW, 3: Colour.RED}

SILENT_HINT = "check that the tap is on the display line and its polarity"
GARBLED_HINT = "bytes come but no display frames: check baud rate and parity"


class Session:
    """Bytes and time in, reports and programmes out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self._settings = settings
        self._deframer = Deframer(settings.line("listener").byte_s)
        self._verdict = Verdict(settings.silent_after_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._sweep = Sweep()
        self._group_of = {address: group for group, address in settings.groups.items()}
        self._first_s: float | None = None
        self._groups: tuple[int, ...] = ()
        self.counters: Counter[str] = Counter()

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:  # noqa: ARG002
        """Nothing, ever."""
        return None

    def wake_s(self, now_s: float) -> float:  # noqa: ARG002
        """When silence becomes a loss."""
        return self._verdict.silent_at_s

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take a chunk read at now_s."""
        self.counters["bytes"] += len(data)
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Garbled):
                self.counters["garbled"] += 1
                self.counters[f"garbled_{found.why}"] += 1
                self._verdict.garbled(found.why, found.size)
            else:
                self._verdict.good(now_s)
                self.counters["frames"] += 1
                yield from self._frame(found, now_s)

    def _frame(self, frame: Frame, now_s: float) -> Iterator[SignalReport | Programme]:
        self._first_s = now_s if self._first_s is None else self._first_s
        if not self._settings.groups:
            for entry in frame.entries:
                if entry.colour in COLOURS:
                    self._group_of.setdefault(entry.address, entry.address + 1)
        yield from self._programme_news(now_s)
        told = [(self._group_of[e.address], e) for e in frame.entries if e.address in self._group_of]
        lamps = tuple(sorted((_lamp(group, e) for group, e in told), key=lambda lamp: lamp.group))
        if not lamps:
            return
        self.counters["reports"] += 1
        made = SignalReport(
            frame.first_byte_s,
            frame.last_byte_s,
            lamps,
            complete=bool(self._groups) and {lamp.group for lamp in lamps} >= set(self._groups),
            control=Control.UNKNOWN,
            times=tuple(
                GroupTimes(group, likely_s=float(entry.seconds), display=True)
                for group, entry in told
                if entry.seconds and entry.colour in COLOURS
            ),
            unsolicited=True,
        )
        yield from self._sweep.take(made, self._groups)

    def _programme_news(self, now_s: float) -> Iterator[Programme]:
        groups = tuple(sorted(self._group_of.values()))
        first_s = now_s if self._first_s is None else self._first_s
        waited = now_s - first_s >= LEARN_S or bool(self._settings.groups)
        if not groups or groups == self._groups or not waited:
            return
        self._groups = groups
        lamps = tuple(
            LampGroup(group, None, f"display {address}") for address, group in self._group_of.items()
        )
        digest = hashlib.sha256(repr(sorted(self._group_of.items())).encode()).hexdigest()
        yield Programme(digest, groups, lamps=lamps)


def _lamp(group: int, entry: Entry) -> Lamp:
    return Lamp(group, COLOURS.get(entry.colour, Colour.UNKNOWN))
