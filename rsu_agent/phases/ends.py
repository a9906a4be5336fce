"""When colours end, from the best that is known: a calibrated cycle, the controller, habits, limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rsu_agent.phases.habits import Habits
from rsu_agent.phases.history import Edge, Shown
from rsu_agent.phases.predict import FixedTimePredictor, Timetable, of_plan, of_steps
from rsu_agent.phases.rhythm import Rhythm
from rsu_agent.phases.told import TimesTold
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupOutlook,
    GroupSteps,
    Phase,
    Plan,
    Programme,
    SignalReport,
)

FIXED = frozenset({Control.FIXED_TIME, Control.COORDINATED})
BY_TRAFFIC = frozenset({Control.ACTUATED, Control.ADAPTIVE, Control.UNKNOWN})

TRANSITION_S = 0.5  # either way: whole seconds, and the lamp's own delay


@dataclass(frozen=True, slots=True)
class Regime:
    """How the controller runs now; what was learnt under one does not hold under another."""

    control: Control | None = None
    plan: int | None = None
    preempt: bool = False
    priority: bool = False

    @property
    def forced(self) -> bool:
        """Whether somebody else than the programme decides."""
        return self.preempt or self.priority


class Ends:
    """One controller's. Absolute monotonic seconds."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._programme: Programme | None = None
        self._regime = Regime()
        self._steps: tuple[GroupSteps, ...] = ()
        self._predictor: FixedTimePredictor | None = None
        self._abrupt = False  # what was learnt has been forgotten, and no predictor has begun since
        self._told = TimesTold()
        self._rhythm = Rhythm()
        self._habits: dict[tuple[Control | None, int | None], Habits] = {}

    @property
    def errors_s(self) -> Sequence[float]:
        """How far predicted ends were off lately."""
        return list(self._predictor.errors_s) if self._predictor else []

    def programme(self, programme: Programme) -> None:
        """The programme, when it is first read or has changed."""
        self._programme = programme

    def enter(self, regime: Regime, reason: str | None) -> None:
        """How it runs from now on; reason: what has changed, None at first."""
        self._regime = regime
        if reason is not None:
            self.forget(reason)

    def forget(self, reason: str) -> None:
        """What was learnt of the present no longer holds."""
        self._rhythm.clear()
        self.interrupted()
        if self._predictor is not None:
            self.counters[f"forgot_{reason}"] += 1
            self.counters.update(self._predictor.counters)
            self._predictor, self._abrupt = None, True

    def interrupted(self) -> None:
        """Something was not seen: runs that go on do not count."""
        for habits in self._habits.values():
            habits.interrupted()

    def saw(self, report: SignalReport, edges: Sequence[Edge]) -> None:
        """A report and the changes in it."""
        if report.this_cycle and report.this_cycle != self._steps:
            if self._steps and self._predictor is not None and self._plan() is None:
                self.forget("plan_change")
            self._steps = report.this_cycle
        for edge in edges:
            self._told.saw_edge(edge)
            self._rhythm.saw_edge(edge)
            if not self._regime.forced:
                self._own_habits().saw_edge(edge)
        self._told.receive(report.times, report.first_byte_s)
        self._ensure(report.first_byte_s)
        if self._predictor is None:
            return
        if report.stage is not None:
            self._predictor.saw_stage(report.stage, report.first_byte_s)
        for edge in edges:
            self._predictor.saw_edge(edge)
        if self._predictor.lost_track():
            self.forget("resync")

    def outlook(
        self, group: int, shown: Shown, phase: Phase | None, now_s: float, period_s: float, *, goes_dark: bool
    ) -> GroupOutlook:
        """The end of what a group shows. goes_dark: it has been dark at times, which no plan tells."""
        bare = GroupOutlook(group, shown.colour, shown.since_s)
        found = bare
        if self._predictor is not None and (not goes_dark or self._predictor.calibrated(now_s)):
            found = self._predictor.outlook(group, shown, now_s, period_s)
            if found.likely_end_s is not None:
                return found
            if found.max_end_s is not None:
                return _limits(found, phase, now_s, whole=False)
        if self._regime.control is Control.MANUAL:
            return replace(bare, min_end_s=now_s)
        told = self._told.outlook(group, shown, now_s)
        if self._regime.control in BY_TRAFFIC and not self._regime.forced:
            told = _joined(told, self._own_habits().outlook(group, shown, now_s))
        return told or _limits(found, phase, now_s, whole=self._regime.control in BY_TRAFFIC)

    def _ensure(self, now_s: float) -> None:
        """A predictor, where the controller runs by fixed times and their cycle is known."""
        if self._predictor is not None or self._regime.forced:
            return
        timetable = self._timetable(now_s)
        if timetable is not None:
            self._predictor = FixedTimePredictor(timetable, now_s, abrupt=self._abrupt)
            self._abrupt = False

    def _timetable(self, now_s: float) -> Timetable | None:
        """The plan, published steps, or a rhythm that the lamps keep.

        A source that has plans and runs in a mode nobody knows keeps no rhythm that could be relied on.
        """
        fixed = self._regime.control in FIXED
        plan = self._plan()
        if fixed and plan is not None and self._programme is not None:
            return of_plan(self._programme, plan) if not any(slot.on_demand for slot in plan.slots) else None
        if fixed and self._steps:
            steps = of_steps(self._steps)
            return steps if steps.cycle_s > 0 else None
        planless = self._programme is not None and not self._programme.plans and not self._steps
        if planless and (fixed or self._regime.control is Control.UNKNOWN):
            length_s = self._rhythm.length_s(now_s)
            return None if length_s is None else Timetable(length_s)
        return None

    def _plan(self) -> Plan | None:
        plans = self._programme.plans if self._programme else ()
        return next((plan for plan in plans if plan.plan == self._regime.plan and plan.slots), None)

    def _own_habits(self) -> Habits:
        return self._habits.setdefault((self._regime.control, self._regime.plan), Habits())


