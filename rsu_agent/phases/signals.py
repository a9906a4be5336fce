"""Everything known of the lights: fed with reports, gives the outlook, says when not to trust it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import takewhile

from rsu_agent.phases.history import Edge, History, Shown
from rsu_agent.phases.predict import FixedTimePredictor
from rsu_agent.world.signal import (
    GO,
    Colour,
    Control,
    GroupOutlook,
    Phase,
    Programme,
    SignalOutlook,
    SignalReport,
)

PREDICTABLE = frozenset({Control.FIXED_TIME, Control.COORDINATED})
BY_INTERVAL = frozenset({Control.ACTUATED, Control.ADAPTIVE})
DOUBTS = ("no_programme", "no_report", "stale", "no_mode", "other_controller")


class Signals:
    """One controller's lights. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.history = History()
        self.counters: Counter[str] = Counter()
        self.programme: Programme | None = None
        self.control: Control | None = None
        self.plan: int | None = None
        self.stage: int | None = None
        self.faults: tuple[str, ...] = ()
        self.preempt = self.priority = False
        self.other_controller = False
        self._phases_of: dict[int, list[Phase]] = {}
        self._predictor: FixedTimePredictor | None = None
        self._abrupt = False  # what was learnt has been forgotten, and no predictor has begun since

    def receive(self, item: SignalReport | Programme) -> list[Edge]:
        """Take in what the controller says; the changes of colour it contains."""
        if isinstance(item, Programme):
            self._programme(item)
            return []
        self._run_state(item)
        edges = list(self.history.receive(item))
        self._ensure_predictor(item.first_byte_s)
        if self._predictor is not None:
            if item.stage is not None:
                self._predictor.saw_stage(item.stage, item.first_byte_s)
            for edge in edges:
                self._predictor.saw_edge(edge)
            if self._predictor.lost_track():
                self._forget("resync")
        return edges

    @property
    def stale_after_s(self) -> float:
        """Age of the newest complete report from which nothing is said."""
        return self.history.stale_after_s

    @property
    def stale_at_s(self) -> float | None:
        """From when nothing is said unless another complete report comes; None: there was none."""
        complete_s = self.history.complete_s
        return None if complete_s is None else complete_s + self.stale_after_s

    @property
    def end_error_p95_s(self) -> float | None:
        """How far predicted ends were off lately; None before anything was predicted."""
        errors = sorted(self._predictor.errors_s) if self._predictor else []
        return errors[int(0.95 * (len(errors) - 1))] if errors else None

    @property
    def cycle_s(self) -> float | None:
        """Length of the present plan's cycle, None when that plan is not known."""
        plans = self.programme.plans if self.programme else ()
        return next((plan.cycle_s for plan in plans if plan.plan == self.plan), None)

    def doubt(self, now_s: float) -> str | None:
        """Why nothing may be said now, from DOUBTS."""
        if self.other_controller:
            return "other_controller"
        if self.programme is None:
            return "no_programme"
        if self.history.complete_s is None:
            return "no_report"
        if self.stale_at_s is not None and now_s >= self.stale_at_s:
            return "stale"
        return "no_mode" if self.control is None else None

    def outlook(self, now_s: float) -> SignalOutlook:
        """All groups as they are and when that ends."""
        groups = tuple(self._group(g, shown, now_s) for g, shown in sorted(self.history.shown.items()))
        return SignalOutlook(
            at_s=now_s,
            groups=groups,
            control=self.control or Control.UNKNOWN,
            plan=self.plan,
            stage=self.stage,
            preempt=self.preempt,
            priority=self.priority,
            fault_flash=self.control is Control.FLASH and bool(self.faults),
            doubt=self.doubt(now_s),
        )

    def line_lost(self) -> None:
        """The line broke: what was seen is history; the next complete report starts afresh."""
        self.history.line_lost()

    def _programme(self, programme: Programme) -> None:
        known = self.programme
        if known is not None and known.groups != programme.groups:
            self.other_controller = True
            return
        if known is None or known.fingerprint != programme.fingerprint:
            self.programme = programme
            self._phases_of = _by_group(programme)
            if known is not None and known.plans == programme.plans[: len(known.plans)]:
                return  # another plan has been read: what is learnt of the present one stays
            self._forget("programme_change")

    def _run_state(self, report: SignalReport) -> None:
        if report.control is not None and report.control is not self.control:
            if self.control is not None:
                self._forget("mode_change")
            self.control = report.control
        if report.plan is not None and report.plan != self.plan:
            if self.plan is not None:
                self._forget("plan_change")
            self.plan = report.plan
        if report.stage is not None:
            self.stage = report.stage.stage
        if report.faults is not None:
            self.faults = report.faults
        for name in ("preempt", "priority"):
            value = getattr(report, name)
            if value is not None and value != getattr(self, name):
                setattr(self, name, value)
                self._forget(name)

    def _ensure_predictor(self, now_s: float) -> None:
        if self._predictor is not None or self.control not in PREDICTABLE or self.preempt or self.priority:
            return
        plans = self.programme.plans if self.programme else ()
        plan = next((p for p in plans if p.plan == self.plan and p.slots), None)
        if plan is not None and self.programme is not None:
            self._predictor = FixedTimePredictor(self.programme, plan, now_s, abrupt=self._abrupt)
            self._abrupt = False

    def _forget(self, reason: str) -> None:
        """What was learnt no longer holds."""
        if self._predictor is not None:
            self.counters[f"forgot_{reason}"] += 1
            self.counters.update(self._predictor.counters)
            self._predictor, self._abrupt = None, True

    def _group(self, group: int, shown: Shown, now_s: float) -> GroupOutlook:
        found = self._ends(group, shown, now_s)
        return replace(found, flash_s=self._flash_s(group)) if shown.colour is Colour.GREEN else found

    def _flash_s(self, group: int) -> float | None:
        """How long a group's green flashes before it ends, where all its phases agree."""
        lengths = {flash_s(phase) for phase in self._phases_of.get(group, ())}
        return lengths.pop() if len(lengths) == 1 else None

    def _ends(self, group: int, shown: Shown, now_s: float) -> GroupOutlook:
        if self._predictor is not None:
            return self._by_plan(self._predictor, group, shown, now_s)
        phase = self._phase_of(group)
        if (
            self.control in BY_INTERVAL
            and phase is not None
            and shown.colour in GO
            and shown.since_s is not None
        ):
            return _interval(group, shown, phase, now_s)
        return GroupOutlook(group, shown.colour, shown.since_s)

    def _by_plan(self, predictor: FixedTimePredictor, group: int, shown: Shown, now_s: float) -> GroupOutlook:
        """Fixed time; where the prediction has nothing to say, a green's minimum still holds."""
        found = GroupOutlook(group, shown.colour, shown.since_s)
        if predictor.calibrated(now_s) or group not in self.history.dark:
            found = predictor.outlook(group, shown, now_s, self.history.report_period_s)
        phase = self._phase_of(group)
        bare = found.min_end_s is None and found.colour in GO and found.since_s is not None
        if bare and phase is not None and phase.min_green_s is not None:
            since_s = found.since_s or now_s
            return replace(found, min_end_s=max(now_s, since_s + phase.min_green_s))
        return found

    def _phase_of(self, group: int) -> Phase | None:
        return next(iter(self._phases_of.get(group, ())), None)


def _by_group(programme: Programme) -> dict[int, list[Phase]]:
    found: dict[int, list[Phase]] = {}
    for phase in programme.phases:
        for group in phase.groups:
            found.setdefault(group, []).append(phase)
    return found


def flash_s(phase: Phase) -> float:
    """Seconds of flashing green right after a phase's green."""
    flashing = takewhile(lambda step: step.colour is Colour.GREEN_FLASH, phase.losing)
    return sum((step.seconds for step in flashing), 0.0)


def _interval(group: int, shown: Shown, phase: Phase, now_s: float) -> GroupOutlook:
    """An actuated green: not before its minimum, not after its maximum; nothing likelier than that."""
    since_s = shown.since_s or now_s
    lowest, highest = phase.min_green_s, phase.max_green_s
    return GroupOutlook(
        group,
        shown.colour,
        shown.since_s,
        min_end_s=max(now_s, since_s + lowest) if lowest is not None else now_s,
        max_end_s=max(now_s, since_s + highest) if highest is not None else None,
    )
