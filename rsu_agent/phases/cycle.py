"""A cycle learnt from what was seen: when in it each group changes, and the slow drift of its clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rsu_agent.phases.history import Edge
from rsu_agent.world.signal import Colour

SAME_EDGE_S = 1.5  # an edge so near to where it was learnt is the same edge, one cycle later
WHOLE_MARGIN_S = 0.3  # so much longer than a cycle we look, so that every edge has been seen, late or early
ORIGIN_GAIN = 0.02  # an edge moves the origin by this share of its residual: some 60 edges a cycle
OFFSET_WINDOW = 16  # an edge's own offset is the mean of about so many cycles
SHORTEST_RUN_S = 0.05  # what ends sooner is the edge that began it
SPREAD_FLOOR_S = 0.15  # lamps change up to 50 ms before the controller knows, reports jitter


@dataclass(slots=True)
class Slot:
    """One edge of one group in the cycle."""

    before: Colour
    after: Colour
    offset_s: float
    seen: int = 1
    spread_s: float = SPREAD_FLOOR_S


@dataclass(slots=True)
class Cycle:
    """Learns from edges; offsets count from origin_s, modulo the cycle length."""

    length_s: float
    origin_s: float
    began_s: float
    slots: dict[int, list[Slot]] = field(default_factory=dict)
    strangers: int = 0
    lessons: int = 0  # how often something was learnt: what was derived before the last lesson is outdated

    def learn(self, edge: Edge) -> float | None:
        """Take in an edge. Its residual against what was learnt (s), None when it is new."""
        self.lessons += 1
        offset = self._offset(edge.at_s)
        slot = self._slot(edge, offset)
        if slot is None:
            self.strangers += self.whole(edge.at_s)
            own = self.slots.setdefault(edge.group, [])
            own.append(Slot(edge.before, edge.after, offset))
            own.sort(key=lambda s: s.offset_s)
            return None
        residual = self._wrapped(offset - slot.offset_s)
        self.origin_s += ORIGIN_GAIN * residual
        slot.seen = min(slot.seen + 1, OFFSET_WINDOW)
        slot.offset_s = (slot.offset_s + residual / slot.seen) % self.length_s
        slot.spread_s = max(SPREAD_FLOOR_S, 0.9 * slot.spread_s, abs(residual) + 0.05)
        return residual

    def whole(self, now_s: float) -> bool:
        """Whether a full cycle has been seen."""
        return now_s - self.began_s >= self.length_s + WHOLE_MARGIN_S

    def end_of(
        self, group: int, colour: Colour, since_s: float | None, now_s: float
    ) -> tuple[Slot, float] | None:
        """The edge that should end what a group shows, and when (absolute)."""
        own = self.slots.get(group, [])
        if since_s is None:
            after = now_s
        else:
            began = self._began_with(own, colour, since_s)
            after = since_s if began is None else self.near(began, since_s)
        ends = [(slot, self.after(slot, after + SHORTEST_RUN_S)) for slot in own if slot.before is colour]
        return min(ends, key=_when, default=None)

    def run_of(
        self, group: int, colour: Colour, from_s: float
    ) -> tuple[tuple[Slot, float], tuple[Slot, float]] | None:
        """The edges, and when, that begin and end the next run of a colour after from_s."""
        own = self.slots.get(group, [])
        starts = [(slot, self.after(slot, from_s)) for slot in own if slot.after is colour]
        start = min(starts, key=_when, default=None)
        if start is None:
            return None
        ends = [(slot, self.after(slot, start[1] + SHORTEST_RUN_S)) for slot in own if slot.before is colour]
        end = min(ends, key=_when, default=None)
        return None if end is None else (start, end)

    def near(self, slot: Slot, at_s: float) -> float:
        """The occurrence of an edge nearest to an instant."""
        return at_s - self._wrapped(self._offset(at_s) - slot.offset_s)

    def after(self, slot: Slot, at_s: float) -> float:
        """The first occurrence of an edge at or after an instant."""
        return at_s + (slot.offset_s - self._offset(at_s)) % self.length_s

    def _began_with(self, own: list[Slot], colour: Colour, since_s: float) -> Slot | None:
        """The learnt edge that began what is shown."""
        offset = self._offset(since_s)
        near = [s for s in own if s.after is colour and abs(self._wrapped(offset - s.offset_s)) < SAME_EDGE_S]
        return min(near, key=lambda s: abs(self._wrapped(offset - s.offset_s)), default=None)

    def _slot(self, edge: Edge, offset: float) -> Slot | None:
        near = [
            slot
            for slot in self.slots.get(edge.group, [])
            if (slot.before, slot.after) == (edge.before, edge.after)
            and abs(self._wrapped(offset - slot.offset_s)) < SAME_EDGE_S
        ]
        return min(near, key=lambda s: abs(self._wrapped(offset - s.offset_s)), default=None)

    def _offset(self, at_s: float) -> float:
        return (at_s - self.origin_s) % self.length_s

    def _wrapped(self, difference: float) -> float:
        half = self.length_s / 2
        return (difference + half) % self.length_s - half


def _when(edge: tuple[Slot, float]) -> float:
    return edge[1]


def stage_start_bounds(
    elapsed_s: float | None, remaining_s: float | None, seconds: float, at_s: float
) -> Iterator[tuple[float, float]]:
    """Bounds on a stage's start from whole-second counters: floor, ceiling or one more, whichever it is."""
    if elapsed_s is not None:
        yield at_s - elapsed_s - 1.0, at_s - elapsed_s
    if remaining_s is not None:
        yield at_s + remaining_s - 1.0 - seconds, at_s + remaining_s + 1.0 - seconds
