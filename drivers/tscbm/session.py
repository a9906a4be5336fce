"""Hearing blobs: colours and bounds of every output that exists. Sans-IO; nothing is ever sent."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

from drivers.tscbm.meaning import FAULT_FLASH, PREEMPT, PRIORITY, OutputTold, control, outputs
from drivers.tscbm.settings import Settings
from drivers.tscbm.wire import Blob, parse
from rsu_agent.ports.named_groups import NamedGroups
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import Colour, GroupTimes, Lamp, LampGroup, LampKind, Programme, SignalReport

LEARN_S = 2.0  # outputs lit in so long exist; one that lights up later is added
OLD_MS = 2000  # a blob that is older by so little came out of order; by more, the clock was set
SILENT_HINT = "check that the controller sends to this machine's address and port, and that blobs are enabled"
GARBLED_HINT = "datagrams come but no blobs: another program sends to this port"
KINDS = {"phase": None, "ped": LampKind.PEDESTRIAN, "overlap": None}


class Session:
    """Datagrams and time in, reports and programmes out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self._verdict = Verdict(settings.silent_after_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._groups = NamedGroups(settings.groups)
        self._fixed = bool(settings.groups)
        self._first_s: float | None = None
        self._told = False
        self._newest: tuple[int, int] | None = None  # time of day and sequence
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
        """Take one datagram."""
        self.counters["bytes"] += len(data)
        blob = parse(data)
        if isinstance(blob, str):
            self.counters["garbled"] += 1
            self.counters[f"garbled_{blob}"] += 1
            self._verdict.bad(len(data))
            return
        self._verdict.good(now_s)
        self.counters["frames"] += 1
        if self._out_of_order(blob):
            self.counters["out_of_order"] += 1
            return
        yield from self._blob(blob, now_s)

    def _out_of_order(self, blob: Blob) -> bool:
        """UDP may turn two around or double one; midnight and a clock that is set are neither."""
        now, before = (blob.day_ms, blob.sequence), self._newest
        if before is not None and (now == before or 0 < before[0] - now[0] <= OLD_MS):
            return True
        self._newest = now
        return False

    def _blob(self, blob: Blob, now_s: float) -> Iterator[SignalReport | Programme]:
        told = {each.output: each for each in outputs(blob)}
        news = self._groups.learn(o for o, each in told.items() if each.colour is not Colour.DARK)
        self._first_s = now_s if self._first_s is None else self._first_s
        known = self._groups.known
        if known and (self._fixed or now_s - self._first_s >= LEARN_S) and (news or not self._told):
            self._told = True
            yield self._programme()
        self.counters["reports"] += 1
        yield SignalReport(
            now_s,
            now_s,
            lamps=tuple(Lamp(group, told[output].colour) for output, group in known.items()),
            complete=self._told,
            control=control(blob),
            preempt=bool(blob.status & PREEMPT),
            priority=bool(blob.status & PRIORITY),
            fault_flash=bool(blob.status & FAULT_FLASH),
            times=tuple(_times(told[output], group) for output, group in known.items()),
            controller_day_ms=blob.day_ms,
            unsolicited=True,
        )

    def _programme(self) -> Programme:
        lamps = tuple(
            LampGroup(group, KINDS[kind], f"{kind} {number}")
            for (kind, number), group in self._groups.known.items()
        )
        digest = hashlib.sha256(repr(lamps).encode()).hexdigest()
        return Programme(digest, tuple(lamp.group for lamp in lamps), lamps=lamps)


def _times(told: OutputTold, group: int) -> GroupTimes:
    return GroupTimes(group, least_s=told.least_s, most_s=told.most_s)
