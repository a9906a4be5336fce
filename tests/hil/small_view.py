"""A cabinet in which everything is as a test says: for the faces that protocols give the controller."""

from __future__ import annotations

from dataclasses import dataclass, field

from hil.devices.controller_view import Span

UNKNOWN = Span(None, None, None)
Steps = tuple[tuple[str, int], ...]


@dataclass
class SmallView:
    """Nothing moves by itself. running: what `stage` gives; cycle, coming: this cycle's steps, the next's."""

    known: dict[int, str] = field(default_factory=lambda: dict.fromkeys(range(1, 25), "red"))
    mode: str = "fixed"
    plan: int = 1
    faults: tuple[int, ...] = ()
    preempt: int = 0
    priority: int = 0
    running: tuple[int, float, float] = (0, 0.0, 0.0)
    spans: dict[int, Span] = field(default_factory=dict)
    cycle: dict[int, Steps] = field(default_factory=dict)
    coming: dict[int, Steps] = field(default_factory=dict)
    calls: set[int] = field(default_factory=set)
    utc_less_now_s: float = 0.0

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """As set, at whatever time."""
        return self.running

    def span(self, group: int, now_s: float) -> Span:
        """As set; unknown where nothing is."""
        return self.spans.get(group, UNKNOWN)

    def steps(self, group: int, ahead: int, now_s: float) -> Steps:
        """As set; the next cycle is like this one where nothing else is."""
        this = self.cycle.get(group, ())
        return self.coming.get(group, this) if ahead else this

    def called(self, group: int) -> bool:
        """Whether it is among the calls."""
        return group in self.calls

    def utc_s(self, now_s: float) -> float:
        """The rig's clock, shifted."""
        return now_s + self.utc_less_now_s


def ends_in(seconds: float) -> Span:
    """An end that is known exactly."""
    return Span(seconds, seconds, seconds)
