"""Delay and stops per entry lane and minute, of those whose whole approach was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rsu_agent.lanes.delay import FreeWay
from rsu_agent.lanes.events import LinePassed
from rsu_agent.world.crossing import Lane


@dataclass(slots=True)
class _Minute:
    delays_s: float = 0.0
    sights_m: float = 0.0
    measured: int = 0
    late: int = 0
    stops: int = 0
    stopped: int = 0


class Delays:
    """Fed with passings; `close` gives the fields of a minute."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self._free = {lane.lane: FreeWay(lane) for lane in lanes}
        self._minutes = {lane: _Minute() for lane in self._free}

    def passed(self, event: LinePassed) -> None:
        """A stop line was passed."""
        minute, delay_s = self._minutes[event.lane], self._free[event.lane].delay_s(event)
        if delay_s is None:
            minute.late += 1
            return
        minute.measured += 1
        minute.delays_s += delay_s
        minute.sights_m += event.travel_m
        minute.stops += event.stops
        minute.stopped += event.stops > 0

    def close(self) -> dict[int, dict[str, Any]]:
        """The minute is over: its fields by lane; counting starts again."""
        fields = {lane: _fields(minute) for lane, minute in self._minutes.items()}
        self._minutes = {lane: _Minute() for lane in self._minutes}
        return fields


def _fields(minute: _Minute) -> dict[str, Any]:
    count = minute.measured
    return {
        "dl": round(max(0.0, minute.delays_s / count), 2) if count else None,
        "df": round(minute.sights_m / count, 1) if count else None,
        "dn": count,
        "du": minute.late,
        "st": round(minute.stops / count, 2) if count else None,
        "ss": round(minute.stopped / count, 3) if count else None,
    }
