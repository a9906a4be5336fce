"""What has been seen of each lamp group: its colour, since when, and the changes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rsu_agent.world.signal import Colour, SignalReport

PERIODS_KEPT = 100  # field-rules 3.3: the report period is the p99 of the last 100 intervals
KEPT_SHARE = 0.99
FIRST_PERIOD_S = 0.1
STALE_FLOOR_S = 0.3  # field-rules 4: 300 ms for 10 Hz sources, else 1.5 report periods + 100 ms
TEN_HZ_PERIOD_S = 0.130
PACE_KNOWN = 10  # intervals from which an interval that made us doubt is an outage, and no pace
NO_RETURN_S = 2.0  # in so short a time no lamp leaves a colour and is back in it
# Unless the source has become slower: so many that follow each other are alike, or really many.
NEW_PACE, ALIKE, SURELY_NEW = 10, 1.5, 60


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
        self.dark: set[int] = set()  # groups that have been seen dark: no plan says when they are
        self._intervals: deque[float] = deque(maxlen=PERIODS_KEPT)
        self._period_s = FIRST_PERIOD_S
        self._outages: list[float] = []
        self._blind = False  # colours may have changed unseen since the last report

    def receive(self, report: SignalReport) -> Iterator[Edge]:
        """Edges between what was known and this report; older reports than the newest are ignored.

        What changed while nothing was heard is no edge: nobody saw when.
        """
        if report.complete:
            self._complete(report.first_byte_s)
        for lamp in report.lamps:
            if lamp.colour is Colour.DARK:
                self.dark.add(lamp.group)
            shown = self.shown.get(lamp.group)
            if shown is None:
                self.shown[lamp.group] = Shown(lamp.colour, None, report.first_byte_s)
            elif self._blind:
                same = lamp.colour is shown.colour and report.first_byte_s - shown.seen_s < NO_RETURN_S
                since_s = shown.since_s if same else None
                self.shown[lamp.group] = Shown(lamp.colour, since_s, report.first_byte_s)
            elif report.first_byte_s >= shown.seen_s:
                shown.seen_s = report.first_byte_s
                if lamp.colour is not shown.colour:
                    edge = Edge(lamp.group, shown.colour, lamp.colour, report.first_byte_s)
                    shown.colour, shown.since_s = lamp.colour, report.first_byte_s
                    yield edge

        self._blind = self._blind and not report.complete

    def line_lost(self) -> None:
        """The line broke: the next complete report starts afresh."""
        self.complete_s, self._blind = None, True

    @property
    def blind(self) -> bool:
        """Whether colours may have changed unseen since the last report."""
        return self._blind

    @property
    def report_period_s(self) -> float:
        """p99 (nearest rank) of the last hundred intervals between complete reports."""
        return self._period_s

    @property
    def stale_after_s(self) -> float:
        """Age of the newest complete report from which nothing is said."""
        period_s = self.report_period_s
        return STALE_FLOOR_S if period_s <= TEN_HZ_PERIOD_S else 1.5 * period_s + 0.1

    def _complete(self, at_s: float) -> None:
        """A complete report's instant: the interval before it, and whether that was an outage."""
        if self.complete_s is not None and at_s > self.complete_s:
            interval_s = at_s - self.complete_s
            self._blind = self._blind or bool(self._intervals and interval_s > self.stale_after_s)
            self._paced(interval_s)
        self.complete_s = max(at_s, self.complete_s or at_s)

    def _paced(self, interval_s: float) -> None:
        if interval_s > self.stale_after_s and len(self._intervals) >= PACE_KNOWN:
            self._outages.append(interval_s)
            if self._slower():
                self._intervals.clear()
                self._intervals.extend(self._outages)
                self._outages.clear()
                self._period_s = _high(self._intervals)
            return
        self._outages.clear()
        self._intervals.append(interval_s)
        self._period_s = _high(self._intervals)

    def _slower(self) -> bool:
        """Whether what looked like outages is a pace: a slow source is regular, a bad line is not."""
        last = self._outages[-NEW_PACE:]
        alike = len(last) == NEW_PACE and max(last) <= ALIKE * min(last)
        return alike or len(self._outages) >= SURELY_NEW


def _high(intervals: Iterable[float]) -> float:
    """Nearest rank of the share kept: asked for every group and frame, so it is kept and not sought anew."""
    ordered = sorted(intervals)
    return ordered[math.ceil(KEPT_SHARE * len(ordered)) - 1]
