"""What has been seen of each lamp group: its colour, since when, and the changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from rsu_agent.world.signal import Colour, SignalReport

PERIODS_KEPT = 100  # field-rules 3.3: the report period is the p99 of the last 100 intervals
KEPT_SHARE = 0.99
FIRST_PERIOD_S = 0.1


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of colour, stamped with the first byte of the first report that shows it."""

    group: int
    before: Colour
    after: Colour
    at_s: float


@dataclass(slots=True)
class Shown:
    """What a group shows now. since_s None: it has shown this since we began to look."""

    colour: Colour
    since_s: float | None
    seen_s: float


class History:
    """All groups; fed with reports, gives the edges they contain."""

    def __init__(self) -> None:
        self.shown: dict[int, Shown] = {}
        self.complete_s: float | None = None
        self._intervals: deque[float] = deque(maxlen=PERIODS_KEPT)

    def receive(self, report: SignalReport) -> Iterator[Edge]:
        """Edges between what was known and this report; older reports than the newest are ignored."""
        if report.complete:
            if self.complete_s is not None and report.first_byte_s > self.complete_s:
                self._intervals.append(report.first_byte_s - self.complete_s)
            self.complete_s = max(report.first_byte_s, self.complete_s or report.first_byte_s)
        for lamp in report.lamps:
            shown = self.shown.get(lamp.group)
            if shown is None:
                self.shown[lamp.group] = Shown(lamp.colour, None, report.first_byte_s)
            elif report.first_byte_s >= shown.seen_s:
                shown.seen_s = report.first_byte_s
                if lamp.colour is not shown.colour:
                    edge = Edge(lamp.group, shown.colour, lamp.colour, report.first_byte_s)
                    shown.colour, shown.since_s = lamp.colour, report.first_byte_s
                    yield edge

    @property
    def report_period_s(self) -> float:
        """p99 of the last hundred intervals between complete reports."""
        if not self._intervals:
            return FIRST_PERIOD_S
        ordered = sorted(self._intervals)
        return ordered[min(len(ordered) - 1, int(KEPT_SHARE * len(ordered)))]
