"""What the guard believes: lamp reports alone, never a prediction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rsu_agent.outlets.matrix import Matrix
from rsu_agent.world.signal import GO, Colour, Programme, SignalReport

# Changes that are true but not usual: the colour goes out, the group's times are held back for a cycle.
UNUSUAL = frozenset(
    {
        (Colour.GREEN, Colour.RED),
        (Colour.YELLOW, Colour.GREEN),
        (Colour.DARK, Colour.GREEN),
        (Colour.GREEN, Colour.DARK),
        (Colour.RED, Colour.YELLOW),
    }
)


@dataclass(slots=True)
class Evidence:
    """Newest colours by group, and which groups must not be green together.

    arrows: lamp groups that show arrows; they may go dark in the plan (field-rules 2.1), round heads may not.
    """

    arrows: frozenset[int] = frozenset()
    colours: dict[int, Colour] = field(default_factory=dict)
    complete_s: float | None = None
    held_until_s: dict[int, float] = field(default_factory=dict)
    counters: Counter[str] = field(default_factory=Counter)
    matrix: Matrix = field(default_factory=Matrix)

    def saw(self, report: SignalReport, cycle_s: float) -> None:
        """Take in a report."""
        for lamp in report.lamps:
            before = self.colours.get(lamp.group)
            if lamp.colour is Colour.DARK is not before and lamp.group not in self.arrows:
                self.counters["dark_head"] += 1
            dark_arrow = lamp.group in self.arrows and Colour.DARK in (before, lamp.colour)
            if before is not None and (before, lamp.colour) in UNUSUAL and not dark_arrow:
                self.counters[f"unusual_{before}_{lamp.colour}"] += 1
                self.held_until_s[lamp.group] = report.first_byte_s + cycle_s
            self.colours[lamp.group] = lamp.colour
        if report.complete:
            self.complete_s = max(report.first_byte_s, self.complete_s or report.first_byte_s)

    def programme(self, programme: Programme) -> None:
        """The controller's own matrix."""
        self.matrix.programme(programme)

    def conflict(self) -> tuple[int, int] | None:
        """Two groups that are green now and must not be, together."""
        return self.matrix.violated(group for group, colour in self.colours.items() if colour in GO)

    def held(self, now_s: float) -> frozenset[int]:
        """Groups whose times are held back now."""
        return frozenset(group for group, until_s in self.held_until_s.items() if until_s > now_s)
