"""Changes of lamps that are to come: each shines a little before the controller knows it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

LAMP_LEAD_S = 0.050  # a lamp changes at most so long before the controller can know it, never after


@dataclass(order=True)
class Change:
    """One instant at which lamps change: shining at true_s, known to the controller at known_s."""

    known_s: float
    true_s: float = field(compare=False)
    colours: dict[int, str] = field(compare=False)
    shone: bool = field(default=False, compare=False)


class Changes:
    """In order of when they become known."""

    def __init__(self, seed: int, lead_s: float = LAMP_LEAD_S) -> None:
        self._random = random.Random(seed)
        self.lead_s = lead_s
        self._heap: list[Change] = []

    def put(self, known_s: float, colours: Mapping[int, str], *, late: bool = False) -> None:
        """Planned for known_s. late: decided this moment, so that knowing comes after the lamp."""
        lead_s = self._random.uniform(0.0, self.lead_s)
        if late:
            heapq.heappush(self._heap, Change(known_s + lead_s, known_s, dict(colours)))
        else:
            heapq.heappush(self._heap, Change(known_s, known_s - lead_s, dict(colours)))

    def put_all(self, at: Mapping[float, Mapping[int, str]]) -> None:
        """Several instants."""
        for known_s, colours in at.items():
            self.put(known_s, colours)

    def shining(self, now_s: float) -> list[Change]:
        """Those whose lamps shine by now and had not, in order of shining."""
        due = [change for change in self._heap if not change.shone and change.true_s <= now_s]
        for change in due:
            change.shone = True
        return sorted(due, key=lambda change: change.true_s)

    def known(self, now_s: float) -> list[Change]:
        """Those that are known by now; they are done."""
        due = []
        while self._heap and self._heap[0].known_s <= now_s:
            due.append(heapq.heappop(self._heap))
        return due

    def next_s(self) -> float | None:
        """When the next lamp shines or the next change is known."""
        return min((c.known_s if c.shone else c.true_s for c in self._heap), default=None)

    def of(self, group: int, colour: str, after_s: float) -> tuple[float, str] | None:
        """When a group that shows this colour is to change: when known, to what."""
        own = [
            (change.known_s, change.colours[group])
            for change in self._heap
            if change.known_s > after_s and change.colours.get(group, colour) != colour
        ]
        return min(own, default=None)

    def clear(self, but: Collection[int] = ()) -> None:
        """Forget all, but those of some groups; what shines already still becomes known."""
        kept = []
        for change in self._heap:
            colours = {group: colour for group, colour in change.colours.items() if group in but}
            if change.shone:
                kept.append(change)
            elif colours:
                kept.append(Change(change.known_s, change.true_s, colours))
        heapq.heapify(kept)
        self._heap = kept
