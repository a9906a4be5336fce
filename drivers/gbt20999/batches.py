"""How much to ask at once: batches that fit, and what a refused or lost batch teaches."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence

from drivers.gbt20999.deframer import LARGEST_BYTES
from drivers.gbt20999.ids import width
from drivers.gbt20999.link import Answer, Refusal, request_bytes
from drivers.gbt20999.wire import Address

NOT_PRESENT = 0x30  # error byte of a reply that names what is missing
# Losses in a row of one size, while others are answered: the controller drops what is so long. An answer that
# came and could not be read tells less of that than none at all.
LOSSES, SILENT_LOSS, GARBLED_LOSS = 12, 3, 1
TRY_AGAIN = 100  # answers of the learnt size before a larger one is tried: a bad minute is not for ever
LATEST_TRY = 6400
STRIKES = 2  # a value asked for alone and unanswered so often, while others are answered, does not exist
ROOM_BYTES = 128  # for strings longer than expected


class Questions:
    """Knows which values answer, which do not exist, and how many the controller takes in one frame."""

    def __init__(self, most: int) -> None:
        self._most = self._ceiling = self._limit = most
        self._try_after, self._answers = TRY_AGAIN, 0
        self._trial = False
        self._proven: set[Address] = set()
        self._strikes: dict[Address, int] = {}
        self._losses = 0
        self.absent: set[Address] = set()
        self.follow_ups: deque[tuple[Address, ...]] = deque()

    def batches(self, addresses: Sequence[Address], most_bytes: int) -> list[tuple[Address, ...]]:
        """Cut into questions of at most the learnt count whose query and reply together fit most_bytes."""
        made: list[tuple[Address, ...]] = []
        current: list[Address] = []
        values_bytes = 0
        for address in addresses:
            if address in self.absent:
                continue
            own_bytes = width(address)
            if current and not self._fits(len(current) + 1, values_bytes + own_bytes, most_bytes):
                made.append(tuple(current))
                current, values_bytes = [], 0
            current.append(address)
            values_bytes += own_bytes
        return [*made, tuple(current)] if current else made

    def _fits(self, count: int, values_bytes: int, most_bytes: int) -> bool:
        request = request_bytes(count)
        reply = request + values_bytes
        return count <= self._limit and reply <= LARGEST_BYTES - ROOM_BYTES and request + reply <= most_bytes

    def answered(self, answer: Answer) -> None:
        """Learn from a reply. Values it leaves out are asked for again in smaller batches."""
        got = {value.address for value in answer.frame.values}
        self._proven |= got
        self._losses = 0 if len(answer.asked) > 1 else self._losses
        for address in got:
            self._strikes.pop(address, None)
        missing = tuple(address for address in answer.asked if address not in got)
        if missing and len(answer.asked) > 1:
            self._again(_halves(missing) if len(missing) == len(answer.asked) else [missing])
        elif missing:
            self.absent.update(set(missing) - self._proven)
        elif len(answer.asked) >= self._limit:
            self._full()

    def refused(self, refusal: Refusal) -> None:
        """Learn from an error reply: only a value refused alone does not exist."""
        asked = refusal.asked
        if len(asked) == 1:
            self.absent.update(asked)
        elif set(asked) <= self._proven:  # each answers, but not so many at once
            self._most = self._ceiling = self._limit = max(1, len(asked) // 2)
            self._again(_halves(asked))
        elif refusal.code == NOT_PRESENT and refusal.named and refusal.named < set(asked):
            rest = tuple(address for address in asked if address not in refusal.named)
            self._again([rest, *((address,) for address in asked if address in refusal.named)])
        else:
            self._again(_halves(asked))

    def _full(self) -> None:
        """As many values as may be asked were answered."""
        self._answers += 1
        if self._trial or self._limit < self._ceiling:
            self._trial = False
            self._limit = min(self._ceiling, self._limit * 2)
        elif self._ceiling < self._most and self._answers >= self._try_after:
            self._answers, self._trial = 0, True
            self._ceiling = self._limit = min(self._most, self._ceiling * 2)

    def unanswered(self, asked: tuple[Address, ...], *, others_answer: bool, garbled: bool) -> None:
        """Learn from a question that timed out; others_answer: the line is alive; garbled: something came."""
        if not self._proven:
            self._limit = max(1, self._limit // 8)  # perhaps it drops long queries; grows again by itself
        elif not others_answer:
            return
        elif len(asked) > 1:
            self._lost(asked, garbled=garbled)
        elif len(asked) == 1:
            self._strikes[asked[0]] = self._strikes.get(asked[0], 0) + 1
            if self._strikes[asked[0]] >= STRIKES and asked[0] not in self._proven:
                self.absent.add(asked[0])

    def _lost(self, asked: tuple[Address, ...], *, garbled: bool) -> None:
        if not set(asked) <= self._proven:
            self._again(_halves(asked))
            return
        self._losses += GARBLED_LOSS if garbled else SILENT_LOSS
        failed = self._trial and len(asked) > self._limit // 2
        if failed or self._losses >= LOSSES:
            self._try_after = min(LATEST_TRY, self._try_after * 2) if failed else self._try_after
            self._losses, self._answers, self._trial = 0, 0, False
            self._ceiling = self._limit = max(1, (self._limit if failed else len(asked)) // 2)

    def settled(self, addresses: Iterable[Address]) -> bool:
        """Whether no smaller batch waits, or each of these is known to answer or not to exist."""
        return not self.follow_ups or all(a in self._proven or a in self.absent for a in addresses)

    def next_follow_up(self) -> tuple[Address, ...]:
        """The oldest smaller batch that waits, or nothing."""
        while self.follow_ups:
            batch = tuple(address for address in self.follow_ups.popleft() if address not in self.absent)
            if len(batch) > self._limit:
                self._again([batch[: self._limit], batch[self._limit :]])
            elif batch:
                return batch
        return ()

    def forget_absences(self, but: Collection[Address] = ()) -> None:
        """The programme has changed: what did not exist may exist now."""
        self.absent.intersection_update(but)
        self._strikes.clear()

    def _again(self, batches: Iterable[tuple[Address, ...]]) -> None:
        self.follow_ups.extendleft(reversed([batch for batch in batches if batch]))


def _halves(addresses: tuple[Address, ...]) -> list[tuple[Address, ...]]:
    middle = len(addresses) // 2
    return [addresses[:middle], addresses[middle:]] if middle else [addresses]
