"""When an acknowledgement is said: at once where it says something new, else at most once a second."""

from __future__ import annotations

from collections.abc import Iterator

from rsu_agent.district.sink import LaneKey
from rsu_agent.ports.envelope import Ack

REPEAT_S = 1.0
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


def _same(one: Ack, other: Ack) -> bool:
    """Whether they say the same of what is stored; another window alone is no news."""
    return one.contiguous == other.contiguous and one.ranges == other.ranges