def _joined(told: GroupOutlook | None, habit: GroupOutlook | None) -> GroupOutlook | None:
    """The controller's bounds, and within them the end that like runs had."""
    if told is None or habit is None:
        return told or habit
    if told.likely_end_s is not None or habit.likely_end_s is None:
        return told
    low, high = told.min_end_s or 0.0, told.max_end_s or float("inf")
    if not low <= habit.likely_end_s <= high:
        return told
    most_s = told.max_end_s if told.max_end_s is not None else habit.max_end_s
    return replace(told, likely_end_s=habit.likely_end_s, max_end_s=most_s, confidence=habit.confidence)


def _limits(found: GroupOutlook, phase: Phase | None, now_s: float, *, whole: bool) -> GroupOutlook:
    """A green's least, and where traffic decides its greatest too; nothing likelier than that.

    Of the colours that follow a green, how long the transition has them last.
    """
    if phase is None or found.since_s is None:
        return found
    if found.colour is not Colour.GREEN:
        return _in_transition(found, phase, found.since_s, now_s)
    least, most = phase.min_green_s, phase.max_green_s
    if least is None and not whole:
        return found
    least_s = max(now_s, found.min_end_s or now_s, found.since_s + (least or 0.0))
    most_s = max(least_s, found.since_s + most) if whole and most is not None else found.max_end_s
    return replace(found, min_end_s=least_s if most_s is None else min(least_s, most_s), max_end_s=most_s)


def _in_transition(found: GroupOutlook, phase: Phase, since_s: float, now_s: float) -> GroupOutlook:
    """A flash or yellow that the controller's transition has once: about so long."""
    lasts = [step.seconds for step in phase.losing if step.colour is found.colour]
    if len(lasts) != 1 or found.colour is Colour.RED or found.max_end_s is not None:
        return found
    end_s = since_s + lasts[0]
    if now_s > end_s + TRANSITION_S:
        return found
    return replace(found, min_end_s=max(now_s, end_s - TRANSITION_S), max_end_s=end_s + TRANSITION_S)
