"""The witness: lamps that cameras see, held against what the controller says of them (field-rules 8). Pure.

It can only take away. A camera without a fresh view has no opinion, and no opinion is not disagreement.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from rsu_agent.world.signal import Colour, SignalReport
from rsu_agent.world.witness import HeadSeen, HeadsSeen

APART_S = 0.6  # a lamp and its report lie up to 200 ms apart, pictures 100 to 200 ms
APART_PERIODS = 2.0  # and a slow report comes later still
FRESH_S = 1.0  # an opinion that rests on an older picture is none
CONFIRMED_S, CONFIRMED_LOOKS = 1.0, 3  # a contradiction that lasts so long, in so many pictures, is confirmed
AGAIN_S = 2.0  # of agreement before times are told again
WHOLE_LOOKS = 5  # at least, in a run that counts as seen
FLASH_SURE_S = 3.0  # a camera that sees a flash, or none, for so long is sure of it
LETS_GO_S = 600.0  # so long after its last view a camera's contradiction is history
MANY, MOST_SHARE = 2, 0.5  # so many contradicted groups, and this share of all seen: it is the controller
TOLD_KEPT = 12

LIT: dict[Colour, str] = {
    Colour.DARK: "",
    Colour.RED: "r",
    Colour.RED_FLASH: "r",
    Colour.RED_YELLOW: "ry",
    Colour.YELLOW: "y",
    Colour.YELLOW_FLASH: "y",
    Colour.GREEN: "g",
    Colour.GREEN_FLASH: "g",
}
FLASHING = frozenset({Colour.RED_FLASH, Colour.YELLOW_FLASH, Colour.GREEN_FLASH})


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a group's cameras and its controller stand. agrees None: no camera has an opinion now.

    seen_s: newest picture with an opinion; since_s: since when it has been so. Monotonic seconds.
    """

    agrees: bool | None
    since_s: float | None
    seen_s: float | None
    contradicted: bool


@dataclass(slots=True)
class _Told:
    """What the controller says of one group: (since, colour), newest last."""

    runs: deque[tuple[float, Colour]] = field(default_factory=lambda: deque(maxlen=TOLD_KEPT))
    told_s: float = float("-inf")  # the newest report that names this group
    flashes: bool = False

    def between(self, from_s: float) -> Iterator[tuple[float, Colour]]:
        """Runs that were shown at some instant since from_s."""
        ends = [*(since for since, _ in list(self.runs)[1:]), float("inf")]
        for (since_s, colour), end_s in zip(self.runs, ends, strict=True):
            if end_s > from_s:
                yield since_s, colour


@dataclass(slots=True)
class _Standing:
    """One group."""

    heads: dict[tuple[str, int], HeadSeen] = field(default_factory=dict)
    agrees: bool | None = None
    since_s: float | None = None
    seen_s: float | None = None
    looks: int = 0
    timeless: bool = False
    contradicted: set[str] = field(default_factory=set)  # lamps told and not seen
    run_lit: str | None = None  # the lamps told now, and in how many looks they were seen so
    run_agreed: int = 0
    run_spoilt: bool = False


