"""Finding a fixed cycle in what the lamps do, for sources that tell no plan."""

from __future__ import annotations

import itertools
from collections import deque
from statistics import fmean

from rsu_agent.phases.history import Edge
from rsu_agent.world.signal import Colour

CYCLES = 3  # that must be alike
EDGES_KEPT = 16  # of one kind; a group may be green several times a cycle
SAME_S = 0.6  # so much may two cycles differ: stamps jitter, lamps lead reports
SHORTEST_S, LONGEST_S = 20.0, 300.0
MOST_TURNS = 3  # edges of one kind in a cycle
AGREEING = 0.9  # share of the kinds of edges that must have the same cycle

_Kind = tuple[int, Colour, Colour]


class Rhythm:
    """Fed with edges; tells a cycle's length once nearly all groups have kept it for some cycles."""

    def __init__(self) -> None:
        self._seen: dict[_Kind, deque[float]] = {}

    def saw_edge(self, edge: Edge) -> None:
        """One more change."""
        kind = edge.group, edge.before, edge.after
        self._seen.setdefault(kind, deque(maxlen=EDGES_KEPT)).append(edge.at_s)

    def clear(self) -> None:
        """What was seen no longer belongs to how things are."""
        self._seen.clear()

    def length_s(self, now_s: float) -> float | None:
        """The cycle's length, None where there is none: in actuated operation cycles differ."""
        newest = {kind: list(times) for kind, times in self._seen.items() if now_s - times[-1] <= LONGEST_S}
        lengths = sorted(length for times in newest.values() for length in [_period_s(times)] if length)
        if not lengths or len(lengths) < 2:
            return None
        middle = lengths[len(lengths) // 2]
        alike = [length for length in lengths if abs(length - middle) <= SAME_S / CYCLES]
        kinds = sum(len(times) > CYCLES for times in newest.values())
        return fmean(alike) if len(alike) >= AGREEING * max(kinds, 2) else None


def _period_s(times: list[float]) -> float | None:
    """The shortest time after which this edge has come again in each of the last cycles."""
    for turns in range(1, MOST_TURNS + 1):
        needed = turns * CYCLES + 1
        if len(times) < needed:
            return None
        marks = times[-needed::turns]
        gaps = [after - before for before, after in itertools.pairwise(marks)]
        even = max(gaps) - min(gaps) <= SAME_S
        if even and SHORTEST_S <= fmean(gaps) <= LONGEST_S and _same_within(times, turns):
            return fmean(gaps)
    return None


def _same_within(times: list[float], turns: int) -> bool:
    """Whether the places inside the cycle repeat too."""
    pairs = zip(times[-turns * CYCLES :], times[-turns * (CYCLES + 1) : -turns], strict=False)
    gaps = [after - before for after, before in pairs]
    return not gaps or max(gaps) - min(gaps) <= SAME_S
