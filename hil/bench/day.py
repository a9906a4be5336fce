"""A day of a controller on simulated time: plans by time of day, traffic, clock jumps; reports and truth."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from hil.bench.crossing import READING_S, lamps, report
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS
from rsu_agent.world.signal import Control, SignalReport

PERIOD_S, PHASE_S = 1.0, 0.37  # reports lie between the whole seconds at which plans change
AROUND_S = (-0.06, 0.03)  # looks beside a change: just before it is known, just after
CONTROLS = {
    "fixed": Control.FIXED_TIME,
    "coordinated": Control.COORDINATED,
    "actuated": Control.ACTUATED,
    "adaptive": Control.ADAPTIVE,
}


@dataclass(frozen=True)
class Step:
    """What happens at a second of the run: another plan or mode, or the controller's clock set."""

    at_s: float
    do: str
    what: object


@dataclass
class Ends:
    """When each group's colours ended, in order, as the controller came to know."""

    times: dict[int, list[float]] = field(default_factory=lambda: {group: [] for group in GROUPS})

    def after(self, group: int, at_s: float) -> float | None:
        """The first end after an instant."""
        own = self.times[group]
        place = bisect_right(own, at_s)
        return own[place] if place < len(own) else None


class Day:
    """One controller; iterate to get (instant, report or None): None is an instant to look at."""

    def __init__(self, start_s: float, seconds: float, seed: int, mode: str = "fixed") -> None:
        self.start_s, self._seconds = start_s, seconds
        self._model = SignalModel(start_s, seed=seed)
        if mode != "fixed":
            self._model.set_mode(mode, start_s)
        self.steps: list[Step] = []
        self.ends = Ends()

    def __iter__(self) -> Iterator[tuple[float, SignalReport | None]]:
        """In order of time; ends are complete for all that lies behind."""
        steps = sorted(self.steps, key=lambda step: step.at_s)
        at_s, end_s = self.start_s, self.start_s + self._seconds
        next_report_s = at_s + PHASE_S
        while at_s < end_s:
            while steps and at_s >= self.start_s + steps[0].at_s:
                step = steps.pop(0)
                getattr(self._model, step.do)(step.what, at_s)
            _, learnt = self._model.advance(at_s)
            for group in learnt:
                self.ends.times[group].append(at_s)
            if at_s >= next_report_s:
                next_report_s += PERIOD_S
                yield at_s + READING_S, self._polled(at_s)
            elif learnt:
                yield at_s + READING_S, self._trapped(at_s, learnt)
            if learnt:
                yield at_s + AROUND_S[1], None
            coming_s = self._model.next_s()
            due_s = min(next_report_s, max(coming_s, at_s + 1e-6))
            if due_s == coming_s and due_s + AROUND_S[0] > at_s + AROUND_S[1]:
                yield due_s + AROUND_S[0], None
            at_s = due_s

    def _polled(self, at_s: float) -> SignalReport:
        whole = report(self._model, at_s, CONTROLS[self._model.mode])
        return replace(whole, controller_utc_ms=round(self._model.utc_s(at_s) * 1000))

    def _trapped(self, at_s: float, groups: Sequence[int]) -> SignalReport:
        """What a controller tells by itself of groups that have changed."""
        control, shown = CONTROLS[self._model.mode], lamps(self._model, groups)
        return SignalReport(at_s, at_s + READING_S, shown, False, control, self._model.plan, unsolicited=True)
