"""What the controller itself says of the end of a colour, held against what then happens.

A display's count is a lower and an upper bound that every new count narrows; bounds are taken as they are.
Nothing of it is believed before it has come true often enough (facts/controllers 9.2.3: a display in actuated
operation may freeze or jump).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from rsu_agent.phases.history import Edge, Shown
from rsu_agent.world.signal import Colour, GroupOutlook, GroupTimes

STAMP_S = 0.3  # a count is as old as its report, and changes a little before or after the lamp knows
JUMP_S = 2.0  # facts 9.2.3: a count that jumps by more, or stands still so long, is no count of seconds
OUTCOMES = 40
FIRST_TRUST = 2  # ends that came true before anything is said
LEAST_TRUE = 0.9  # share of the last ends that lay within what was told
GOOD_ERROR_S = 1.0  # field-rules 3.5
SURE_S = 0.3  # bounds so near to each other name the end
FRESH_S = 2.5  # what was told longer ago is no longer told


@dataclass(slots=True)
class Run:
    """One colour's bounds, absolute monotonic seconds."""

    least_s: float | None = None
    likely_s: float | None = None
    most_s: float | None = None
    told_s: float = 0.0
    steady: bool = True  # no jump and no standstill so far
    count: float | None = None
    count_since_s: float = 0.0


@dataclass(slots=True)
class Record:
    """How a group's ends came out. (within the bounds, error of the likely end)"""

    outcomes: deque[tuple[bool, float | None]] = field(default_factory=lambda: deque(maxlen=OUTCOMES))

    def believed(self) -> bool:
        """Whether enough of what was told has come true."""
        true = [within for within, _ in self.outcomes]
        return sum(true) >= FIRST_TRUST and sum(true) >= LEAST_TRUE * len(true)

    def confidence(self) -> float | None:
        """P(|actual - likely| <= 1 s) with one imagined good and one bad end; None without likely ends."""
        errors = [error for _, error in self.outcomes if error is not None]
        good = sum(error <= GOOD_ERROR_S for error in errors)
        return (good + 1) / (len(errors) + 2) if errors else None


class TimesTold:
    """All groups of one controller."""

    def __init__(self) -> None:
        self._runs: dict[int, Run] = {}
        self._records: dict[tuple[int, Colour], Record] = {}
        self._flash_s: dict[int, float] = {}  # how long a group's green flash lasts, as last seen
        self._green_ends: dict[int, float] = {}
        self.counters: dict[str, int] = {"jumps": 0}

    def receive(self, times: Iterable[GroupTimes], at_s: float) -> None:
        """Take in what a report stamped at_s tells of the colours that it shows."""
        for told in times:
            run = self._runs.setdefault(told.group, Run())
            run.told_s = at_s
            if told.display and told.likely_s is not None:
                self._count(run, told.likely_s, at_s)
            else:
                run.least_s = None if told.least_s is None else at_s + told.least_s
                run.most_s = None if told.most_s is None else at_s + told.most_s
                run.likely_s = None if told.likely_s is None else at_s + told.likely_s
                if run.likely_s is None and run.least_s is not None and run.most_s is not None:
                    sure = run.most_s - run.least_s <= SURE_S
                    run.likely_s = (run.least_s + run.most_s) / 2 if sure else None

    def saw_edge(self, edge: Edge) -> None:
        """A colour has ended: was it told?"""
        run = self._runs.get(edge.group)
        end_s = edge.at_s
        into_flash = edge.before is Colour.GREEN and edge.after is Colour.GREEN_FLASH
        if into_flash:
            self._green_ends[edge.group] = end_s
        elif edge.before is Colour.GREEN:
            self._flash_s[edge.group] = 0.0
        elif edge.before is Colour.GREEN_FLASH and edge.group in self._green_ends:
            self._flash_s[edge.group] = end_s - self._green_ends.pop(edge.group)
        if run is not None:
            bounds = self._bounds(edge.group, edge.before, run)
            if bounds is not None:
                least_s, likely_s, most_s = bounds
                within = (least_s is None or end_s >= least_s - STAMP_S) and (
                    most_s is None or end_s <= most_s + STAMP_S
                )
                error_s = None if likely_s is None else abs(end_s - likely_s)
                record = self._records.setdefault((edge.group, edge.before), Record())
                record.outcomes.append((within and run.steady, error_s))
        if not into_flash or run is None or run.count is None:
            self._runs.pop(edge.group, None)

    def outlook(self, group: int, shown: Shown, now_s: float) -> GroupOutlook | None:
        """What is told and believed of a group's colour, None where nothing is."""
        run = self._runs.get(group)
        record = self._records.get((group, shown.colour))
        if run is None or record is None or now_s - run.told_s > FRESH_S or not run.steady:
            return None
        bounds = self._bounds(group, shown.colour, run)
        if bounds is None or not record.believed():
            return None
        least_s, likely_s, most_s = bounds
        if most_s is not None and most_s < now_s - STAMP_S:
            return None
        likely_s = None if likely_s is None else max(likely_s, now_s + 0.1)
        least_s = now_s if least_s is None else max(now_s, least_s - STAMP_S)
        if likely_s is not None:
            least_s = min(least_s, likely_s)
            most_s = None if most_s is None else max(most_s, likely_s)
        return GroupOutlook(
            group,
            shown.colour,
            shown.since_s,
            min_end_s=least_s,
            likely_end_s=likely_s,
            max_end_s=None if most_s is None else most_s + STAMP_S,
            confidence=record.confidence() if likely_s is not None else None,
        )

    def _count(self, run: Run, count: float, at_s: float) -> None:
        """A display's whole seconds: 1 in the last second, so that the end lies in the second before it."""
        if run.count is not None and count == run.count and at_s - run.count_since_s > 1.0 + JUMP_S:
            run.steady = False  # it stands still
        if count != run.count:
            run.count, run.count_since_s = count, at_s
        low_s, high_s = at_s + count - 1.0 - STAMP_S, at_s + count + STAMP_S
        if run.least_s is None or run.most_s is None:
            run.least_s, run.most_s = low_s, high_s
        elif low_s > run.most_s + JUMP_S or high_s < run.least_s - JUMP_S:
            self.counters["jumps"] += 1
            run.steady = False
            run.least_s, run.most_s = low_s, high_s
        else:
            both = max(run.least_s, low_s), min(run.most_s, high_s)
            run.least_s, run.most_s = both if both[0] <= both[1] else (low_s, high_s)
        run.likely_s = (run.least_s + run.most_s) / 2

    def _bounds(
        self, group: int, colour: Colour, run: Run
    ) -> tuple[float | None, float | None, float | None] | None:
        """Bounds on the end of the colour itself: a display counts a green and its flash as one."""
        if run.count is None or colour is not Colour.GREEN:
            return run.least_s, run.likely_s, run.most_s
        flash_s = self._flash_s.get(group)
        if flash_s is None or run.least_s is None or run.likely_s is None or run.most_s is None:
            return None
        return run.least_s - flash_s, run.likely_s - flash_s, run.most_s - flash_s
