"""What runs in the cabinet: a plan cycle by cycle, stages that wait for traffic, or nothing that moves."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Protocol

from hil.devices.controller_view import Span
from hil.devices.signal_changes import Changes
from hil.devices.signal_plan import (
    DARK,
    DARK_IN_STAGE,
    GAINING,
    GREEN,
    GROUPS,
    PHASES,
    RED,
    STAGES,
    SignalPlan,
    Transition,
    cycle_changes,
    losing,
)

UNKNOWN = Span(None, None, None)
AHEAD_S = 0.2  # a cycle is laid out so long before it begins, so that lamps can lead it
DECIDED_AHEAD_S = 0.3  # a controller that decides to end a green ends it so much later
LONGEST_LOSING_S = 9  # the pedestrians' 5 s flash and 4 s red
MIN_GREEN_S, MAX_GREEN_S = 4.0, 40.0
GAP_S, HEADWAY_S = 3.0, 2.2  # a gap so long ends a green; mean distance of cars
GAINING_AND_LOSING_S = 8.0  # of vehicles: what a stage lasts beyond their steady green
CALLED = 0.6  # share of cycles in which somebody waits for a stage on demand
CATCH_UP = 0.2  # of a cycle, by which a coordinated controller lengthens one to come into step


class Running(Protocol):
    """One way of running. Times on the rig's monotonic clock; rate_: seconds of it a controller's second."""

    def next_s(self) -> float:
        """When `advance` has something to do."""
        ...

    def advance(self, now_s: float) -> None:
        """Decide what is due and lay out its changes."""
        ...

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """(stage, elapsed, remaining) in the controller's seconds."""
        ...

    def span(self, group: int, colour: str, now_s: float) -> Span:
        """When a group's colour ends, in the controller's seconds from now."""
        ...


@dataclass
class Still:
    """Manual, flash, all red, off: nothing changes by itself."""

    number: int
    since_s: float
    rate: float

    def next_s(self) -> float:
        """Never."""
        return float("inf")

    def advance(self, now_s: float) -> None:
        """Nothing."""

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """By hand nothing is remaining: nobody knows."""
        return self.number, (now_s - self.since_s) / self.rate, 0.0

    def span(self, _group: int, _colour: str, _now_s: float) -> Span:
        """May end at any time, if somebody wants."""
        return Span(0.0, None, None)


class PlanCycles:
    """Fixed times. step_s: where the cycle should begin, modulo its length (coordination), None: wherever."""

    def __init__(
        self, plan: SignalPlan, start_s: float, rate: float, changes: Changes, step_s: float | None = None
    ) -> None:
        self._plan, self._rate, self._changes, self._step_s = plan, rate, changes, step_s
        self._before = self._now = (start_s, self._seconds(start_s))
        self._lay_out()

    def next_s(self) -> float:
        """A little before the next cycle."""
        return self._end_s() - AHEAD_S

    def advance(self, now_s: float) -> None:
        """Lay out the next cycle."""
        while now_s >= self.next_s():
            start_s = self._end_s()
            self._before, self._now = self._now, (start_s, self._seconds(start_s))
            self._lay_out()

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """The running stage counts down to its end."""
        start_s, lasts = self._now if now_s >= self._now[0] else self._before
        into = (now_s - start_s) / self._rate
        for (stage, _), seconds in zip(self._plan.chain, lasts, strict=True):
            if into < seconds:
                return stage, max(0.0, into), seconds - into
            into -= seconds
        return self._plan.chain[0][0], 0.0, float(lasts[0])

    def span(self, group: int, colour: str, now_s: float) -> Span:
        """Known to the instant, also beyond the end of the cycle."""
        coming = self._changes.of(group, colour, now_s)
        following = cycle_changes(self._plan, self._seconds(self._end_s()))[group]
        first = [change for change in following if change[1] != colour][:1]
        at_s = [coming[0]] if coming else []
        at_s += [self._end_s() + offset * self._rate for offset, _ in first]
        if not at_s:
            return UNKNOWN
        ahead = (min(at_s) - now_s) / self._rate
        return Span(ahead, ahead, ahead)

    def lengthen(self, seconds: float, now_s: float) -> None:
        """The running stage lasts longer, unless its phases have begun to lose."""
        start_s, lasts = self._now if now_s >= self._now[0] else self._before
        _, elapsed, remaining = self.stage(now_s)
        if start_s != self._now[0] or remaining <= LONGEST_LOSING_S + 1:
            return
        at = now_s - start_s - elapsed * self._rate
        ends = [sum(lasts[: n + 1]) for n in range(len(lasts))]
        place = next(n for n, end in enumerate(ends) if end * self._rate > at + 1e-6)
        self._now = start_s, tuple(s + seconds * (n == place) for n, s in enumerate(lasts))
        self._changes.clear()
        self._lay_out(after_s=now_s)

    def _seconds(self, start_s: float) -> tuple[float, ...]:
        """The stages' lengths; coordination lengthens the first one until cycles are in step."""
        seconds = [float(lasts) for _, lasts in self._plan.chain]
        if self._step_s is not None:
            cycle_s = self._plan.cycle_s
            late_s = ((start_s - self._step_s) / self._rate) % cycle_s
            lack_s = (cycle_s - late_s) % cycle_s
            if 0.05 < lack_s < cycle_s - 0.05:
                seconds[0] += min(lack_s, CATCH_UP * cycle_s)
        return tuple(seconds)

    def _end_s(self) -> float:
        return self._now[0] + sum(self._now[1]) * self._rate

    def _lay_out(self, after_s: float = float("-inf")) -> None:
        start_s, seconds = self._now
        at: dict[float, dict[int, str]] = {}
        for group, changes in cycle_changes(self._plan, seconds).items():
            for offset, colour in changes:
                at.setdefault(start_s + offset * self._rate, {})[group] = colour
        self._changes.put_all({at_s: colours for at_s, colours in at.items() if at_s > after_s})