class Witness:
    """Fed with reports and with lamps seen; tells which groups may not be spoken of. Monotonic seconds."""

    def __init__(self) -> None:
        self._told: dict[int, _Told] = {}
        self._standing: dict[int, _Standing] = {}
        self.counters: Counter[str] = Counter()

    def saw_report(self, report: SignalReport) -> None:
        """What the controller says."""
        for lamp in report.lamps:
            told = self._told.setdefault(lamp.group, _Told())
            told.told_s = max(told.told_s, report.first_byte_s)
            told.flashes = told.flashes or lamp.colour in FLASHING
            if not told.runs or told.runs[-1][1] is not lamp.colour:
                told.runs.append((report.first_byte_s, lamp.colour))

    def saw_heads(self, seen: HeadsSeen, report_period_s: float) -> None:
        """What one camera sees of all its heads."""
        now_s = seen.captured_s
        apart_s = max(APART_S, APART_PERIODS * report_period_s)
        for place, head in enumerate(seen.heads):
            standing = self._standing.setdefault(head.group, _Standing())
            standing.heads[seen.camera, place] = head
        for group in {head.group for head in seen.heads}:
            self._judge(group, self._standing[group], now_s, apart_s)

    def timeless(self) -> frozenset[int]:
        """Groups whose times are not told: their cameras do not agree, or have not for long."""
        return frozenset(group for group, standing in self._standing.items() if standing.timeless)

    def contradicted(self, now_s: float) -> frozenset[int]:
        """Groups that are not spoken of: a contradiction was confirmed, and not taken back."""
        for standing in self._standing.values():
            if standing.contradicted and (standing.seen_s is None or now_s - standing.seen_s > LETS_GO_S):
                standing.contradicted.clear()
                standing.timeless = False
        return frozenset(group for group, standing in self._standing.items() if standing.contradicted)

    def doubt(self, now_s: float) -> str | None:
        """Whether so many groups are contradicted that nothing of this controller may be said."""
        lost = self.contradicted(now_s)
        seen = [s for s in self._standing.values() if s.seen_s is not None and now_s - s.seen_s <= LETS_GO_S]
        return "witness" if len(lost) >= MANY and len(lost) >= MOST_SHARE * len(seen) else None

    def agreement(self, now_s: float) -> dict[int, Agreement]:
        """Every group that a camera watches."""
        return {
            group: Agreement(
                standing.agrees
                if standing.seen_s is not None and now_s - standing.seen_s <= FRESH_S
                else None,
                standing.since_s,
                standing.seen_s,
                bool(standing.contradicted),
            )
            for group, standing in sorted(self._standing.items())
        }

    def _judge(self, group: int, standing: _Standing, now_s: float, apart_s: float) -> None:
        told = self._told.get(group)
        if told is not None and now_s - told.told_s > max(FRESH_S, apart_s):
            told = None  # of this group the controller says nothing now: a report of others is no word on it
        fresh = [
            head
            for head in standing.heads.values()
            if head.colour is not Colour.UNKNOWN and now_s - head.seen_s <= FRESH_S
        ]
        agrees = self._verdict(told, fresh, apart_s) if told is not None else None
        if fresh:
            standing.seen_s = max(head.seen_s for head in fresh)
        if agrees is not standing.agrees:
            standing.agrees, standing.since_s, standing.looks = agrees, now_s, 0
        standing.looks += 1
        since_s = now_s if standing.since_s is None else standing.since_s
        if told is None or agrees is None:
            return
        lit = LIT.get(told.runs[-1][1], "")
        if lit != standing.run_lit:
            self._run_over(standing)
            standing.run_lit, standing.run_agreed, standing.run_spoilt = lit, 0, False
        standing.run_agreed += agrees
        standing.run_spoilt |= not agrees
        if not agrees:
            self._differs(standing, lit, now_s, since_s)
        elif not standing.contradicted and now_s - since_s >= AGAIN_S:
            standing.timeless = False

    def _run_over(self, standing: _Standing) -> None:
        """A whole run of a colour that was seen as told takes its contradiction back; a part of one does not:

        two swapped groups are red together for a while in every cycle.
        """
        if standing.run_lit is not None and not standing.run_spoilt and standing.run_agreed >= WHOLE_LOOKS:
            standing.contradicted.discard(standing.run_lit)

    def _differs(self, standing: _Standing, lit: str, now_s: float, since_s: float) -> None:
        if not standing.timeless:
            self.counters["disagreements"] += 1
        standing.timeless = True
        if now_s - since_s >= CONFIRMED_S and standing.looks >= CONFIRMED_LOOKS:
            if not standing.contradicted:
                self.counters["contradictions"] += 1
            standing.contradicted.add(lit)

    def _verdict(self, told: _Told, heads: list[HeadSeen], apart_s: float) -> bool | None:
        """One head that shows what was never told is enough; a dark one is, where no other head agrees."""
        found = [_compared(told, head, apart_s) for head in heads]
        if any(
            one is False and head.colour is not Colour.DARK for one, head in zip(found, heads, strict=True)
        ):
            return False
        if any(found):
            return True
        return False if False in found else None


def _compared(told: _Told, head: HeadSeen, apart_s: float) -> bool | None:
    """Whether a head shows what was told around its picture; None: it may be about to."""
    around = list(told.between(head.seen_s - apart_s))
    if any(colour is Colour.UNKNOWN for _, colour in around):
        return None
    if all(LIT[colour] != LIT[head.colour] for _, colour in around):
        settled = head.since_s is None or head.seen_s - head.since_s >= apart_s
        return False if settled else None
    since_s, colour = around[-1]
    both_last = min(head.seen_s - since_s, head.seen_s - (since_s if head.since_s is None else head.since_s))
    sure = told.flashes and both_last >= FLASH_SURE_S
    return not sure or (colour in FLASHING) is (head.colour in FLASHING)
