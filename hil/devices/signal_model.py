"""The virtual controller's model on a given clock: what shines, what is known, which stage runs. Sans-IO."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field

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

LAMP_LEAD_S = 0.050  # a lamp changes at most so long before the controller can know it, never after
MODES = {"fixed": 0x21, "flash": 0x31, "all_red": 0x32, "off": 0x33, "manual": 0x25}
STEADY = {"flash": YELLOW_FLASH, "all_red": RED, "off": DARK}


@dataclass(order=True)
class Change:
    """One instant at which lamps change: shining at true_s, known to the controller at known_s."""

    known_s: float
    true_s: float = field(compare=False)
    colours: dict[int, str] = field(compare=False)


class SignalModel:
    """Fixed-time control by a plan; other modes on command. Times are monotonic seconds."""

    def __init__(self, start_s: float, *, plan: int = 1, seed: int = 1, drift_ppm: float = 0.0) -> None:
        self._random = random.Random(seed)
        self._rate = 1.0 + drift_ppm * 1e-6
        self.mode, self.plan = "fixed", plan
        self.lamps = dict.fromkeys(GROUPS, RED)  # what shines
        self.known = dict.fromkeys(GROUPS, RED)  # what the controller reports
        self.faults: tuple[int, ...] = ()
        self.faults_s = start_s
        self._hand = (0, start_s)  # stage set by hand, since when
        self._cycle_s = start_s
        self._pending: list[Change] = []
        self._shone: set[int] = set()
        self._begin_cycle(start_s)
        for group, changes in cycle_changes(PLANS[plan]).items():
            colour = changes[-1][1] if changes else RED
            self.lamps[group] = self.known[group] = colour

    def next_s(self) -> float:
        """When `advance` has something to do."""
        due = [self._cycle_end_s() - 0.2]
        for change in self._pending[:8]:
            due.append(change.known_s if id(change) in self._shone else change.true_s)
        return min(due)

    def advance(self, now_s: float) -> tuple[list[tuple[float, int, str]], list[int]]:
        """Move to now: (true instant, group, colour) that shone, groups whose change became known."""
        shone: list[tuple[float, int, str]] = []
        learnt: list[int] = []
        while self.mode == "fixed" and now_s >= self._cycle_end_s() - 0.2:
            self._begin_cycle(self._cycle_end_s())
        for change in sorted(self._pending, key=lambda c: c.true_s):
            if change.true_s <= now_s and id(change) not in self._shone:
                self._shone.add(id(change))
                for group, colour in change.colours.items():
                    if self.lamps[group] != colour:
                        self.lamps[group] = colour
                        shone.append((change.true_s, group, colour))
        while self._pending and self._pending[0].known_s <= now_s:
            change = heapq.heappop(self._pending)
            self._shone.discard(id(change))
            for group, colour in change.colours.items():
                if self.known[group] != colour:
                    self.known[group] = colour
                    learnt.append(group)
        return shone, learnt

    def stage(self, now_s: float) -> tuple[int, float, float]:
        """(stage, elapsed, remaining) in seconds of the controller's own clock.

        By hand nothing is remaining: nobody knows; in flash, all red and off no stage runs (0).
        """
        if self.mode != "fixed":
            stage, since_s = self._hand
            return stage, (now_s - since_s) / self._rate, 0.0
        into = (now_s - self._stage_cycle_s(now_s)) / self._rate
        for stage, seconds in PLANS[self.plan].chain:
            if into < seconds:
                return stage, max(0.0, into), seconds - into
            into -= seconds
        return PLANS[self.plan].chain[0][0], 0.0, float(PLANS[self.plan].chain[0][1])

    def next_change(self, group: int, now_s: float) -> float | None:
        """When the controller expects this group to change next (truth `knowable`), None: it cannot know."""
        if self.mode != "fixed":
            return None
        coming = [c.known_s for c in self._pending if group in c.colours and c.known_s > now_s]
        coming += [
            self._cycle_end_s() + offset * self._rate
            for offset, _ in cycle_changes(PLANS[self.plan])[group][:1]
        ]
        return min(coming, default=None)

    def set_mode(self, mode: str, now_s: float) -> None:
        """Fixed time, flash, all red, off or manual; fixed time begins a new cycle."""
        self._hand = (self.stage(now_s)[0] if mode == "manual" else 0, now_s)
        self.mode = mode
        self._pending.clear()
        self._shone.clear()
        if mode == "fixed":
            self._begin_cycle(now_s + 2.0)
            self._put(now_s, dict.fromkeys(GROUPS, RED))
        else:  # by hand the lamps stay as they shine until a step
            self._put(now_s, dict.fromkeys(GROUPS, STEADY[mode]) if mode in STEADY else dict(self.lamps))

    def set_plan(self, plan: int, now_s: float) -> None:
        """Another plan from now: all red for two seconds, then its first stage."""
        self.plan = plan
        self.set_mode("fixed", now_s)

    def set_faults(self, faults: list[int], now_s: float) -> None:
        """Fault types that the controller lists from now on (16.2.2)."""
        self.faults, self.faults_s = tuple(faults), now_s

    def step(self, stage: int, now_s: float) -> None:
        """By hand: these groups green, the others red, at once (the police step like that)."""
        self._hand = (stage, now_s)
        green = {group for phase in STAGES[stage] for group in PHASES[phase]}
        self._put(now_s, {group: GREEN if group in green else RED for group in GROUPS})

    def _put(self, known_s: float, colours: dict[int, str]) -> None:
        lead_s = self._random.uniform(0.0, LAMP_LEAD_S)
        heapq.heappush(self._pending, Change(known_s + lead_s, known_s, colours))

    def _begin_cycle(self, start_s: float) -> None:
        self._previous_cycle_s, self._cycle_s = self._cycle_s, start_s
        at: dict[float, dict[int, str]] = {}
        for group, changes in cycle_changes(PLANS[self.plan]).items():
            for offset, colour in changes:
                at.setdefault(offset, {})[group] = colour
        for offset, colours in at.items():
            known_s = start_s + offset * self._rate
            lead_s = self._random.uniform(0.0, LAMP_LEAD_S)
            heapq.heappush(self._pending, Change(known_s, known_s - lead_s, colours))

    def _cycle_end_s(self) -> float:
        return self._cycle_s + PLANS[self.plan].cycle_s * self._rate if self.mode == "fixed" else float("inf")

    def _stage_cycle_s(self, now_s: float) -> float:
        return self._cycle_s if now_s >= self._cycle_s else self._previous_cycle_s
