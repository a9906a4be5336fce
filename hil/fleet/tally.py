"""How late the district's word comes, and what of all that was sent is in its database. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.uplink_chaos.compare import Held, Lane
from rsu_agent.ports.envelope import LANES, Ack

FINE_MS, COARSE_MS = 1000, 10  # milliseconds below a second, then hundredths: memory stays bounded
Key = tuple[int, str]  # (pole, lane)


class Lags:
    """Seconds, counted in classes of a millisecond."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def __len__(self) -> int:
        return self._counts.total()

    def add(self, lag_us: int) -> None:
        """One that took so many microseconds; rounded up, never down."""
        ms = max(0, -(-lag_us // 1000))
        self._counts[ms if ms <= FINE_MS else -(-ms // COARSE_MS) * COARSE_MS] += 1

    def p_s(self, share: float) -> float | None:
        """That share of them took no longer; None without any."""
        left = share * len(self)
        for ms in sorted(self._counts):
            left -= self._counts[ms]
            if left <= 0:
                return ms / 1000
        return None


class Tally:
    """Envelopes under way and answered, of every pole and lane.

    returning_from_us: since when all return; the high lane's records stamped since are noted apart, too.
    """

    def __init__(self) -> None:
        self.record = {lane: Lags() for lane in LANES}  # from a record's stamp
        self.sealed = {lane: Lags() for lane in LANES}  # from the envelope's
        self.returned_hi = Lags()
        self.envelopes = self.records = self.resent = 0
        self.contiguous: dict[Key, int] = {}
        self.acknowledged: Counter[str] = Counter()
        self.returning_from_us: int | None = None
        self._waiting: dict[Key, dict[int, tuple[int, Sequence[int]]]] = {}

    def sent(self, key: Key, seq: int, sealed_us: int, stamps_us: Sequence[int]) -> None:
        """An envelope leaves for the first time; again, it changes nothing."""
        waiting = self._waiting.setdefault(key, {})
        if seq > self.contiguous.get(key, 0):
            waiting.setdefault(seq, (sealed_us, stamps_us))

    def answered(self, key: Key, ack: Ack, now_us: int) -> None:
        """The district's word."""
        before = self.contiguous.get(key, 0)
        self.contiguous[key] = max(before, ack.contiguous)
        waiting = self._waiting.get(key, {})
        ranges = [*ack.ranges, *((seq, seq) for seq, _ in ack.rejected)]
        done = [q for q in waiting if q <= ack.contiguous or any(a <= q <= b for a, b in ranges)]
        for seq in done:
            sealed_us, stamps_us = waiting.pop(seq)
            self.envelopes += 1
            self.records += len(stamps_us)
            self.sealed[key[1]].add(now_us - sealed_us)
            for stamp_us in stamps_us:
                self.record[key[1]].add(now_us - stamp_us)
                since_us = self.returning_from_us
                if key[1] == "hi" and since_us is not None and stamp_us >= since_us:
                    self.returned_hi.add(now_us - stamp_us)

    def reached(self, marks: Mapping[Key, int]) -> bool:
        """Whether every lane is answered up to its mark without a hole."""
        return all(self.contiguous.get(key, 0) >= mark for key, mark in marks.items())


@dataclass(frozen=True, slots=True)
class Counted:
    """lost: numbers given that the database lacks; duplicates: more rows of one number than one."""

    lost: int
    duplicates: int


def counted(given: Mapping[Lane, int], held: Held) -> Counted:
    """given: (epoch, lane) -> last number. Declared gaps are not lost, they are told."""
    lost = duplicates = 0
    for key, last in given.items():
        rows = held.envelopes.get(key, Counter())
        there = set(rows) | held.holes.get(key, set())
        lost += sum(number not in there for number in range(1, last + 1))
        duplicates += sum(rows.values()) - len(rows)
    return Counted(lost, duplicates)


def p99(lags: Mapping[str, Lags]) -> dict[str, float | None]:
    """Per lane, seconds."""
    return {lane: found.p_s(0.99) for lane, found in lags.items()}


def missed(figures: Mapping[str, Any]) -> list[str]:
    """Of truth: nothing lost, nothing twice, all drained. What a foreign database holds is not judged."""
    told = [f"{name} {figures[name]} > 0" for name in ("lost", "duplicates") if figures[name]]
    return told + ["not drained"] * (not figures["drained"])


def worst(values: Iterable[float | None]) -> float | None:
    """The greatest that was measured."""
    return max((value for value in values if value is not None), default=None)
