"""What vehicles put on air that is not so: a place 6 m off, garbage, old messages, a ghost. Sans-IO."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hil.devices.talker import Said

NEAR_M = 60.0  # of the crossing's reference point
JUMP_M = 6.0
FLOOD_HZ, FLOOD_S = 1000, 10.0
FLOOD_TICK_S = 0.005
FLOOD_BURST = 50  # what a stalled host owes beyond this is forgotten
LONGEST_GARBAGE = 200
REPLAY_S = 5.0
GHOST: dict[str, Any] = {  # in the middle of the crossing
    "id": -1, "cls": "car", "x": 0.0, "y": 0.0, "vx": 0.0, "vy": 0.0, "heading": 0.0, "l": 4.5, "w": 1.8,
    "h": 1.5,
}  # fmt: skip


class Liar:
    """While on, one talker lies: the nearest within 60 m when it began or when the one before was gone."""

    def __init__(self) -> None:
        self.on = False
        self.who: int | None = None
        self._aside = (0.0, 0.0)

    def look(self, talkers: Iterable[Mapping[str, Any]]) -> None:
        """Choose among those who send; who was chosen goes on until it has left the road."""
        road = {user["id"]: user for user in talkers}
        if not self.on or self.who not in road:
            self.who = None
        if not self.on or self.who is not None or not road:
            return
        user = min(road.values(), key=_away)
        if _away(user) <= NEAR_M:
            self.who = user["id"]
            heading = math.radians(user["heading"])
            self._aside = JUMP_M * math.cos(heading), -JUMP_M * math.sin(heading)

    def aside(self, number: int) -> tuple[float, float]:
        """Metres east and north that a talker lies: to its right as it was headed when it jumped."""
        return self._aside if number == self.who else (0.0, 0.0)


class Flood:
    """Garbage datagrams, a thousand a second; ends by itself after ten seconds."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"flood {seed}")
        self._since_s: float | None = None
        self._given = 0

    def switch(self, on: bool, now_s: float) -> None:
        """Begin anew, or end."""
        self._since_s, self._given = (now_s if on else None), 0

    def due(self, now_s: float) -> list[bytes]:
        """What leaves now."""
        if self._since_s is None:
            return []
        passed_s = now_s - self._since_s
        owed = int(min(passed_s, FLOOD_S) * FLOOD_HZ) - self._given
        self._given += owed
        if passed_s >= FLOOD_S:
            self._since_s = None
        return [
            self._dice.randbytes(self._dice.randint(1, LONGEST_GARBAGE))
            for _ in range(min(owed, FLOOD_BURST))
        ]

    def next_s(self, now_s: float) -> float:
        """When `due` has something to do."""
        return math.inf if self._since_s is None else now_s + FLOOD_TICK_S


class Replay:
    """Keeps what was said; while on, sends each message once more five seconds later."""

    def __init__(self) -> None:
        self.on = False
        self._kept: deque[tuple[float, Said]] = deque()

    def keep(self, said: Said, now_s: float) -> None:
        """Record a message."""
        self._kept.append((now_s + REPLAY_S, said))

    def due(self, now_s: float) -> list[Said]:
        """Messages five seconds old; forgotten where there is no replay."""
        old = []
        while self._kept and self._kept[0][0] <= now_s:
            old.append(replace(self._kept.popleft()[1], again=True))
        return old if self.on else []

    def next_s(self) -> float:
        """When `due` has something to do."""
        return self._kept[0][0] if self.on and self._kept else math.inf


def _away(user: Mapping[str, Any]) -> float:
    return math.hypot(user["x"], user["y"])
