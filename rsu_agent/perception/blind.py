"""Cameras that miss what radars count: of users moving in a camera's view, how many it sees, too. Sans-IO."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.world.road_user import RoadUser

MEMORY_S = 300.0
LEAST_S = 60.0  # user seconds: fewer prove nothing
BLIND, SEES = 0.2, 0.35  # share seen; between them it stays what it was
NEAR_M = 40.0  # farther away a camera misses many
MOVING_MPS = 2.0  # slower ones radars miss, and pedestrians at night cameras
TICK_S, LONGEST_TICK_S = 0.5, 1.0


class Blind:
    """`now` names the cameras that are blind. cameras: those with a detector; radars: names of sensors."""

    def __init__(self, cameras: Mapping[str, GroundCamera], radars: Iterable[str]) -> None:
        self._cameras, self._radars = dict(cameras), frozenset(radars)
        self._counted = dict.fromkeys(self._cameras, 0.0)
        self._seen = dict.fromkeys(self._cameras, 0.0)
        self._at_s: float | None = None
        self.now: frozenset[str] = frozenset()

    def tick(self, users: Iterable[RoadUser], at_s: float, looking: Iterable[str]) -> None:
        """The users of one scene. looking: cameras that give good pictures; the others are not judged."""
        passed_s = TICK_S if self._at_s is None else at_s - self._at_s
        if 0.0 <= passed_s < TICK_S:
            return
        self._at_s = at_s
        moving = [u for u in users if u.speed_mps >= MOVING_MPS and not self._radars.isdisjoint(u.sources)]
        places = np.array([(u.x_east_m, u.y_north_m, 0.0) for u in moving]).reshape(-1, 3)
        looking = frozenset(looking)
        for name, eye in self._cameras.items():
            if name in looking:
                inside = np.flatnonzero(_in_view(eye, places))
                seen = sum(name in moving[number].sources for number in inside)
                self._count(name, len(inside), seen, min(LONGEST_TICK_S, max(0.0, passed_s)))
        self.now = frozenset(name for name in self._cameras if self._is_blind(name))

    def _count(self, name: str, inside: int, seen: int, passed_s: float) -> None:
        fade = math.exp(-passed_s / MEMORY_S)
        self._counted[name] = self._counted[name] * fade + inside * passed_s
        self._seen[name] = self._seen[name] * fade + seen * passed_s

    def _is_blind(self, name: str) -> bool:
        counted = self._counted[name]
        if counted < LEAST_S:
            return name in self.now and counted > 0.0
        return self._seen[name] / counted < (SEES if name in self.now else BLIND)


def _in_view(eye: GroundCamera, places: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which of the places (n, 3) lie near enough and in the picture."""
    off = places[:, :2] - eye.eye[:2]
    pixels, depth = eye.to_pixels(places)
    inside = (np.hypot(off[:, 0], off[:, 1]) <= NEAR_M) & (depth > 0) & eye.lens.in_picture(pixels)
    return np.asarray(inside, np.bool_)
