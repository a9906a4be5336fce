"""Everything known of the lights: fed with reports, gives the outlook, says when not to trust it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import takewhile

from rsu_agent.phases.ends import Ends, Regime
from rsu_agent.phases.history import Edge, History, Shown
from rsu_agent.world.signal import (
    Colour,
    Control,
    GroupOutlook,
    Phase,
    Programme,
    SignalOutlook,
    SignalReport,
)

DOUBTS = ("no_programme", "no_report", "stale", "no_mode", "other_controller")


class Signals:
    """One controller's lights. Times are monotonic seconds."""

    def __init__(self) -> None:
        self.history = History()
        self._ends = Ends()
        self.counters: Counter[str] = self._ends.counters
        self.programme: Programme | None = None
        self.control: Control | None = None
        self.plan: int | None = None
        self.stage: int | None = None
        self.faults: tuple[str, ...] = ()
        self.preempt = self.priority = False
        self.other_controller = False
        self._phases_of: dict[int, list[Phase]] = {}
        self._flash_of: dict[int, float] = {}  # how long a group's green flashes, where all its phases agree
        self.fault_flash: bool | None = None  # as the controller tells it, None: it does not

    def receive(self, item: SignalReport | Programme) -> list[Edge]:
        """Take in what the controller says; the changes of colour it contains."""
        if isinstance(item, Programme):
            self._programme(item)
            return []
        self._run_state(item)
        was_blind = self.history.blind
        edges = list(self.history.receive(item))
        if was_blind:
            self._ends.interrupted()
        self._ends.saw(item, edges)
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
        errors = sorted(self._ends.errors_s)
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
            fault_flash=self.control is Control.FLASH and self._faulty(),
            doubt=self.doubt(now_s),
        )

    def line_lost(self) -> None:
        """The line broke: what was seen is history; the next complete report starts afresh."""
        self.history.line_lost()

    def _faulty(self) -> bool:
        """Whether a fault made it flash: as it tells, else because it lists one."""
        return bool(self.faults) if self.fault_flash is None else self.fault_flash

    def _programme(self, programme: Programme) -> None:
        known = self.programme
        if known is not None and not set(known.groups) <= set(programme.groups):
            self.other_controller = True
            return
        if known is None or known.fingerprint != programme.fingerprint:
            self.programme = programme
            self._phases_of = _by_group(programme)
            lengths = {group: {*map(flash_s, phases)} for group, phases in self._phases_of.items()}
            self._flash_of = {group: least for group, (least, *others) in lengths.items() if not others}
            self._ends.programme(programme)
            if known is not None and set(known.plans) <= set(programme.plans):
                return  # more has been read: what is learnt of the present plan stays
            if known is not None:
                self._ends.forget("programme_change")

    def _run_state(self, report: SignalReport) -> None:
        before = self._regime()
        known = self.control is not None, self.plan is not None
        if report.control is not None:
            self.control = report.control
        if report.plan is not None:
            self.plan = report.plan
        if report.stage is not None:
            self.stage = report.stage.stage
        if report.faults is not None:
            self.faults = report.faults
        if report.fault_flash is not None:
            self.fault_flash = report.fault_flash
        if report.preempt is not None:
            self.preempt = report.preempt
        if report.priority is not None:
            self.priority = report.priority
        now = self._regime()
        if now != before:
            self._ends.enter(now, _news(before, now, *known))

    def _regime(self) -> Regime:
        return Regime(self.control, self.plan, self.preempt, self.priority)

    def _group(self, group: int, shown: Shown, now_s: float) -> GroupOutlook:
        found = self._ends.outlook(
            group,
            shown,
            self._phase_of(group),
            now_s,
            self.history.report_period_s,
            goes_dark=group in self.history.dark,
        )
        return replace(found, flash_s=self._flash_of.get(group)) if shown.colour is Colour.GREEN else found

    def _phase_of(self, group: int) -> Phase | None:
        phases = self._phases_of.get(group)
        return phases[0] if phases else None


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


def _news(before: Regime, now: Regime, mode_known: bool, plan_known: bool) -> str | None:
    """What has changed in how the controller runs; None while it is only being found out."""
    if now.control is not before.control and mode_known:
        return "mode_change"
    if now.plan != before.plan and plan_known:
        return "plan_change"
    if now.preempt is not before.preempt:
        return "preempt"
    return "priority" if now.priority is not before.priority else None
