"""The longest queue of each entry lane in an interval: who stands, one behind the other, up to the line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rsu_agent.outlets.summary_lanes import EntryLane, Placed
from rsu_agent.world.road_user import UserClass

STANDING_MPS = 1.4  # 5 km/h: slower is queueing (the usual bound of queue counts)
LONGEST_GAP_M = 15.0  # a longer gap between bodies ends the queue


class Queues:
    """Fed with placed users once a tick; `close` gives the records of an interval."""

    def __init__(self, lanes: Iterable[EntryLane]) -> None:
        self._longest = {lane.lane: (0, 0.0) for lane in lanes}
        self._said: set[int] = set()

    def tick(self, placed: Placed) -> None:
        """One scene."""
        standing: dict[int, list[tuple[float, float]]] = {}
        for user, place in placed:
            if place is None or place.before_m < 0.0 or user.speed_mps > STANDING_MPS:
                continue
            if user.kind is not UserClass.PEDESTRIAN:
                half_m = user.length_m / 2
                standing.setdefault(place.lane, []).append((place.before_m - half_m, place.before_m + half_m))
        for lane, bodies in standing.items():
            count, end_m = _queue(sorted(bodies))
            most, farthest_m = self._longest[lane]
            self._longest[lane] = max(most, count), max(farthest_m, end_m)

    def close(self, start_utc_us: int, seconds: float) -> list[dict[str, Any]]:
        """One record a lane with a queue, and one with 0 when a queue has gone; counting starts again."""
        records = []
        queued = {lane for lane, (count, _) in self._longest.items() if count}
        for lane, (count, end_m) in self._longest.items():
            if lane in queued | self._said:
                records.append(
                    {
                        "k": "queue",
                        "t": start_utc_us,
                        "d": seconds,
                        "ln": lane,
                        "n": count,
                        "m": round(end_m, 1),
                    }
                )
            self._longest[lane] = (0, 0.0)
        self._said = queued
        return records


def _queue(bodies: Iterable[tuple[float, float]]) -> tuple[int, float]:
    """(how many, far end) of the bodies that stand close behind one another from the line on."""
    count, end_m = 0, 0.0
    for front_m, rear_m in bodies:
        if front_m - end_m > LONGEST_GAP_M:
            break
        count, end_m = count + 1, max(end_m, rear_m)
    return count, end_m
