"""Where people went and by what right: per entry lane, and per crosswalk, and minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rsu_agent.lanes.events import Passage, Walked
from rsu_agent.outlets.summary_flow import LONGEST_STEP_S


class Ways:
    """Fed with ways that have ended; `close` gives the fields of a minute by lane."""

    def __init__(self) -> None:
        self._turns: dict[int, Counter[str]] = {}
        self._rights: dict[int, Counter[str]] = {}

    def gone(self, passage: Passage) -> None:
        """Somebody has left the crossing, or was lost in it."""
        self._turns.setdefault(passage.lane, Counter())[passage.turn or "unknown"] += 1
        self._rights.setdefault(passage.lane, Counter())[passage.right] += 1

    def close(self, lane: int) -> dict[str, Any]:
        """The minute of one lane is over; its counting starts again."""
        turns, rights = self._turns.pop(lane, Counter()), self._rights.pop(lane, Counter())
        return {"mv": _plain(turns), "rt": _plain(rights)}


@dataclass(slots=True)
class _Minute:
    watched_s: float = 0.0
    walked: Counter[str] = field(default_factory=Counter)
    rights: Counter[str] = field(default_factory=Counter)


class Walks:
    """Crosswalks. arms: the arm of each."""

    def __init__(self, arms: Mapping[int, str]) -> None:
        self._arms = dict(arms)
        self._minutes = {walk: _Minute() for walk in arms}

    def tick(self, step_s: float, arms: set[str]) -> None:
        """One scene. arms: those that a healthy sensor sees."""
        for walk, arm in self._arms.items():
            if arm in arms:
                self._minutes[walk].watched_s += min(step_s, LONGEST_STEP_S)

    def walked(self, event: Walked) -> None:
        """A crosswalk was walked."""
        minute = self._minutes[event.crosswalk]
        minute.walked[event.kind] += 1
        minute.rights[event.right] += 1

    def close(self, start_utc_us: int) -> list[dict[str, Any]]:
        """The minute is over: one record for each crosswalk that was watched at all."""
        records = [
            {
                "k": "walk",
                "t": start_utc_us,
                "d": round(minute.watched_s, 1),
                "cw": walk,
                "n": _plain(minute.walked),
                "rt": _plain(minute.rights),
            }
            for walk, minute in self._minutes.items()
            if minute.watched_s > 0.0
        ]
        self._minutes = {walk: _Minute() for walk in self._minutes}
        return records


def _plain(counts: Counter[str]) -> dict[str, int]:
    return {str(name): number for name, number in sorted(counts.items())}
