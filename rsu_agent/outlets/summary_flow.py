"""Counts per entry lane and minute: who passed the stop line, how fast, how far apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.lanes.events import LinePassed
from rsu_agent.lanes.trace import OnLane

LOOP_M = 2.0  # of lane before the stop line, as long as an induction loop
MINUTE_US = 60_000_000
LONGEST_STEP_S = 0.5  # between two scenes; a longer silence was not watched


@dataclass(slots=True)
class _Minute:
    watched_s: float = 0.0
    covered_s: float = 0.0
    passed: Counter[str] = field(default_factory=Counter)
    speeds_mps: float = 0.0
    headways_s: list[float] = field(default_factory=list)


class Flow:
    """Fed once a tick; `close` gives the fields of a minute by lane."""

    def __init__(self, lanes: Iterable[int]) -> None:
        self._minutes = {lane: _Minute() for lane in lanes}
        self._last_s: dict[int, float] = {}  # when the line was passed last, if it was watched ever since

    def tick(self, step_s: float, watched: set[int], present: Sequence[OnLane]) -> None:
        """One scene. watched: lanes that a healthy sensor sees; step_s: since the scene before."""
        covered = {on.lane for on in present if on.before_m < LOOP_M and on.before_m + on.user.length_m > 0.0}
        whole = step_s <= LONGEST_STEP_S
        for lane, minute in self._minutes.items():
            if lane not in watched or not whole:
                self._last_s.pop(lane, None)
            if lane in watched:
                seconds = min(step_s, LONGEST_STEP_S)
                minute.watched_s += seconds
                minute.covered_s += seconds if lane in covered else 0.0

    def passed(self, event: LinePassed) -> None:
        """A stop line was passed."""
        minute = self._minutes[event.lane]
        minute.passed[event.kind] += 1
        minute.speeds_mps += event.speed_mps
        last_s = self._last_s.pop(event.lane, None)
        if event.sure:
            self._last_s[event.lane] = event.at_s
            if last_s is not None:
                minute.headways_s.append(max(0.0, event.at_s - last_s))

    def close(self) -> dict[int, dict[str, Any]]:
        """The minute is over: the fields of each lane that was watched at all; counting starts again."""
        fields = {lane: _fields(minute) for lane, minute in self._minutes.items() if minute.watched_s > 0.0}
        self._minutes = {lane: _Minute() for lane in self._minutes}
        return fields


def _fields(minute: _Minute) -> dict[str, Any]:
    count, headways = minute.passed.total(), minute.headways_s
    return {
        "d": round(minute.watched_s, 1),
        "n": {str(kind): number for kind, number in sorted(minute.passed.items())},
        "v": round(minute.speeds_mps / count, 2) if count else None,
        "o": round(minute.covered_s / minute.watched_s, 3),
        "h": round(sum(headways) / len(headways), 2) if headways else None,
        "hm": round(min(headways), 2) if headways else None,
    }
