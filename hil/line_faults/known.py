"""What the line truly carried, and from it alone when the product had to speak and when to doubt."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hil.devices.gbt20999_codec import HEAD, Message, Profile, Reader

REPLY = 0x20
PERIODS = 100
TEN_HZ_S, TEN_HZ_LOSS_S = 0.130, 0.300  # field-rules 3.3 and 4
STAMPS_S = 0.005  # the stamps of one report differ by less between its sender and its reader
CUT_S = 0.1  # a line that breaks is told with the next frame
HOLD_S = 2.0  # without doubt before anything is said again


@dataclass(frozen=True)
class Good:
    """A complete report that the line carried whole: first and last byte (monotonic s)."""

    first_s: float
    last_s: float
    limit_s: float  # from this age on nothing may be said, by the pace of the reports up to it
    doubtful_s: float = 0.0  # how far two readers of the same pace may be apart in that


@dataclass
class Carried:
    """Fed with all that the device put on the line; keeps complete reports, with the pace they came in."""

    groups: Collection[int]
    profile: Profile
    baud: int
    goods: list[Good] = field(default_factory=list)
    _calm: list[float] = field(default_factory=list)
    _told: dict[int, float] = field(default_factory=dict)
    _intervals: deque[float] = field(default_factory=lambda: deque(maxlen=PERIODS))

    def put(self, data: bytes, last_s: float) -> None:
        """Whole frames with what a fault put around them; the last byte has passed the line at last_s.

        Noise that ends in an escape byte does not hide the frame behind it: each start byte is tried.
        """
        starts = [at for at, byte in enumerate(data) if byte == HEAD]
        found = {end: (at, message) for at in starts for end, message in self._message(data, at)}
        for end, (at, message) in sorted(found.items()):
            if message.kind == REPLY and message.controller == self.profile.controller:
                ended_s = last_s - (len(data) - end) * self._byte_s
                self._told |= dict.fromkeys(_lamps(message), ended_s - (end - at) * self._byte_s)
                if self._told.keys() >= set(self.groups):  # in one reply, or in several
                    self._good(min(self._told.values()), ended_s)
                    self._told.clear()

    def _message(self, data: bytes, at: int) -> Iterator[tuple[int, Message]]:
        """The message that begins there, if one does, with where it ends."""
        reader = Reader(self.profile)
        for end in range(at + 1, len(data) + 1):
            for message in reader.feed(data[end - 1 : end]):
                yield end, message
                return

    @property
    def _byte_s(self) -> float:
        return 10 / self.baud

    def calm(self) -> None:
        """Keep the pace of now, which no fault has disturbed, for `afresh`."""
        times = -(-PERIODS // len(self._intervals))
        self._calm = (list(self._intervals) * times)[:PERIODS]

    def afresh(self) -> list[float]:
        """The pace as it was in calm times, a hundred intervals; by it the newest report grows old, too."""
        self._intervals.extend(self._calm)
        newest = self.goods.pop()
        self.goods.append(self._by_pace(newest.first_s, newest.last_s))
        return self._calm

    def _good(self, first_s: float, last_s: float) -> None:
        if self.goods:
            interval_s = first_s - self.goods[-1].first_s
            if len(self._intervals) < 10 or interval_s <= self.goods[-1].limit_s:
                self._intervals.append(interval_s)
        self.goods.append(self._by_pace(first_s, last_s))

    def _by_pace(self, first_s: float, last_s: float) -> Good:
        """A report, with the age at which it is too old by the pace of now."""
        ordered = sorted(self._intervals)
        period_s = ordered[math.ceil(0.99 * len(ordered)) - 1] if ordered else 0.1
        limit_s = TEN_HZ_LOSS_S if period_s <= TEN_HZ_S else 1.5 * period_s + 0.1
        sure = period_s < TEN_HZ_S - STAMPS_S
        return Good(first_s, last_s, limit_s, 0.0 if sure else 3 * STAMPS_S + 0.03 * limit_s)


def _lamps(message: Message) -> list[int]:
    """Groups whose colour a message tells."""
    return [address[3] for _, address, value in message.entries if address[:3] == (3, 3, 1) and value]


def doubts(
    goods: list[Good], cuts: list[tuple[float, float]], late: float = 0.0
) -> Iterator[tuple[float, float]]:
    """(from, to) in order: times in which what was known had become too old, or the line was gone.

    late: 1 for the latest instant at which one may find it too old, -1 for the earliest.
    """
    old_s = {good: good.first_s + good.limit_s + late * good.doubtful_s for good in goods}
    spans = [
        (old_s[before], after.last_s) for before, after in pairwise(goods) if after.last_s > old_s[before]
    ]
    if goods:
        spans.append((goods[-1].first_s + goods[-1].limit_s, math.inf))
    spans += [
        (cut_s + CUT_S, next((g.last_s for g in goods if g.first_s > back_s), math.inf))
        for cut_s, back_s in cuts
    ]
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((begin, end))
    yield from merged
