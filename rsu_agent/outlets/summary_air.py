"""Quality of what was said and of the clock, per minute: counters in, small records out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
MINUTE_S = 60.0


@dataclass(slots=True)
class _Said:
    """One kind of message within an interval."""

    sent: int = 0
    largest: int = 0
    held: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ClockWord:
    """What is known of the clocks. bound_s: how far ours may be off; controller_s: its clock less ours."""

    trusted: bool
    bound_s: float | None
    source: str
    controller_s: float | None = None


class AirQuality:
    """Told of every frame sent or held and of every tick of SPAT; `minute` gives what is due."""

    def __init__(self, spat: str, map_: str, start_s: float) -> None:
        self._spat, self._map = spat, map_
        self._begin_s = start_s
        self._said = {spat: _Said(), map_: _Said()}
        self._ok, self._unsaid = 0, Counter[str]()
        self._trusted: bool | None = None

    def sent(self, kind: str, size: int) -> None:
        """A frame was handed to the radio."""
        if (said := self._said.get(kind)) is not None:
            said.sent += 1
            said.largest = max(said.largest, size)

    def held(self, kind: str, reason: str) -> None:
        """A frame was held back."""
        if (said := self._said.get(kind)) is not None:
            said.held[reason] += 1

    def tick(self, reason: str | None) -> None:
        """SPAT's turn: None when it said something, else why not."""
        if reason is None:
            self._ok += 1
        else:
            self._unsaid[reason] += 1

    def minute(
        self, now_s: float, utc_s: float, end_error_s: float | None, period_s: float | None, on_air: Record
    ) -> list[Record]:
        """SPAT and MAP of the minute that is over, or nothing yet. on_air: `r` and `sha` of the MAP."""
        seconds = now_s - self._begin_s
        if seconds < MINUTE_S:
            return []
        start_us = round((utc_s - seconds) * 1e6)
        head: Record = {"t": start_us, "d": round(seconds, 1)}
        spat, map_ = self._said[self._spat], self._said[self._map]
        records: list[Record] = [
            {"k": "spatq", **head, "n": spat.sent, "ok": self._ok, "un": _plain(self._unsaid)}
            | {"hl": _plain(spat.held), "e": _rounded(end_error_s), "p": _rounded(period_s)},
            {"k": "mapq", **head, "n": map_.sent, "hl": _plain(map_.held), "b": map_.largest, **on_air},
        ]
        self._begin_s, self._ok, self._unsaid = now_s, 0, Counter()
        self._said = {kind: _Said() for kind in self._said}
        return records

    def clock(self, word: ClockWord, utc_s: float, *, due: bool) -> list[Record]:
        """The clock, once a minute (due) and when trust was lost or won."""
        if not due and word.trusted == self._trusted:
            return []
        self._trusted = word.trusted
        clock = {"tr": word.trusted, "b": _rounded(word.bound_s, 6), "src": word.source}
        return [{"k": "clock", "t": round(utc_s * 1e6), **clock, "co": _rounded(word.controller_s)}]


def _plain(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
