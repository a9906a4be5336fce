"""Which lamp groups may be green together, in three values (field-rules 4): controller and site file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from itertools import combinations

from rsu_agent.world.signal import Programme

Pair = tuple[int, int]  # lamp groups, low and high


class Together(StrEnum):
    """What a pair of groups may do."""

    NEVER = "never"
    IF_PERMISSIVE = "if_permissive"  # together if one of them is permissive
    FREE = "free"


class Matrix:
    """never, if_permissive: pairs of the site file; the controller's own matrix joins them.

    protected: groups whose green promises a free way: arrows, or so marked in the MAP.
    """

    def __init__(
        self,
        never: Iterable[Pair] = (),
        if_permissive: Iterable[Pair] = (),
        protected: Collection[int] = frozenset(),
    ) -> None:
        self._site = frozenset(map(_ordered, never))
        self._softly = frozenset(map(_ordered, if_permissive))
        self._protected = frozenset(protected)
        self._forbid(self._site)

    def programme(self, programme: Programme) -> None:
        """Map conflicts of phases to groups: never, where all their phases are kept apart."""
        self._forbid(self._site | _kept_apart(programme))

    def of(self, one: int, other: int) -> Together:
        """What these two groups may do; the controller's never outweighs the site's permission."""
        pair = _ordered((one, other))
        if pair in self._never:
            return Together.NEVER
        return Together.IF_PERMISSIVE if pair in self._softly else Together.FREE

    def violated(self, green: Iterable[int]) -> Pair | None:
        """Two groups that are green and must not be, together."""
        return next((pair for pair in combinations(sorted(green), 2) if pair in self._forbidden), None)

    def _forbid(self, never: frozenset[Pair]) -> None:
        softly = (pair for pair in self._softly if self._protected.issuperset(pair))
        self._never, self._forbidden = never, never.union(softly)


def _ordered(pair: Pair) -> Pair:
    return min(pair), max(pair)


def _kept_apart(programme: Programme) -> frozenset[Pair]:
    """Groups of which every phase conflicts with every phase of the other; a shared phase makes them free."""
    phases_of: dict[int, set[int]] = {}
    for phase in programme.phases:
        for group in phase.groups:
            phases_of.setdefault(group, set()).add(phase.phase)
    hostile = set(programme.conflicts)
    return frozenset(
        (first, second)
        for first, second in combinations(sorted(phases_of), 2)
        if all(_ordered((a, b)) in hostile for a in phases_of[first] for b in phases_of[second])
    )
