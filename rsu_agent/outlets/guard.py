"""The guard: compares the bytes about to leave with the lamp reports; passes or blocks, never invents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rsu_agent.messages.moment import UtcStamp
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.evidence import Evidence
from rsu_agent.outlets.guard_table import DARK, UNAVAILABLE
from rsu_agent.outlets.matrix import Matrix
from rsu_agent.outlets.rules import Rules
from rsu_agent.outlets.spat_reader import SpatRead
from rsu_agent.world.signal import GroupOutlook, Programme, SignalOutlook, SignalReport

TIME_LIMIT_MS = 20  # field-rules 3.1
MINUTE_MS = 60_000
LONGEST = 36_000  # tenths of a second; 36001 alone says that an end is not known (field-rules 3.2)
DEFAULT_CYCLE_S = 120.0
APART_TENTHS = 2.0  # a likely end may be so far from the one meant: rounding, and a stamp in milliseconds


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
        rules: Rules,
        arrows: Collection[int],
        identity: tuple[int, int | None],
        matrix: Matrix,
        *,
        test_ids: bool,
    ) -> None:
        self._rules = rules
        self._identity = identity
        node, region = identity
        self._identity_allowed = test_ids == (node <= 255 or region == 0)
        self.evidence = Evidence(frozenset(arrows), matrix=matrix)
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

    def judge(
        self,
        frame: bytes,
        now: UtcStamp | None,
        contradicted: Collection[int] = frozenset(),
        meant: SignalOutlook | None = None,
    ) -> Verdict:
        """Does the frame say what the evidence says? now: UTC at this instant, None: not trusted.

        contradicted: lamp groups of which nothing may be said, for their cameras see something else.
        meant: what the encoder was given; None: not known.
        """
        verdict = self._judge(frame, now, contradicted, meant)
        self.counters[verdict.cause or "pass"] += 1
        return verdict

    def _judge(
        self,
        frame: bytes,
        now: UtcStamp | None,
        contradicted: Collection[int],
        meant: SignalOutlook | None,
    ) -> Verdict:
        rules = self._rules
        try:
            read = rules.read(frame, now)
        except NotSpat as error:
            return Verdict(Ruling.BLOCK, error.cause, str(error))
        node, region = self._identity
        if not self._identity_allowed or (read.node, read.region) != (node, region):
            return Verdict(Ruling.BLOCK, "identity", f"node {read.node} region {read.region}")
        if rules.revision not in (None, read.revision):
            return Verdict(Ruling.BLOCK, "revision", f"{read.revision}, the MAP has {rules.revision}")
        if {phase.phase for phase in read.phases} != rules.groups.keys():
            return Verdict(Ruling.BLOCK, "phases", "not those of the site")
        found = _message_time(read, now) or _ends(read) or self._colours(read, contradicted)
        return found or self._as_meant(read, meant) or PASSED

    def _colours(self, read: SpatRead, contradicted: Collection[int]) -> Verdict | None:
        rules = self._rules
        for phase in read.phases:
            if phase.light == UNAVAILABLE:
                continue
            for group in rules.groups[phase.phase]:
                if group in contradicted:
                    return Verdict(Ruling.BLOCK, "contradicted", f"phase {phase.phase}, lamp {group}")
                colour = self.evidence.colours.get(group)
                if colour is None or rules.lights[colour][rules.column[phase.phase]] != phase.light:
                    detail = f"phase {phase.phase} says {phase.light}, lamp {group} is {colour}"
                    return Verdict(Ruling.BLOCK, "colour", detail)
        return None

    def _as_meant(self, read: SpatRead, meant: SignalOutlook | None) -> Verdict | None:
        """An encoder may leave an end out; it may not shift one, nor take another group's."""
        if meant is None:
            return None
        by_group = {group.group: group for group in meant.groups}
        for phase in read.phases:
            if phase.likely is None:
                continue
            members = (by_group[group] for group in self._rules.groups[phase.phase] if group in by_group)
            if not any(self._may_end(member, phase.likely, meant.at_s) for member in members):
                return Verdict(Ruling.BLOCK, "ends", f"phase {phase.phase} ends in {phase.likely / 10:g} s")
        return None

    def _may_end(self, group: GroupOutlook, likely: int, now_s: float) -> bool:
        """Whether a likely end, tenths from now, is what was meant of a group."""
        return any(
            abs(min(max(end, 0.0), LONGEST) - likely) <= APART_TENTHS for end in self._ends_of(group, now_s)
        )

    def _ends_of(self, group: GroupOutlook, now_s: float) -> Iterator[float]:
        """Tenths from now at which what is said of a group may end."""
        if group.likely_end_s is not None:
            yield (group.likely_end_s - now_s) * 10
            if self._rules.flash_is_green and group.flash_s:
                yield (group.likely_end_s + group.flash_s - now_s) * 10


def _message_time(read: SpatRead, now: UtcStamp | None) -> Verdict | None:
    """Minute of the year and millisecond must be those of now; both or neither."""
    if read.minute is None and read.millisecond is None:
        return None
    if now is None:
        return Verdict(Ruling.BLOCK, "time", "a time on air while our clock is not trusted")
    if read.minute is None or read.millisecond is None:
        return Verdict(Ruling.BLOCK, "time", "half a time")
    apart = abs((read.minute - now.minute_of_year) * MINUTE_MS + read.millisecond - now.millisecond)
    return Verdict(Ruling.BLOCK, "time", f"{apart} ms from now") if apart > TIME_LIMIT_MS else None


def _ends(read: SpatRead) -> Verdict | None:
    """Ends in order and in range, and none where nothing is said or nothing shines."""
    for phase in read.phases:
        ends = [end for end in (phase.least, phase.likely, phase.most) if end is not None]
        wrong = ends != sorted(ends) or phase.likely == 0 or not min(ends, default=0) >= 0
        wrong = wrong or max(ends, default=0) > LONGEST
        if wrong or (ends and phase.light in (UNAVAILABLE, DARK)):
            return Verdict(Ruling.BLOCK, "order", f"phase {phase.phase}, light {phase.light}: ends {ends}")
    return None
