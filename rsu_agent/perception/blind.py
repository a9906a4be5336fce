"""Cameras that miss what radars count: of users moving in a camera's view, how many it sees, too. Sans-IO."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from rsu_agent.perception.ground import GroundCamera
from rsu_agent.world.road_user import RoadUser

MEMORY_S = 300.0
LEAST_S = 60.0  # user seconds: fewer prove nothing
BLIND, SEES = 0.2, 0.35  # share seen; between them it stays what it was
NEAR_M = 40.0  # farther away a camera misses many
MOVING_MPS = 2.0  # slower ones radars miss, and pedestrians at night cameras
LONGEST_TICK_S = 1.0


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
        passed_s = 0.0 if self._at_s is None else min(LONGEST_TICK_S, max(0.0, at_s - self._at_s))
        self._at_s = at_s
        moving = [u for u in users if u.speed_mps >= MOVING_MPS and not self._radars.isdisjoint(u.sources)]
        looking = frozenset(looking)
        for name, eye in self._cameras.items():
            if name in looking:
                self._count(name, eye, moving, passed_s)
        self.now = frozenset(name for name in self._cameras if self._is_blind(name))

    def _count(self, name: str, eye: GroundCamera, moving: list[RoadUser], passed_s: float) -> None:
        fade = math.exp(-passed_s / MEMORY_S)
        inside = [user for user in moving if _in_view(eye, user)]
        seen = sum(name in user.sources for user in inside)
        self._counted[name] = self._counted[name] * fade + len(inside) * passed_s
        self._seen[name] = self._seen[name] * fade + seen * passed_s

    def _is_blind(self, name: str) -> bool:
        counted = self._counted[name]
        if counted < LEAST_S:
            return name in self.now and counted > 0.0
        return self._seen[name] / counted < (SEES if name in self.now else BLIND)


def _in_view(eye: GroundCamera, user: RoadUser) -> bool:
    place = np.array([[user.x_east_m, user.y_north_m, 0.0]])
    if float(np.hypot(*(place[0, :2] - eye.eye[:2]))) > NEAR_M:
        return False
    pixels, depth = eye.to_pixels(place)
    return bool(depth[0] > 0 and eye.lens.in_picture(pixels)[0])
