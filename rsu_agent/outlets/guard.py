"""The guard: compares the bytes about to leave with the lamp reports; passes or blocks, never invents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rsu_agent.outlets.evidence import Evidence
from rsu_agent.outlets.guard_table import LIGHT_OF, UNAVAILABLE
from rsu_agent.outlets.spat_reader import NotSpat, SpatRead, read_spat
from rsu_agent.world.signal import Programme, SignalReport

TIME_LIMIT_MS = 20  # field-rules 3.1
MINUTE_MS = 60_000
DEFAULT_CYCLE_S = 120.0


class Ruling(StrEnum):
    """What becomes of a frame."""

    PASS = "pass"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ruling and, for a block, its cause from the guard's table."""

    ruling: Ruling
    cause: str | None = None
    detail: str = ""


PASSED = Verdict(Ruling.PASS)


class Guard:
    """Judges SPAT frames of one crossing. identity: (node, region); arrows: lamp groups that show arrows."""

    def __init__(
        self,
        phases: Mapping[int, Sequence[int]],
        arrows: Collection[int],
        identity: tuple[int, int | None],
        *,
        test_ids: bool,
    ) -> None:
        self._phases = {phase: tuple(groups) for phase, groups in phases.items()}
        self._arrows = frozenset(arrows)
        self._identity = identity
        node, region = identity
        self._identity_allowed = test_ids == (node <= 255 or region == 0)
        self.evidence = Evidence()
        self.cycle_s = DEFAULT_CYCLE_S
        self.counters: Counter[str] = Counter()

    def saw(self, item: SignalReport | Programme) -> None:
        """Evidence straight from the driver."""
        if isinstance(item, Programme):
            self.evidence.programme(item)
            self.cycle_s = max((plan.cycle_s for plan in item.plans), default=DEFAULT_CYCLE_S)
        else:
            self.evidence.saw(item, self.cycle_s)

    def doubt(self) -> str | None:
        """What the evidence itself forbids."""
        return "conflict" if self.evidence.conflict() is not None else None

    def judge(self, frame: bytes, utc_ms: int | None) -> Verdict:
        """Does the frame say what the evidence says? utc_ms: of the minute now, None: not trusted."""
        verdict = self._judge(frame, utc_ms)
        self.counters[verdict.cause or "pass"] += 1
        return verdict

    def _judge(self, frame: bytes, utc_ms: int | None) -> Verdict:
        try:
            read = read_spat(frame)
        except NotSpat as error:
            return Verdict(Ruling.BLOCK, "unreadable", str(error))
        node, region = self._identity
        if not self._identity_allowed or (read.node, read.region) != (node, region):
            return Verdict(Ruling.BLOCK, "identity", f"node {read.node} region {read.region}")
        if {phase.phase for phase in read.phases} != self._phases.keys():
            return Verdict(Ruling.BLOCK, "phases", "not those of the site")
        return self._times(read, utc_ms) or self._colours(read) or PASSED

    def _times(self, read: SpatRead, utc_ms: int | None) -> Verdict | None:
        if read.millisecond is not None:
            if utc_ms is None:
                return Verdict(Ruling.BLOCK, "time", "a time on air while our clock is not trusted")
            apart = (read.millisecond - utc_ms) % MINUTE_MS
            if min(apart, MINUTE_MS - apart) > TIME_LIMIT_MS:
                return Verdict(Ruling.BLOCK, "time", f"{apart} ms from now")
        for phase in read.phases:
            ends = [end for end in (phase.least, phase.likely, phase.most) if end is not None]
            if ends != sorted(ends) or phase.likely == 0:
                return Verdict(Ruling.BLOCK, "order", f"phase {phase.phase}: ends {ends}")
        return None

    def _colours(self, read: SpatRead) -> Verdict | None:
        for phase in read.phases:
            if phase.light == UNAVAILABLE:
                continue
            groups = self._phases[phase.phase]
            arrow = all(group in self._arrows for group in groups)
            for group in groups:
                colour = self.evidence.colours.get(group)
                if colour is None or LIGHT_OF[colour][arrow] != phase.light:
                    detail = f"phase {phase.phase} says {phase.light}, lamp {group} is {colour}"
                    return Verdict(Ruling.BLOCK, "colour", detail)
        return None
