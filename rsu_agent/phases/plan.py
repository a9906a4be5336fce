"""A plan expanded to one cycle of colours a group: what the controller's configuration says will happen.

Stage times are taken to include the transitions (facts/controllers 1.3: inferred), so this serves only until
observed edges have calibrated it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rsu_agent.world.signal import Colour, Phase, Plan, Programme, Stage


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
        for number in sorted(_served(stages, stage)):
            phase = phases.get(number)
            if phase is None:
                continue
            own = list(_stage_turns(phase, start, seconds, number not in before, number not in after))
            for group in phase.groups:
                turns.setdefault(group, []).extend(own)
    return {group: _distinct(sorted(own, key=lambda t: t.offset_s)) for group, own in turns.items()}


def _served(stages: dict[int, Stage], number: int) -> frozenset[int]:
    stage = stages.get(number)
    return frozenset(stage.phases) if stage else frozenset()


def _stage_turns(phase: Phase, start: float, seconds: float, gains: bool, loses: bool) -> Iterator[Turn]:
    if gains:
        at = start
        for step in phase.gaining:
            yield Turn(at, step.colour)
            at += step.seconds
        yield Turn(at, Colour.GREEN)
    if loses:
        losing = [step for step in phase.losing if step.colour is not Colour.GREEN]
        at = start + seconds - sum(step.seconds for step in losing)
        for step in losing:
            yield Turn(at, step.colour)
            at += step.seconds
        yield Turn(start + seconds, Colour.RED)


def _distinct(turns: list[Turn]) -> list[Turn]:
    """Without turns that change nothing, seen around the cycle."""
    if len(turns) < 2:
        return turns
    return [turn for i, turn in enumerate(turns) if turns[i - 1].colour is not turn.colour]
