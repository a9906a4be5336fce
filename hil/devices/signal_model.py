"""The virtual controller's model on a given clock: what shines, what is known, which stage runs. Sans-IO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hil.devices.controller_view import Span
from hil.devices.signal_changes import LAMP_LEAD_S, Changes
from hil.devices.signal_plan import (
    DARK,
    GREEN,
    GROUPS,
    PHASES,
    PLANS,
    RED,
    STAGES,
    YELLOW_FLASH,
    cycle_changes,
)
from hil.devices.signal_running import PlanCycles, Running, Stages, Still, cleared

__all__ = ["LAMP_LEAD_S", "MODES", "STEADY", "SignalModel"]

MODES = {
    "fixed": 0x21,
    "actuated": 0x22,
    "coordinated": 0x23,
    "adaptive": 0x24,
    "manual": 0x25,
    "flash": 0x31,
    "all_red": 0x32,
    "off": 0x33,
    "startup": 0x31,
}
STEADY = {"flash": YELLOW_FLASH, "all_red": RED, "off": DARK}
CYCLING = frozenset({"fixed", "coordinated", "actuated", "adaptive"})
ON_DEMAND = frozenset({2, 4})  # stages that run only when called, where stages run on demand
PREEMPT_STAGE = {1: 1, 2: 3, 3: 4, 4: 2}  # the stage that each pre-emption wants
START_FLASH_S, START_RED_S = 10.0, 5.0
DAY_S, SWITCH_EARLY_S = 86_400.0, 1e-6
PRIORITY_S = 8.0  # a bus lengthens the stage by so much


class SignalModel:
    """One controller. Times are monotonic seconds; utc_less_now_s: its clock's UTC less those."""

    def __init__(
        self,
        start_s: float,
        *,
        plan: int = 1,
        seed: int = 1,
        drift_ppm: float = 0.0,
        mode: str = "fixed",
        lead_s: float = LAMP_LEAD_S,
    ) -> None:
        self._seed, self._rate = seed, 1.0 + drift_ppm * 1e-6
        self._start_s = start_s
        self.plan, self.mode = plan, mode
        self.on_demand: frozenset[int] = frozenset()
        self.preempt = self.priority = 0
        self.burnt: set[int] = set()  # heads whose green does not shine
        self.wiring: dict[int, int] = {}  # head -> the group whose circuit it really hangs on
        self.stuck: dict[int, str] = {}  # groups that hold a colour whatever the plan says
        self.utc_less_now_s = 0.0
        self.faults: tuple[int, ...] = ()
        self.faults_s = start_s
        self.schedule: list[tuple[float, int]] = []  # seconds of its clock's day (UTC), the plan from then on
        self._switch_s: float | None = None
        self._changes = Changes(seed, lead_s)
        self._shown = dict.fromkeys(GROUPS, RED)  # what the circuits give
        self.lamps = dict.fromkeys(GROUPS, RED)  # what shines
        self.known = dict.fromkeys(GROUPS, RED)  # what the controller reports
        for group, changes in cycle_changes(PLANS[plan]).items():
            self._shown[group] = self.known[group] = changes[-1][1] if changes else RED
        self.lamps = dict(self._shown)
        self._resume_s: float | None = None  # when the mode that waits begins
        self._running: Running = self._begun(start_s)

    # What happens

    def next_s(self) -> float:
        """When `advance` has something to do."""
        due = [self._running.next_s(), self._changes.next_s(), self._resume_s, self._switch_s]
        return min(at for at in due if at is not None)

    def advance(self, now_s: float) -> tuple[list[tuple[float, int, str]], list[int]]:
        """Move to now: (true instant, group, colour) that shone, groups whose change became known."""
        if self._switch_s is not None and now_s >= self._switch_s:
            self._by_schedule(now_s)
        if self._resume_s is not None and now_s >= self._resume_s - 0.2:
            self._resume(self._resume_s)
        self._running.advance(now_s)
        shone: list[tuple[float, int, str]] = []
        for change in self._changes.shining(now_s):
            for group, colour in change.colours.items():
                self._shown[group] = self.stuck.get(group, colour)
            shone += self._lit(change.true_s)
        learnt: list[int] = []
        for change in self._changes.known(now_s):
            for group, colour in change.colours.items():
                colour = self.stuck.get(group, colour)
                if self.known[group] != colour:
                    self.known[group] = colour
                    learnt.append(group)
        return shone, learnt

    def _lit(self, at_s: float) -> list[tuple[float, int, str]]:
        """Heads whose light has changed: by their own wires, unless burnt or swapped."""
        changed = []
        for head in GROUPS:
            colour = self._shown[self.wiring.get(head, head)]
            if head in self.burnt and colour in (GREEN, "green_flash"):
                colour = DARK
            if self.lamps[head] != colour:
                self.lamps[head] = colour
                changed.append((at_s, head, colour))
        return changed

    # What it can tell (hil/devices/controller_view.py)

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """(stage, elapsed, remaining) in seconds of the controller's own clock."""
        return self._running.stage(now_s)

    def span(self, group: int, now_s: float) -> Span:
        """When this group's colour ends, as the controller can know."""
        if group in self.stuck:
            return Span(None, None, None)
        return self._running.span(group, self.known[group], now_s)

    def next_change(self, group: int, now_s: float) -> float | None:
        """When the controller expects this group to change next (truth `knowable`), None: it cannot know."""
        likely = self.span(group, now_s).likely
        return None if likely is None else now_s + likely * self._rate

    def steps(self, group: int, ahead: int, now_s: float) -> tuple[tuple[str, int], ...]:  # noqa: ARG002
        """The plan's colours through a cycle; every cycle is alike but where traffic decides."""
        if self.mode not in CYCLING or self.preempt:
            return ()
        plan = PLANS[self.plan]
        changes = cycle_changes(plan)[group]
        if not changes:
            return ((RED, plan.cycle_s),)
        edges = [(round(offset), colour) for offset, colour in changes]
        lead = ((changes[-1][1], edges[0][0]),) if edges[0][0] else ()
        ends = [at for at, _ in edges[1:]] + [plan.cycle_s]
        rest = ((colour, end - at) for (at, colour), end in zip(edges, ends, strict=True) if end > at)
        return (*lead, *rest)

    def called(self, group: int) -> bool:
        """Whether somebody waits: a red group's next green is certain to be wanted here."""
        return self.known[group] == RED

    def utc_s(self, now_s: float) -> float:
        """The controller's own clock."""
        return now_s * 1.0 + self.utc_less_now_s

    # Commands

    def set_mode(self, mode: str, now_s: float) -> None:
        """Any of MODES; a mode that cycles begins after two seconds of red."""
        if mode == "demand":
            mode, self.on_demand = "fixed", ON_DEMAND
        elif mode == "fixed":
            self.on_demand = frozenset()
        number = self.stage(now_s)[0] if mode == "manual" else 0
        self.mode, self.preempt, self.priority, self._resume_s = mode, 0, 0, None
        self._changes.clear()
        if mode in CYCLING:
            self._put(now_s, dict.fromkeys(GROUPS, RED))
            self._running = self._begun(now_s + 2.0)
        elif mode == "startup":
            self._put(now_s, dict.fromkeys(GROUPS, YELLOW_FLASH))
            self._changes.put(now_s + START_FLASH_S, dict.fromkeys(GROUPS, RED))
            self._running, self._resume_s = Still(0, now_s, self._rate), now_s + START_FLASH_S + START_RED_S
        else:  # by hand the lamps stay as they shine until a step
            self._put(now_s, dict.fromkeys(GROUPS, STEADY[mode]) if mode in STEADY else dict(self._shown))
            self._running = Still(number, now_s, self._rate)

    def set_plan(self, plan: int, now_s: float) -> None:
        """Another plan from now: all red for two seconds, then its first stage."""
        self.plan = plan
        self.set_mode(self.mode if self.mode in CYCLING else "fixed", now_s)

    def set_schedule(self, schedule: Sequence[Sequence[float]], now_s: float) -> None:
        """Plans by time of day, by the controller's own clock: (seconds of the UTC day, plan) in order."""
        self.schedule = [(float(from_s), int(plan)) for from_s, plan in schedule]
        self._by_schedule(now_s)

    def _by_schedule(self, now_s: float) -> None:
        """The plan that is due now, and when the next one is."""
        self._switch_s = None
        if not self.schedule:
            return
        second = self.utc_s(now_s) % DAY_S
        begun = [plan for from_s, plan in self.schedule if from_s <= second + SWITCH_EARLY_S]
        self._switch_s = now_s + min((from_s - second) % DAY_S or DAY_S for from_s, _ in self.schedule)
        plan = begun[-1] if begun else self.schedule[-1][1]
        if plan != self.plan and self.mode in CYCLING and not self.preempt:
            self.set_plan(plan, now_s)

    def set_faults(self, faults: Sequence[int], now_s: float) -> None:
        """Fault types that the controller lists from now on (16.2.2)."""
        self.faults, self.faults_s = tuple(faults), now_s

    def set_preempt(self, number: int, now_s: float) -> None:
        """A pre-emption: greens end at once, its stage comes and stays; 0 lets it go."""
        if number and not self.preempt and self.mode in CYCLING:
            self.preempt = number
            ending = {g for g in GROUPS if self.known[g] in ("yellow", "green_flash")}
            self._changes.clear(ending)
            at, red_s = cleared(self.known, now_s + 0.2, self._rate)
            self._changes.put_all(at)
            waits = [coming[0] for g in ending if (coming := self._changes.of(g, self.known[g], now_s))]
            start_s = max([red_s, *waits]) + 1.0
            held = PREEMPT_STAGE.get(number, 1)
            self._running = self._stages(start_s, hold=held)
        elif not number and self.preempt:
            self.preempt = 0
            if isinstance(self._running, Stages):
                self._running.release(now_s)

    def set_priority(self, number: int, now_s: float) -> None:
        """A bus comes: the running stage is lengthened for it, once; 0 when it has passed."""
        if number and not self.priority and isinstance(self._running, PlanCycles):
            self._running.lengthen(PRIORITY_S, now_s)
        self.priority = number

    def step(self, stage: int, now_s: float) -> None:
        """By hand: these groups green, the others red, at once (the police step like that)."""
        self._running = Still(stage, now_s, self._rate)
        green = {group for phase in STAGES[stage] for group in PHASES[phase]}
        self._put(now_s, {group: GREEN if group in green else RED for group in GROUPS})

    def jump_clock(self, seconds: float, now_s: float) -> None:
        """The controller's own clock is set."""
        self.utc_less_now_s += seconds
        self._by_schedule(now_s)

    def burn_out(self, groups: Sequence[int], now_s: float) -> list[tuple[float, int, str]]:
        """Greens of these heads no longer shine."""
        self.burnt = set(groups)
        return self._lit(now_s)

    def swap(self, pair: Sequence[int], now_s: float) -> list[tuple[float, int, str]]:
        """Two heads hang on each other's circuits; an empty pair puts it right."""
        self.wiring = dict(zip(pair, reversed(pair), strict=True)) if len(pair) == 2 else {}
        return self._lit(now_s)

    def stick(self, colours: Mapping[int | str, str], now_s: float) -> None:
        """Groups that hold a colour from now on, whatever the plan says; none lets them go."""
        self.stuck = {int(group): colour for group, colour in colours.items()}
        self._put(now_s, self.stuck)

    # How it runs

    def _begun(self, start_s: float) -> Running:
        plan = PLANS[self.plan]
        if self.mode in ("actuated", "adaptive"):
            return self._stages(start_s, actuated=True, on_demand=ON_DEMAND)
        if self.on_demand:
            return self._stages(start_s, on_demand=self.on_demand)
        step_s = self._start_s if self.mode == "coordinated" else None
        return PlanCycles(plan, start_s, self._rate, self._changes, step_s)

    def _stages(
        self,
        start_s: float,
        *,
        hold: int | None = None,
        actuated: bool = False,
        on_demand: frozenset[int] = frozenset(),
    ) -> Stages:
        return Stages(
            PLANS[self.plan],
            start_s,
            self._rate,
            self._changes,
            self._seed,
            on_demand=on_demand,
            actuated=actuated,
            hold=hold,
        )

    def _resume(self, at_s: float) -> None:
        """After the start-up sequence the plan begins."""
        self.mode, self._resume_s = "fixed", None
        self._running = self._begun(at_s)

    def _put(self, known_s: float, colours: dict[int, str]) -> None:
        self._changes.put(known_s, colours, late=True)
