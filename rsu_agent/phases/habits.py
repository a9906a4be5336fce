"""How long each group's colours have lasted: what may be said of a colour whose end traffic decides."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from dataclasses import dataclass, field

from rsu_agent.phases.history import Edge, Shown
from rsu_agent.world.signal import Colour, GroupOutlook

RUNS_KEPT = 240
FEWEST_RUNS = 4  # before them nothing is said
TAIL = 0.004  # share of runs left outside at either end
MARGIN_S = 1.0  # beyond the shortest and longest seen: the next one may be new
WIDEN, LEAST_SPREAD = 8.0, 0.25  # and beyond that by the spread of so few
FEW_ADDED = 6  # imagined bad runs: a crowd among few is often none
GOOD_ERROR_S = 1.0  # field-rules 3.5
LIKELY_FROM = (
    0.25  # a likely end is told only where so large a share of like runs ended within a second of it
)


@dataclass(slots=True)
class Lasted:
    """One group's one colour: its last runs in order of time, and sorted."""

    newest: deque[float] = field(default_factory=lambda: deque(maxlen=RUNS_KEPT))
    in_order: list[float] = field(default_factory=list)

    def add(self, seconds: float) -> None:
        """A run that has ended."""
        if len(self.newest) == RUNS_KEPT:
            self.in_order.remove(self.newest[0])
        self.newest.append(seconds)
        insort(self.in_order, seconds)

    def after(self, elapsed_s: float) -> list[float]:
        """Runs that lasted longer than this, sorted."""
        return self.in_order[bisect_right(self.in_order, elapsed_s) :]

    def margin_s(self, left: list[float]) -> float:
        """How far beyond the runs that are left the next one may lie: the farther, the fewer they are.

        Of n runs the next one lies outside all of them with a probability of two in n + 1.
        """
        spread_s = max(left[-1] - left[0], LEAST_SPREAD * (self.in_order[-1] - self.in_order[0]))
        return MARGIN_S + spread_s * WIDEN / len(left)


class Habits:
    """All groups. Fed with every change; asked for the rest of what is shown."""

    def __init__(self) -> None:
        self._lasted: dict[tuple[int, Colour], Lasted] = {}
        self._since_s: dict[int, float] = {}

    def saw_edge(self, edge: Edge) -> None:
        """A colour has ended; its run counts when its beginning was seen too."""
        began_s = self._since_s.get(edge.group)
        if began_s is not None:
            self._lasted.setdefault((edge.group, edge.before), Lasted()).add(edge.at_s - began_s)
        self._since_s[edge.group] = edge.at_s

    def interrupted(self) -> None:
        """Something was not seen, or does not belong to how things are: the runs that go on do not count."""
        self._since_s.clear()

    def outlook(self, group: int, shown: Shown, now_s: float) -> GroupOutlook | None:
        """Bounds that nearly all like runs kept, the middle where they crowd; None: too few are known."""
        lasted = self._lasted.get((group, shown.colour))
        if lasted is None or shown.since_s is None or len(lasted.in_order) < FEWEST_RUNS:
            return None
        since_s = shown.since_s
        left = lasted.after(now_s - since_s)
        if not left:  # longer than ever: nobody knows
            return GroupOutlook(group, shown.colour, since_s, min_end_s=now_s)
        margin_s = lasted.margin_s(left)
        shortest = max(now_s, since_s + left[int(TAIL * len(left))] - margin_s)
        longest = since_s + left[-1 - int(TAIL * len(left))] + margin_s
        middle = left[len(left) // 2]
        near = sum(abs(each - middle) <= GOOD_ERROR_S for each in left)
        share = near / (len(left) + FEW_ADDED)
        likely_s = max(since_s + middle, now_s + 0.1) if share >= LIKELY_FROM else None
        if likely_s is not None:
            shortest, longest = min(shortest, likely_s), max(longest, likely_s)
        return GroupOutlook(
            group,
            shown.colour,
            since_s,
            min_end_s=shortest,
            likely_end_s=likely_s,
            max_end_s=longest,
            confidence=share if likely_s is not None else None,
        )
