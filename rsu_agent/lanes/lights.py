"""What shone when: the colours of each lamp group over the last minutes, and when nobody looked."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rsu_agent.world.signal import Colour

SPANS_KEPT = 64  # of one group: some cycles, longer than anybody waits inside a crossing
LONGEST_GAP_S = 2.0  # between two reports; a colour is not carried over a longer silence


@dataclass(slots=True)
class _Span:
    """One colour, from its first report to its last."""

    colour: Colour
    since_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Shone:
    """A colour at an instant, and for how long it had shone then, as far as it was seen."""

    colour: Colour
    for_s: float


NOBODY_SAW = Shone(Colour.UNKNOWN, 0.0)


class LightLog:
    """Fed with every lamp of every report, in order of time."""

    def __init__(self) -> None:
        self._spans: dict[int, deque[_Span]] = {}

    def saw(self, group: int, colour: Colour, at_s: float) -> bool:
        """One lamp of one report; whether it was seen to change."""
        spans = self._spans.setdefault(group, deque(maxlen=SPANS_KEPT))
        last = spans[-1] if spans else None
        if last is not None and at_s < last.last_s:
            return False
        if last is not None and last.colour is colour and at_s - last.last_s <= LONGEST_GAP_S:
            last.last_s = at_s
            return False
        changed = last is not None and last.colour is not colour
        spans.append(_Span(colour, at_s, at_s))
        return changed

    def at(self, group: int, at_s: float) -> Shone:
        """What a group showed at an instant; UNKNOWN where no report is near."""
        for span in reversed(self._spans.get(group, ())):
            if span.since_s <= at_s:
                seen = at_s - span.last_s <= LONGEST_GAP_S
                return Shone(span.colour, at_s - span.since_s) if seen else NOBODY_SAW
        return NOBODY_SAW
