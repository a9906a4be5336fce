"""The longest queue of each entry lane in an interval, and the queue when its green began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rsu_agent.lanes.trace import OnLane
from rsu_agent.outlets.summary_flow import LONGEST_STEP_S

LONGEST_GAP_M = 15.0  # a longer gap between bodies ends the queue
NO_QUEUE = (0, 0.0)

Queue = tuple[int, float]  # standing users, metres from the stop line to the end of the last


@dataclass(slots=True)
class _Interval:
    watched_s: float = 0.0
    longest: Queue = NO_QUEUE
    at_green: Queue | None = None


class Queues:
    """Fed once a tick; `close` gives the records of an interval. groups: the lamp groups of each lane."""

    def __init__(self, groups: Mapping[int, frozenset[int]]) -> None:
        self._groups = dict(groups)
        self._intervals = {lane: _Interval() for lane in groups}
        self._began: set[int] = set()
        self._said: set[int] = set()

    def green(self, group: int) -> None:
        """A lamp group was seen to turn green: the next scene tells who stood."""
        self._began |= {lane for lane, groups in self._groups.items() if group in groups}

    def tick(self, step_s: float, watched: set[int], present: Sequence[OnLane]) -> None:
        """One scene. watched: lanes that a healthy sensor sees."""
        standing: dict[int, list[tuple[float, float]]] = {}
        for on in present:
            if on.standing and not on.passed:
                standing.setdefault(on.lane, []).append((on.before_m, on.before_m + on.user.length_m))
        for lane in watched:
            interval, queue = self._intervals[lane], _queue(sorted(standing.get(lane, ())))
            interval.watched_s += min(step_s, LONGEST_STEP_S)
            interval.longest = max(interval.longest[0], queue[0]), max(interval.longest[1], queue[1])
            if lane in self._began:
                interval.at_green = queue
        self._began.clear()

    def close(self, start_utc_us: int, seconds: float) -> list[dict[str, Any]]:
        """One record a watched lane with a queue, one with 0 when it has gone; counting starts again."""
        records, queued = [], set()
        for lane, interval in self._intervals.items():
            if interval.watched_s == 0.0:
                continue
            if interval.longest[0]:
                queued.add(lane)
            if interval.longest[0] or lane in self._said:
                records.append(_record(lane, interval, start_utc_us, seconds))
        self._intervals = {lane: _Interval() for lane in self._groups}
        self._said = queued
        return records


def _record(lane: int, interval: _Interval, start_utc_us: int, seconds: float) -> dict[str, Any]:
    count, end_m = interval.longest
    record: dict[str, Any] = {"k": "queue", "t": start_utc_us, "d": seconds, "ln": lane}
    record |= {"n": count, "m": round(end_m, 1), "w": round(interval.watched_s, 1)}
    if interval.at_green is not None:
        record |= {"gn": interval.at_green[0], "gm": round(interval.at_green[1], 1)}
    return record


def _queue(bodies: Iterable[tuple[float, float]]) -> Queue:
    """The bodies that stand close behind one another from the line on."""
    count, end_m = NO_QUEUE
    for front_m, rear_m in bodies:
        if front_m - end_m > LONGEST_GAP_M:
            break
        count, end_m = count + 1, max(end_m, rear_m)
    return count, end_m
