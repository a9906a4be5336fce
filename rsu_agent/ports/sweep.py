"""A controller that tells its lamps in several frames: when all have been told, that is a complete report."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rsu_agent.world.signal import Lamp, SignalReport


class Sweep:
    """Collects lamps since the last complete report."""

    def __init__(self) -> None:
        self._told: dict[int, tuple[Lamp, float]] = {}

    def take(self, report: SignalReport, groups: Collection[int]) -> Iterator[SignalReport]:
        """The report itself; behind it a complete one when it was the last that was missing.

        The complete one is as old as the oldest lamp in it.
        """
        yield report
        if report.complete:
            self._told.clear()
            return
        for lamp in report.lamps:
            self._told[lamp.group] = lamp, report.first_byte_s
        if report.lamps and groups and all(group in self._told for group in groups):
            told = [self._told[group] for group in sorted(groups)]
            oldest_s = min(at_s for _, at_s in told)
            yield SignalReport(oldest_s, report.last_byte_s, tuple(lamp for lamp, _ in told), complete=True)
            self._told.clear()
