"""A plan expanded to one cycle of colours a group: what the controller's configuration says will happen.

Stage times are taken to include the transitions (facts/controllers 1.3: inferred), so this serves only until
observed edges have calibrated it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rsu_agent.world.signal import Colour, GroupSteps, Phase, Plan, Programme, Stage


@dataclass(frozen=True, slots=True)
class Turn:
    """A change of colour at some seconds into the cycle."""

    offset_s: float
    colour: Colour


def stage_offsets(plan: Plan) -> list[tuple[int, float, float]]:
    """(stage, start, seconds) along the cycle."""
    offsets, start = [], 0.0
    for slot in plan.slots:
        offsets.append((slot.stage, start, slot.seconds))
        start += slot.seconds
    return offsets


def expand(programme: Programme, plan: Plan) -> dict[int, list[Turn]]:
    """Turns of every group served by the plan, in order; the last one holds into the next cycle."""
    phases = {phase.phase: phase for phase in programme.phases}
    stages = {stage.stage: stage for stage in programme.stages}
    turns: dict[int, list[Turn]] = {}
    chain = stage_offsets(plan)
    for index, (stage, start, seconds) in enumerate(chain):
        before = _served(stages, chain[index - 1][0])
        after = _served(stages, chain[(index + 1) % len(chain)][0])
        late, early = _lags(stages, stage)
        for number in sorted(_served(stages, stage)):
            phase = phases.get(number)
            if phase is None:
                continue
            begin, end = start + late.get(number, 0.0), start + seconds - early.get(number, 0.0)
            own = list(_stage_turns(phase, begin, end, number not in before, number not in after))
            for group in phase.groups:
                turns.setdefault(group, []).extend(own)
    return {group: _distinct(sorted(own, key=lambda t: t.offset_s)) for group, own in turns.items()}


def _served(stages: dict[int, Stage], number: int) -> frozenset[int]:
    stage = stages.get(number)
    return frozenset(stage.phases) if stage else frozenset()


def _lags(stages: dict[int, Stage], number: int) -> tuple[dict[int, float], dict[int, float]]:
    """Seconds by which phases start late and end early in a stage (6.2.3, 6.2.4)."""
    stage = stages.get(number)
    if stage is None:
        return {}, {}
    late, early = ({lag.phase: lag.seconds for lag in lags} for lags in (stage.late_starts, stage.early_ends))
    return late, early


def expand_steps(cycle: Sequence[GroupSteps]) -> tuple[float, dict[int, list[Turn]]]:
    """(cycle length, turns by group) of colour steps that a controller publishes; they count from its start.

    A cycle whose groups' steps have not all the same sum has the length 0: it is none.
    """
    sums = {round(sum(step.seconds for step in own.steps), 3) for own in cycle}
    turns: dict[int, list[Turn]] = {}
    for own in cycle:
        at = 0.0
        for step in own.steps:
            turns.setdefault(own.group, []).append(Turn(at, step.colour))
            at += step.seconds
    return (sums.pop() if len(sums) == 1 else 0.0), {g: _distinct(own) for g, own in turns.items()}


def _stage_turns(phase: Phase, start: float, end: float, gains: bool, loses: bool) -> Iterator[Turn]:
    if gains:
        at = start
        for step in phase.gaining:
            yield Turn(at, step.colour)
            at += step.seconds
        yield Turn(at, Colour.GREEN)
    if loses:
        losing = [step for step in phase.losing if step.colour is not Colour.GREEN]
        at = end - sum(step.seconds for step in losing)
        for step in losing:
            yield Turn(at, step.colour)
            at += step.seconds
        yield Turn(end, Colour.RED)


def _distinct(turns: list[Turn]) -> list[Turn]:
    """Without turns that change nothing, seen around the cycle."""
    if len(turns) < 2:
        return turns
    return [turn for i, turn in enumerate(turns) if turns[i - 1].colour is not turn.colour]
