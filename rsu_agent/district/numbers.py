"""Which numbers of a lane have come: the highest, and the gaps below it. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

MOST_GAPS = 4096  # of a lane: an edge has 256 envelopes under way, in order; more is no edge of ours
Runs = list[tuple[int, int]]  # inclusive, ascending, apart


class Numbers:
    """1 to `high` have come, but for `gaps`."""

    def __init__(self, high: int = 0, gaps: Iterable[tuple[int, int]] = ()) -> None:
        self.high = high
        self.gaps: Runs = list(gaps)

    def __contains__(self, number: int) -> bool:
        if number > self.high:
            return False
        at = bisect_right(self.gaps, (number, 1 << 63)) - 1
        return at < 0 or self.gaps[at][1] < number

    def add(self, first: int, last: int) -> None:
        """These have come too."""
        if last > self.high:
            if first > self.high + 1:
                self.gaps.append((self.high + 1, first - 1))
            self.high, before = last, self.high
            if first > before:
                return
        kept: Runs = []
        for low, high in self.gaps:
            if low < first:
                kept.append((low, min(high, first - 1)))
            if high > last:
                kept.append((max(low, last + 1), high))
        self.gaps = kept

    def would_scatter(self, first: int) -> bool:
        """Whether this number would open a gap beyond those that are kept."""
        return first > self.high + 1 and len(self.gaps) >= MOST_GAPS

    @property
    def contiguous(self) -> int:
        """The highest number below which none is missing."""
        return self.gaps[0][0] - 1 if self.gaps else self.high

    @property
    def missing(self) -> int:
        """How many below the highest are missing."""
        return sum(high - low + 1 for low, high in self.gaps)

    def ranges(self, most: int) -> Runs:
        """Runs that have come above the contiguous number, the lowest first."""
        starts = [high + 1 for _, high in self.gaps[:most]]
        ends = [low - 1 for low, _ in self.gaps[1 : most + 1]]
        return list(zip(starts, [*ends, self.high], strict=False))

    def multirange(self) -> str:
        """The gaps as PostgreSQL writes them."""
        return "{" + ",".join(f"[{low},{high + 1})" for low, high in self.gaps) + "}"
