"""What the virtual controller runs: phases, stages, plans, and one cycle of each as a list of changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

RED, DARK, GREEN, GREEN_FLASH, YELLOW, YELLOW_FLASH = (
    "red",
    "dark",
    "green",
    "green_flash",
    "yellow",
    "yellow_flash",
)
GROUPS = tuple(range(1, 25))
KINDS = {**dict.fromkeys((*range(1, 12), 21, 24), 1), **dict.fromkeys((*range(13, 17), 22, 23), 2)}
KINDS |= {**dict.fromkeys(range(17, 21), 3), 12: 4}  # 1 motor, 2 non-motor, 3 pedestrian, 4 lane

# phase -> lamp groups
PHASES: dict[int, tuple[int, ...]] = {
    1: (1, 3),
    2: (5, 7),
    3: (2, 4, 24),
    4: (6, 8, 21),
    5: (9,),
    6: (10,),
    7: (11,),
    8: (12,),
    9: (13, 15),
    10: (14, 16),
    11: (22, 23),
    12: (17, 19),
    13: (18, 20),
}
PEDESTRIAN_PHASES = frozenset({12, 13})
# stage -> phases that are green in it
STAGES: dict[int, tuple[int, ...]] = {1: (1, 8, 9, 13), 2: (2, 6, 8, 11), 3: (3, 10, 12), 4: (4, 5, 7)}
DARK_IN_STAGE = {9: 1}  # the right arrow of the north arm goes dark: obey the round light

Transition = tuple[tuple[str, int], ...]
GAINING: Transition = ((RED, 2),)  # all-red clearance at the start of the stage
LOSING: Transition = ((GREEN_FLASH, 3), (YELLOW, 3))
PEDESTRIAN_LOSING: Transition = ((GREEN_FLASH, 5), (RED, 4))


@dataclass(frozen=True)
class SignalPlan:
    """A plan: number and (stage, seconds) in running order; seconds include the transitions."""

    number: int
    chain: tuple[tuple[int, int], ...]

    @property
    def cycle_s(self) -> int:
        """Sum of the stages."""
        return sum(seconds for _, seconds in self.chain)


PLANS = {
    1: SignalPlan(1, ((1, 20), (2, 12), (3, 16), (4, 12))),
    2: SignalPlan(2, ((1, 26), (2, 14), (3, 24), (4, 16))),
    3: SignalPlan(3, ((1, 14), (3, 14))),  # short: many changes, for latency
}


def losing(phase: int) -> Transition:
    """How a phase loses its right of way."""
    return PEDESTRIAN_LOSING if phase in PEDESTRIAN_PHASES else LOSING


def conflicts(phase: int) -> tuple[int, ...]:
    """Phases that must never be green with this one: all that share no stage with it."""
    together = {other for phases in STAGES.values() if phase in phases for other in phases}
    return tuple(other for other in PHASES if other not in together)


@cache
def cycle_changes(
    plan: SignalPlan, lasts: tuple[float, ...] | None = None
) -> dict[int, list[tuple[float, str]]]:
    """Per group: (seconds into the cycle, colour) of every change, in order. lasts: the stages' lengths."""
    changes: dict[int, list[tuple[float, str]]] = {group: [] for group in GROUPS}
    count = len(plan.chain)
    start = 0.0
    for index, (stage, planned) in enumerate(plan.chain):
        seconds = planned if lasts is None else lasts[index]
        before, after = plan.chain[index - 1][0], plan.chain[(index + 1) % count][0]
        for phase in STAGES[stage]:
            for group in PHASES[phase]:
                changes[group] += _green(
                    phase, start, seconds, gains=phase not in STAGES[before], loses=phase not in STAGES[after]
                )
        for group, dark_stage in DARK_IN_STAGE.items():
            if dark_stage == stage:
                changes[group] += [(start + 2, DARK), (start + seconds - 3, YELLOW), (start + seconds, RED)]
        start += seconds
    return {group: _distinct(entries) for group, entries in changes.items()}


def _green(phase: int, start: float, seconds: float, *, gains: bool, loses: bool) -> list[tuple[float, str]]:
    entries: list[tuple[float, str]] = []
    at = start
    if gains:
        for colour, lasts in GAINING:
            entries.append((at, colour))
            at += lasts
        entries.append((at, GREEN))
    if loses:
        at = start + seconds - sum(lasts for _, lasts in losing(phase))
        for colour, lasts in losing(phase):
            entries.append((at, colour))
            at += lasts
        entries.append((start + seconds, RED))
    return entries


def _distinct(entries: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """Without changes that change nothing, seen around the cycle."""
    entries = sorted(entries, key=lambda entry: entry[0])
    kept = [entry for i, entry in enumerate(entries) if entries[i - 1][1] != entry[1]]
    return kept if len(entries) > 1 else entries
