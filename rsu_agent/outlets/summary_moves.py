"""Figures per movement and minute: the delay measured at the line joined with the way gone after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.lanes.delay import FreeWay
from rsu_agent.lanes.events import LinePassed, Passage
from rsu_agent.world.crossing import Lane

Key = tuple[int, str]  # (entry lane, turn)
MOST_ON_THE_WAY = 500  # between line and exit; whoever is forgotten is counted without figures
LONGEST_HEADWAY_S = 30.0  # beyond, the two had nothing to do with each other


@dataclass(slots=True)
class _Minute:
    gone: Counter[str] = field(default_factory=Counter)
    speeds_mps: list[float] = field(default_factory=list)
    headways_s: list[float] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    stops: list[int] = field(default_factory=list)


class Moves:
    """Fed with lines passed and ways gone; `close` gives the records of a minute."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self._free = {lane.lane: FreeWay(lane) for lane in lanes}
        self._under_way: dict[tuple[int, float], LinePassed] = {}
        self._minutes: dict[Key, _Minute] = {}
        self._last_s: dict[Key, float] = {}

    def passed(self, event: LinePassed) -> None:
        """A stop line was passed: what was measured waits for the turn."""
        self._under_way[event.lane, event.at_s] = event
        if len(self._under_way) > MOST_ON_THE_WAY:
            del self._under_way[next(iter(self._under_way))]

    def gone(self, passage: Passage) -> None:
        """A way has ended, or was lost."""
        key = passage.lane, str(passage.turn or "unknown")
        minute = self._minutes.setdefault(key, _Minute())
        minute.gone[passage.kind] += 1
        event = None if passage.line_s is None else self._under_way.pop((passage.lane, passage.line_s), None)
        if event is None:
            return
        minute.speeds_mps.append(event.speed_mps)
        delay_s = self._free[event.lane].delay_s(event)
        if delay_s is not None:
            minute.delays_s.append(delay_s)
            minute.stops.append(event.stops)
        if event.sure:
            before_s = self._last_s.get(key)
            if before_s is not None and 0.0 < event.at_s - before_s <= LONGEST_HEADWAY_S:
                minute.headways_s.append(event.at_s - before_s)
            self._last_s[key] = max(event.at_s, before_s or event.at_s)

    def close(self, start_utc_us: int) -> list[dict[str, Any]]:
        """The minute is over: one record a movement that anybody went; counting starts again."""
        records = [
            {"k": "move", "t": start_utc_us, "ln": lane, "to": turn, **_fields(minute)}
            for (lane, turn), minute in sorted(self._minutes.items())
        ]
        self._minutes = {}
        return records


def _fields(minute: _Minute) -> dict[str, Any]:
    count = len(minute.delays_s)
    delay_s = _mean(minute.delays_s)
    return {
        "n": {str(kind): number for kind, number in sorted(minute.gone.items())},
        "v": _rounded(_mean(minute.speeds_mps), 2),
        "h": _rounded(_mean(minute.headways_s), 2),
        "dl": None if delay_s is None else round(max(0.0, delay_s), 2),
        "dn": count,
        "st": _rounded(_mean(minute.stops), 2),
        "ss": round(sum(stops > 0 for stops in minute.stops) / count, 3) if count else None,
    }


def _mean(values: list[float] | list[int]) -> float | None:
    return sum(values) / len(values) if values else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