class Stages:
    """Stages one after the other: on demand, ended by a gap in the traffic, or held.

    actuated: greens last from their least to their greatest; else as long as the plan says.
    """

    def __init__(
        self,
        plan: SignalPlan,
        start_s: float,
        rate: float,
        changes: Changes,
        seed: int,
        *,
        on_demand: frozenset[int] = frozenset(),
        actuated: bool = False,
        hold: int | None = None,
    ) -> None:
        self._plan, self._rate, self._changes = plan, rate, changes
        self._random = random.Random(seed)
        self._on_demand, self._actuated = on_demand, actuated
        self._hold = hold  # a stage that stays until it is released
        self._place = 0
        self._before: tuple[int, ...] = ()
        self._begin(hold if hold is not None else plan.chain[0][0], start_s)

    def release(self, now_s: float) -> None:
        """The held stage may end."""
        if self._hold is not None:
            self._hold = None
            self._decide_s = max(now_s, self._start_s + MIN_GREEN_S * self._rate)
            self._place = len(self._plan.chain) - 1  # the chain begins anew

    def next_s(self) -> float:
        """When the stage's end is decided, or a little before the next one begins."""
        return self._decide_s if self._end_s is None else self._end_s - AHEAD_S

    def advance(self, now_s: float) -> None:
        """Decide and go on."""
        while now_s >= self.next_s():
            if self._end_s is None:
                self._end(self._decide_s)
            else:
                stage, start_s = self._plan.chain[self._place][0], self._end_s
                self._begin(stage, start_s)

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """Until the end is decided the remaining is the longest there may be: it jumps when a gap ends it."""
        elapsed = (now_s - self._start_s) / self._rate
        if elapsed < 0:
            return self._old_stage, max(0.0, now_s - self._old_start_s) / self._rate, -elapsed
        if self._hold is not None:
            return self._stage, elapsed, 0.0
        end_s = self._end_s if self._end_s is not None else self._latest_s
        return self._stage, elapsed, max(0.0, (end_s - now_s) / self._rate)

    def span(self, group: int, colour: str, now_s: float) -> Span:
        """What is decided is known; an undecided green has its bounds; a red its least."""
        coming = self._changes.of(group, colour, now_s)
        if coming is not None:
            ahead = (coming[0] - now_s) / self._rate
            return Span(ahead, ahead, ahead)
        if self._hold is not None:
            return Span(0.0, None, None)
        if colour == GREEN:
            own = sum(seconds for _, seconds in _losing_of(group))
            least_s = max(now_s, self._earliest_s - own * self._rate)
            most_s = self._latest_s - own * self._rate
            lasts = self._may_go_on(group)
            return Span(
                (least_s - now_s) / self._rate, None, None if lasts else (most_s - now_s) / self._rate
            )
        end_s = self._end_s if self._end_s is not None else max(now_s, self._earliest_s)
        end_s -= 3 * self._rate if colour == DARK else 0.0
        return Span(max(0.0, (end_s - now_s) / self._rate), None, None)

    def _may_go_on(self, group: int) -> bool:
        """Whether another stage of the plan serves the group too."""
        serving = [
            stage for stage, _ in self._plan.chain if any(group in PHASES[phase] for phase in STAGES[stage])
        ]
        return len(serving) > 1

    def _begin(self, stage: int, start_s: float) -> None:
        """Phases that gain: their lamps are laid out at once, as the next seconds are certain."""
        self._old_stage, self._old_start_s = (
            getattr(self, "_stage", stage),
            getattr(self, "_start_s", start_s),
        )
        self._stage, self._start_s = stage, start_s
        self._end_s: float | None = None
        planned = float(dict(self._plan.chain).get(stage, 20))
        least = planned if not self._actuated else MIN_GREEN_S + LONGEST_LOSING_S + 2
        most = planned if not self._actuated else MAX_GREEN_S + GAINING_AND_LOSING_S
        self._earliest_s, self._latest_s = start_s + least * self._rate, start_s + most * self._rate
        self._decide_s = self._decision_s()
        at: dict[float, dict[int, str]] = {}
        for phase in STAGES[stage]:
            if phase not in self._before:
                after_s = start_s
                for colour, lasts in (*GAINING, (GREEN, 0)):
                    at.setdefault(after_s, {}).update(dict.fromkeys(PHASES[phase], colour))
                    after_s += lasts * self._rate
        for group, dark_stage in DARK_IN_STAGE.items():
            if dark_stage == stage:
                at.setdefault(start_s + 2 * self._rate, {})[group] = DARK
        self._changes.put_all(at)

    def _decision_s(self) -> float:
        """When the end of the stage is decided: by the plan, by a gap between cars, or not at all."""
        tail_s = (LONGEST_LOSING_S + DECIDED_AHEAD_S) * self._rate
        if self._hold is not None:
            return float("inf")
        if not self._actuated:
            return self._latest_s - tail_s
        at_s = self._earliest_s - tail_s
        while at_s < self._latest_s - tail_s:
            headway_s = self._random.expovariate(1 / HEADWAY_S)
            if headway_s > GAP_S:
                return min(at_s + GAP_S * self._rate, self._latest_s - tail_s)
            at_s += headway_s * self._rate
        return self._latest_s - tail_s

    def _end(self, now_s: float) -> None:
        """Choose the next stage and lay out how this one's phases lose."""
        count = len(self._plan.chain)
        for _ in range(count):
            self._place = (self._place + 1) % count
            following = self._plan.chain[self._place][0]
            if following not in self._on_demand or self._random.random() < CALLED:
                break
        end_s = self._end_s = now_s + (LONGEST_LOSING_S + DECIDED_AHEAD_S) * self._rate
        self._changes.put_all(losing_to(self._stage, following, end_s, self._rate))
        stays = set(STAGES[self._stage]) & set(STAGES[following])
        self._before = tuple(stays)


