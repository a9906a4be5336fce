"""Counts per entry lane and minute: who passed the stop line, how fast, how long the line was covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.outlets.summary_lanes import EntryLane, OnLane, Placed
from rsu_agent.world.road_user import RoadUser, UserClass

LOOP_M = 2.0  # of lane before the stop line, as long as an induction loop
MINUTE_US = 60_000_000
FORGET_S = 10.0  # a track not seen for so long is gone; its number does not come again
LONGEST_STEP_S = 0.5  # between two scenes; a longer silence was not watched


@dataclass(slots=True)
class _Minute:
    watched_s: float = 0.0
    covered_s: float = 0.0
    passed: Counter[str] = field(default_factory=Counter)
    speeds_mps: float = 0.0


@dataclass(slots=True)
class _Track:
    place: OnLane | None
    seen_s: float
    counted: bool = False


class Flow:
    """Fed with placed users once a tick; `close` gives the records of a minute."""

    def __init__(self, lanes: Iterable[EntryLane]) -> None:
        self._arms = {lane.lane: lane.arm for lane in lanes}
        self._minutes = {lane: _Minute() for lane in self._arms}
        self._tracks: dict[int, _Track] = {}

    def tick(self, now_s: float, step_s: float, watched: set[int], placed: Placed) -> None:
        """One scene. watched: lanes that a healthy sensor sees; step_s: since the scene before."""
        step_s = min(step_s, LONGEST_STEP_S)
        covered = set()
        for user, place in placed:
            if user.kind is UserClass.PEDESTRIAN:
                continue
            self._follow(now_s, user, place)
            if place and -user.length_m / 2 < place.before_m < LOOP_M + user.length_m / 2:
                covered.add(place.lane)
        for lane in watched:
            self._minutes[lane].watched_s += step_s
            self._minutes[lane].covered_s += step_s if lane in covered else 0.0
        for track in [number for number, seen in self._tracks.items() if now_s - seen.seen_s > FORGET_S]:
            del self._tracks[track]

    def close(self, start_utc_us: int) -> list[dict[str, Any]]:
        """The minute is over: one record for each lane that was watched at all; counting starts again."""
        records = []
        for lane, minute in self._minutes.items():
            if minute.watched_s > 0.0:
                records.append(_record(lane, minute, start_utc_us))
            self._minutes[lane] = _Minute()
        return records

    def _follow(self, now_s: float, user: RoadUser, place: OnLane | None) -> None:
        """Count a track once, when its centre goes over a line of the arm that it came in on."""
        known = self._tracks.get(user.track)
        if known is None:
            self._tracks[user.track] = _Track(place, now_s)
            return
        before = known.place
        known.seen_s = now_s
        known.place = place or before
        if known.counted or before is None or before.before_m <= 0.0:
            return
        if place is not None and place.before_m <= 0.0 and self._arms[place.lane] == self._arms[before.lane]:
            known.counted = True
            minute = self._minutes[place.lane]
            minute.passed[user.kind] += 1
            minute.speeds_mps += user.speed_mps


def _record(lane: int, minute: _Minute, start_utc_us: int) -> dict[str, Any]:
    count = minute.passed.total()
    return {
        "k": "flow",
        "t": start_utc_us,
        "d": round(minute.watched_s, 1),
        "ln": lane,
        "n": {str(kind): number for kind, number in sorted(minute.passed.items())},
        "v": round(minute.speeds_mps / count, 2) if count else None,
        "o": round(minute.covered_s / minute.watched_s, 3),
    }
