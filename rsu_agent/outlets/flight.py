"""The rows of one lane that are under way: what is unanswered, what comes next, when to send again. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

Range = tuple[int, int]


class Flight:
    """Numbers rise; `high` is the last one read from the outbox."""

    def __init__(self) -> None:
        self._sent_s: dict[int, float] = {}
        self._again: set[int] = set()
        self.ready: deque[tuple[int, bytes]] = deque()
        self.high = 0

    def __len__(self) -> int:
        return len(self._sent_s)

    def read(self, rows: Iterable[tuple[int, bytes]]) -> None:
        """Rows to be sent next."""
        for row in rows:
            self.ready.append(row)
            self.high = row[0]

    def sent(self, seq: int, now_s: float) -> None:
        """One is on its way."""
        self._sent_s[seq] = now_s

    def late(self, now_s: float, limit_s: float) -> bool:
        """Whether the one that has waited longest has waited too long."""
        first_s = next(iter(self._sent_s.values()), None)
        return first_s is not None and now_s - first_s > limit_s

    def again(self) -> int:
        """From the lowest unanswered on, all over; how many were under way."""
        count = len(self._sent_s)
        self._again.update(self._sent_s)
        self.high = min(self._sent_s, default=self.high + 1) - 1
        self._sent_s.clear()
        self.ready.clear()
        return count

    def from_the_beginning(self) -> None:
        """Rows that were answered stand in the outbox still: send them once more."""
        self.high = 0

    def landed(self, contiguous: int, ranges: Sequence[Range], now_s: float) -> float | None:
        """Answered; the time that one sent only once took, or None."""
        answered = [seq for seq in self._sent_s if seq <= contiguous or any(a <= seq <= b for a, b in ranges)]
        took_s = None
        for seq in answered:
            sent_s = self._sent_s.pop(seq)
            if seq in self._again:
                self._again.discard(seq)
            else:
                took_s = now_s - sent_s
        return took_s
