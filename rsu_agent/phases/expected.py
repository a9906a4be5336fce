"""What a learnt cycle makes us expect of each group: sought once a colour, then moved with what is learnt."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from rsu_agent.phases.cycle import Cycle, Slot
from rsu_agent.phases.history import Shown
from rsu_agent.world.signal import GroupOutlook


@dataclass(slots=True)
class Expected:
    """When what a group shows should end, and the next run of the same colour: (edge, absolute seconds)."""

    key: Hashable
    end: tuple[Slot, float]
    run: tuple[tuple[Slot, float], tuple[Slot, float]] | None
    lessons: int
    said: GroupOutlook | None = None  # made from this; holds until said_until_s and while the score is this
    said_until_s: float = 0.0
    said_score: int = 0

    @property
    def end_s(self) -> float:
        """The end, monotonic seconds."""
        return self.end[1]

    @property
    def spread_s(self) -> float:
        """How far its edge has lain from where it was expected."""
        return self.end[0].spread_s

    def again(self, after_s: float) -> tuple[float, float] | tuple[None, None]:
        """(start, seconds) of the next run, where it begins no earlier than that."""
        if self.run is None or self.run[0][1] < after_s:
            return None, None
        (_, start_s), (_, stop_s) = self.run
        return start_s, stop_s - start_s

    def follow(self, cycle: Cycle) -> None:
        """The same edges, where they lie after the last lesson."""
        self.end = _moved(cycle, self.end)
        if self.run is not None:
            self.run = _moved(cycle, self.run[0]), _moved(cycle, self.run[1])
        self.lessons, self.said = cycle.lessons, None


class Expectations:
    """One cycle's, by group."""

    def __init__(self, cycle: Cycle) -> None:
        self._cycle = cycle
        self._kept: dict[int, Expected] = {}

    def of(self, group: int, shown: Shown, now_s: float) -> Expected | None:
        """What is expected of what this group shows; None: its cycle does not tell."""
        cycle = self._cycle
        key = shown.colour, shown.since_s, len(cycle.slots.get(group, ()))
        kept = self._kept.get(group)
        if kept is not None and kept.key == key and shown.since_s is not None:  # without, it depends on now
            if kept.lessons != cycle.lessons:
                kept.follow(cycle)
            return kept
        found = cycle.end_of(group, shown.colour, shown.since_s, now_s)
        if found is None:
            return None
        run = cycle.run_of(group, shown.colour, found[1])
        self._kept[group] = Expected(key, found, run, cycle.lessons)
        return self._kept[group]


def _moved(cycle: Cycle, edge: tuple[Slot, float]) -> tuple[Slot, float]:
    slot, at_s = edge
    return slot, cycle.near(slot, at_s)
