"""Questions to a controller: what to ask, in which batches, what came back. Sans-IO."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from drivers.gbt20999.frames import Frame
from drivers.gbt20999.values import ERROR_REPLY, REPLY, Ident


class Asker:
    """One outstanding question at a time, matched by its values; the sequence number is only a hint."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.outstanding: tuple[Ident, ...] = ()
        self.absent: set[Ident] = set()
        self.known: dict[Ident, bytes] = {}
        self._open: set[Ident] = set()
        self._queue: deque[tuple[Ident, ...]] = deque()

    def want(self, idents: Iterable[Ident]) -> None:
        """Ask these some time, in batches."""
        todo = [ident for ident in idents if ident not in self.absent]
        self._queue.extend(tuple(todo[i : i + self.batch]) for i in range(0, len(todo), self.batch))

    @property
    def busy(self) -> bool:
        """Whether anything is still to be asked or answered."""
        return bool(self._queue or self._open)

    def next(self, urgent: Iterable[Ident] = ()) -> tuple[Ident, ...]:
        """What to send now: the urgent values first, else the next batch; empty when there is nothing."""
        todo = tuple(ident for ident in urgent if ident not in self.absent)
        if len(todo) > self.batch:
            self._queue.extendleft(
                tuple(todo[i : i + self.batch]) for i in range(self.batch, len(todo), self.batch)
            )
            todo = todo[: self.batch]
        if not todo and self._queue:
            todo = self._queue.popleft()
        self.outstanding, self._open = todo, set(todo)
        return todo

    @property
    def waiting(self) -> bool:
        """Whether a reply is outstanding."""
        return bool(self._open)

    def heard(self, frame: Frame) -> None:
        """A reply or an error reply."""
        if frame.type == REPLY:
            for value in frame.values:
                self.known[value.ident] = value.data
                self._open.discard(value.ident)
        elif frame.type == ERROR_REPLY and self._open:
            self._refused({value.ident for value in frame.values} & self._open)

    def give_up(self) -> None:
        """No reply came: forget the question; configuration is asked again."""
        if self._open and self.outstanding:
            self._open = set()

    def _refused(self, named: set[Ident]) -> None:
        """One value refused is absent; a refused batch is asked again in halves."""
        if len(self.outstanding) == 1:
            self.absent.update(self.outstanding)
        elif named and len(named) < len(self.outstanding):
            self.absent.update(named)
            rest = tuple(ident for ident in self._open if ident not in named)
            if rest:
                self._queue.appendleft(rest)
        else:
            half = max(1, len(self.outstanding) // 2)
            self.batch = max(1, min(self.batch, half))
            self._queue.extendleft([self.outstanding[half:], self.outstanding[:half]])
        self._open = set()
