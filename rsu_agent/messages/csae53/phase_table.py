"""Which lamp groups share which phaseId: the only join between SPAT and MAP."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

MOST_PHASES = 16
RESERVED = (0, 255)


class PhaseTable:
    """phaseId -> lamp groups of equal colour history, and which groups show arrows.

    Raises ValueError naming what does not fit: more than 16 phases are never cut short (field-rules 2.6).
    """

    def __init__(self, phases: Mapping[int, Sequence[int]], arrows: Collection[int] = ()) -> None:
        if len(phases) > MOST_PHASES:
            named = "; ".join(f"{phase}: groups {sorted(groups)}" for phase, groups in sorted(phases.items()))
            raise ValueError(f"PhaseList holds {MOST_PHASES}, not {len(phases)} phases ({named})")
        self.phases = {phase: tuple(groups) for phase, groups in sorted(phases.items())}
        self._arrows = frozenset(
            phase for phase, groups in self.phases.items() if all(group in arrows for group in groups)
        )
        self._phase_of: dict[int, int] = {}
        for phase, groups in self.phases.items():
            if phase in RESERVED or not 0 < phase < 255:
                raise ValueError(f"phaseId {phase} may not be used")
            for group in groups:
                if group in self._phase_of:
                    raise ValueError(f"lamp group {group} is in phase {self._phase_of[group]} and in {phase}")
                self._phase_of[group] = phase

    def phase_of(self, group: int) -> int | None:
        """The phaseId of a lamp group."""
        return self._phase_of.get(group)

    def is_arrow(self, phase: int) -> bool:
        """Whether a phase's lamps are arrows: its green is protected (field-rules 2.2)."""
        return phase in self._arrows
