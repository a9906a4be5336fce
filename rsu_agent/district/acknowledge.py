"""When an acknowledgement is said: at once where it says something new, else at most once a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rsu_agent.district.sink import LaneKey
from rsu_agent.ports.envelope import MOST_RANGES, Ack

REPEAT_S = 1.0
DRAINING = 8  # envelopes of a lane within a turn: it has a backlog
TURN_S = 1.0
MOST_LANES = 100_000  # remembered; beyond, all are forgotten and may be repeated early once


class Repeats:
    """What was said of every lane, and when. Pure: time comes as an argument."""

    def __init__(self) -> None:
        self._said: dict[LaneKey, tuple[Ack, float]] = {}
        self._owed: dict[LaneKey, tuple[str, Ack]] = {}

    def say(self, key: LaneKey, prefix: str, ack: Ack, now_s: float) -> bool:
        """Whether to send it now; one that says the same again too early is owed (`due`)."""
        last = self._said.get(key)
        if last is not None and _same(last[0], ack) and now_s - last[1] < REPEAT_S:
            self._owed[key] = prefix, ack
            return False
        if len(self._said) >= MOST_LANES:
            self._said.clear()
        self._said[key] = ack, now_s
        self._owed.pop(key, None)
        return True

    def due(self, now_s: float) -> Iterator[tuple[str, Ack]]:
        """(prefix, acknowledgement) of what is owed and may be repeated now."""
        for key, (prefix, ack) in list(self._owed.items()):
            last = self._said.get(key)
            if last is None or now_s - last[1] >= REPEAT_S:
                del self._owed[key]
                self._said[key] = ack, now_s
                yield prefix, ack


class Draining:
    """How many lanes have a backlog, by what came in this turn and the one before. Pure."""

    def __init__(self) -> None:
        self._count: Counter[LaneKey] = Counter()
        self._before, self._now, self._began_s = 0, 0, 0.0

    def heard(self, key: LaneKey, now_s: float) -> None:
        """An envelope of a lane."""
        if now_s - self._began_s >= TURN_S:
            self._before, self._now, self._began_s = self._now, 0, now_s
            self._count.clear()
        self._count[key] += 1
        self._now += self._count[key] == DRAINING

    @property
    def lanes(self) -> int:
        """At least one: whom a window is for has sent something."""
        return max(1, self._before, self._now)


def with_these(ack: Ack, numbers: Iterable[int]) -> Ack:
    """The acknowledgement with these committed numbers surely in it: of many ranges only the lowest are said,
    and a lane with more holes than that would never hear of what it has just sent."""
    runs: list[tuple[int, int]] = []
    for number in sorted(n for n in numbers if n > ack.contiguous):
        if any(low <= number <= high for low, high in ack.ranges):
            continue
        if runs and number <= runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
    if not runs:
        return ack
    runs = runs[-MOST_RANGES:]  # the newest: what is under way
    ranges = sorted((*ack.ranges[: MOST_RANGES - len(runs)], *runs))
    return Ack(ack.epoch, ack.lane, ack.contiguous, tuple(ranges), ack.rejected, ack.window)


def _same(one: Ack, other: Ack) -> bool:
    """Whether they say the same of what is stored; another window alone is no news."""
    return one.contiguous == other.contiguous and one.ranges == other.ranges