def losing_to(stage: int, following: int, end_s: float, rate: float) -> dict[float, dict[int, str]]:
    """How the phases of a stage that the following one does not serve lose, so that they end at end_s."""
    at: dict[float, dict[int, str]] = {}
    for phase in STAGES[stage]:
        if phase in STAGES[following]:
            continue
        steps = losing(phase)
        from_s = end_s - sum(seconds for _, seconds in steps) * rate
        for colour, seconds in (*steps, (RED, 0)):
            at.setdefault(from_s, {}).update(dict.fromkeys(PHASES[phase], colour))
            from_s += seconds * rate
    for group, dark_stage in DARK_IN_STAGE.items():
        if dark_stage == stage != following:
            at.setdefault(end_s - 3 * rate, {})[group] = "yellow"
            at.setdefault(end_s, {})[group] = RED
    return at


def _losing_of(group: int) -> Transition:
    phase = next((phase for phase, groups in PHASES.items() if group in groups), None)
    return losing(phase) if phase is not None else ()


def cleared(known: dict[int, str], now_s: float, rate: float) -> tuple[dict[float, dict[int, str]], float]:
    """Every green ends by yellow at once, whatever its least; (changes, when all are red).

    A group that is in its yellow or flash already is left to end as it was to.
    """
    yellow = {g for g in GROUPS if known[g] == GREEN and _losing_of(g)[-1][0] == "yellow"}
    walks = {g for g in GROUPS if known[g] == GREEN} - yellow
    dark = {g for g in GROUPS if known[g] == DARK}
    at: dict[float, dict[int, str]] = {}
    if yellow | dark:
        at[now_s] = dict.fromkeys(yellow | dark, "yellow")
        at[now_s + 3 * rate] = dict.fromkeys(yellow | dark, RED)
    if walks:
        at.setdefault(now_s, {}).update(dict.fromkeys(walks, "green_flash"))
        at[now_s + 5 * rate] = dict.fromkeys(walks, RED)
    return at, max([now_s, *at])
