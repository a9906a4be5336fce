"""What has been sent, watched: rate, gaps, stamps, and whether SPAT speaks of what the MAP names. Sans-IO."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from rsu_agent.messages.moment import UtcStamp
from rsu_agent.outlets.bits import NotSpat
from rsu_agent.outlets.spat_reader import SpatRead
from rsu_agent.wire.uper import Malformed

WINDOW_S = 10.0
FEWEST, MOST = 95, 110  # SPAT frames in every ten seconds (field-rules 5.1)
LARGEST_GAP_S = 0.150
STAMP_MS, MINUTE_MS = 20, 60_000
COMPARE_S = 600.0  # so often SPAT is held against the MAP: reading one costs as much as a tick
GAP, RARE, OFTEN, STAMP, UNREADABLE, DISAGREES = FAULTS = (
    "gap",
    "too_few",
    "too_many",
    "stamp",
    "unreadable",
    "not_in_spat",
)

Read = Callable[[bytes, UtcStamp | None], SpatRead]


class SentWatch:
    """One crossing's. read: the guard's reader of SPAT; decode: a MAP as plain values, raises Malformed."""

    def __init__(self, spat_kind: str, map_kind: str, read: Read, decode: Callable[[bytes], Any]) -> None:
        self._spat, self._map, self._read, self._decode = spat_kind, map_kind, read, decode
        self._times: deque[float] = deque()
        self._since_s: float | None = None
        self._map_frame: bytes | None = None
        self._compared_s = float("-inf")
        self._rate = ""
        self.counters: Counter[str] = Counter()

    def sent(self, kind: str, frame: bytes, now_s: float, stamp: UtcStamp | None) -> list[str]:
        """A message has been handed to the radio; what is wrong with it, from FAULTS."""
        found: list[str] = []
        if kind == self._map:
            self._map_frame = frame
        elif kind == self._spat:
            found = [*self._pace(now_s), *self._content(frame, now_s, stamp)]
        self.counters.update(found)
        return found

    def silent(self) -> None:
        """Nothing is said, and on purpose: the pace begins anew with the next frame."""
        self._times.clear()
        self._since_s = None

    def _pace(self, now_s: float) -> Iterator[str]:
        if self._times and now_s - self._times[-1] > LARGEST_GAP_S:
            yield GAP
        self._since_s = now_s if self._since_s is None else self._since_s
        self._times.append(now_s)
        while now_s - self._times[0] >= WINDOW_S:
            self._times.popleft()
        few = len(self._times) < FEWEST and now_s - self._since_s >= WINDOW_S
        rate = RARE if few else OFTEN if len(self._times) > MOST else ""
        if rate and rate != self._rate:
            yield rate
        self._rate = rate

    def _content(self, frame: bytes, now_s: float, stamp: UtcStamp | None) -> Iterator[str]:
        try:
            read = self._read(frame, stamp)
        except NotSpat:
            yield UNREADABLE
            return
        if stamp is not None and read.minute is not None and read.millisecond is not None:
            minutes, milliseconds = read.minute - stamp.minute_of_year, read.millisecond - stamp.millisecond
            if abs(minutes * MINUTE_MS + milliseconds) > STAMP_MS:
                yield STAMP
        if self._map_frame is not None and now_s - self._compared_s >= COMPARE_S:
            self._compared_s = now_s
            if not self._names(self._map_frame) <= {phase.phase for phase in read.phases}:
                yield DISAGREES

    def _names(self, frame: bytes) -> frozenset[int]:
        """Phases or signal groups that a MAP names; of one that cannot be read none."""
        try:
            return frozenset(_numbers(self._decode(frame)))
        except Malformed:
            return frozenset()


def _numbers(value: Any) -> Iterator[int]:
    match value:
        case dict():
            for name, inner in value.items():
                if name in ("phaseId", "signalGroup") and isinstance(inner, int):
                    yield inner
                else:
                    yield from _numbers(inner)
        case list() | tuple():
            for inner in value:
                yield from _numbers(inner)
