"""The controller's configuration: which values to ask for, and the Programme that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from drivers.gbt20999 import values as wire
from drivers.gbt20999.values import Ident, bitmap, number, right_aligned
from rsu_agent.world.signal import Colour, Phase, Plan, Programme, Stage, StageSlot, Step

MOST_GROUPS = 64
LOSING, GAINING = (3, 5, 7), (9, 11, 13)  # colour attribute of each transition; seconds follow in the next
MIN_GREEN, MAX_GREEN = 27, 28
ON_DEMAND = 0x20
Known = Mapping[Ident, bytes]


def first_questions(crossing_row: int) -> list[Ident]:
    """Who the controller is and how much it has."""
    return [
        wire.GROUP_COUNT,
        wire.PHASE_COUNT,
        wire.STAGE_COUNT,
        *(wire.run(attribute, crossing_row) for attribute in (2, 3, 4)),
        wire.MAKER,
        wire.VERSION,
        wire.SERIAL,
    ]


def configuration_questions(phases: int, stages: int) -> Iterator[Ident]:
    """Everything about phases and stages."""
    for phase in range(1, phases + 1):
        for attribute in (2, *range(3, 15), MIN_GREEN, MAX_GREEN):
            yield wire.phase(attribute, phase)
        yield wire.conflicts(phase)
    for stage in range(1, stages + 1):
        yield wire.stage_phases(stage)


def plan_questions(plan: int) -> list[Ident]:
    """One plan: cycle, stage chain, time chain, appearance chain."""
    return [wire.plan(attribute, plan) for attribute in (3, 6, 7, 8)]


def count(known: Known, ident: Ident, default: int = 0) -> int:
    """A count that was read."""
    return number(known[ident]) if ident in known else default


def identity(known: Known, controller: int) -> str:
    """Which controller answers, as far as its own words tell."""
    words = [known.get(ident, b"") for ident in (wire.MAKER, wire.VERSION, wire.SERIAL)]
    return hashlib.sha256(repr((controller, words)).encode()).hexdigest()[:16]


def programme(known: Known, controller: int, groups: tuple[int, ...], plans: tuple[int, ...]) -> Programme:
    """What the values read so far say."""
    phases = tuple(_phases(known))
    stages = tuple(
        Stage(n, bitmap(known[wire.stage_phases(n)]))
        for n in range(1, count(known, wire.STAGE_COUNT) + 1)
        if wire.stage_phases(n) in known
    )
    made = tuple(filter(None, (_plan(known, plan) for plan in plans)))
    conflicts = tuple(sorted(set(_conflicts(known))))
    words = repr((identity(known, controller), groups, phases, stages, made, conflicts))
    fingerprint = hashlib.sha256(words.encode()).hexdigest()[:32]
    return Programme(fingerprint, groups, phases, stages, made, conflicts)


def _phases(known: Known) -> Iterator[Phase]:
    for n in range(1, count(known, wire.PHASE_COUNT) + 1):
        if wire.phase(2, n) not in known:
            continue
        yield Phase(
            phase=n,
            groups=bitmap(known[wire.phase(2, n)]),
            losing=tuple(_steps(known, n, LOSING)),
            gaining=tuple(_steps(known, n, GAINING)),
            min_green_s=_seconds(known, wire.phase(MIN_GREEN, n)),
            max_green_s=_seconds(known, wire.phase(MAX_GREEN, n)),
        )


def _steps(known: Known, phase: int, attributes: tuple[int, ...]) -> Iterator[Step]:
    for attribute in attributes:
        code, seconds = known.get(wire.phase(attribute, phase)), known.get(wire.phase(attribute + 1, phase))
        if code and seconds and number(seconds):
            yield Step(wire.COLOURS.get(number(code), Colour.UNKNOWN), float(number(seconds)))


def _seconds(known: Known, ident: Ident) -> float | None:
    value = known.get(ident)
    return float(number(value)) if value else None


def _plan(known: Known, plan: int) -> Plan | None:
    cycle, chain, times, looks = (known.get(ident) for ident in plan_questions(plan))
    if not cycle or not chain or not times:
        return None
    shown = right_aligned(looks or b"", 1)
    slots = tuple(
        StageSlot(stage, float(seconds), on_demand=i < len(shown) and shown[i] == ON_DEMAND)
        for i, (stage, seconds) in enumerate(
            zip(right_aligned(chain, 1), right_aligned(times, 2), strict=False)
        )
        if stage
    )
    return Plan(plan, float(number(cycle)), slots)


def _conflicts(known: Known) -> Iterator[tuple[int, int]]:
    for n in range(1, count(known, wire.PHASE_COUNT) + 1):
        for other in bitmap(known.get(wire.conflicts(n), b"")):
            if other != n:
                yield min(n, other), max(n, other)
