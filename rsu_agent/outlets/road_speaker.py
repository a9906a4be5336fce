"""Who moves and what lasts, to the vehicles: who may be told, at what rate, within what budget. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rsu_agent.messages.frames import RoadFrames, Sent
from rsu_agent.messages.moment import Instant
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.road_user import NON_MOTOR, RoadUser, Scene, UserClass

BYTES_A_USER = 36  # of an RSM, with its share of the frame
CYCLES_HZ = 10.0
EVERY = (1, 2, 5)  # field-rules 5.2: every cycle, every second, every fifth: 10, 5, 2 Hz
STANDING_MPS = 0.3
FAR_M = 40.0
VULNERABLE = NON_MOTOR | {UserClass.PEDESTRIAN}


class RoadSpeaker:
    """One crossing's road users and hazards. must_cover: arms without which nobody is told of road users."""

    def __init__(self, frames: RoadFrames, must_cover: Sequence[str], budget_bytes_s: float) -> None:
        self._frames, self._must_cover = frames, frozenset(must_cover)
        self._users_s = budget_bytes_s / BYTES_A_USER  # so many, over all frames of a second
        self.counters: Counter[str] = Counter()

    def users(self, scene: Scene, utc_at_scene_s: float | None) -> list[Sent]:
        """The parts of one cycle; none without a trusted clock or with an approach uncovered."""
        if utc_at_scene_s is None:
            self.counters["no_clock"] += 1
            return []
        covered = {arm for sensor in scene.sensors if sensor.healthy for arm in sensor.covers}
        if self._must_cover - covered or not any(sensor.healthy for sensor in scene.sensors):
            self.counters["uncovered"] += 1
            return []
        every, users = self._within_budget(scene.users)
        if scene.tick % every:
            self.counters[f"thinned_to_{CYCLES_HZ / every:.0f}_hz"] += 1
            return []
        return self._frames.users(users, Instant(scene.at_s, utc_at_scene_s))

    def hazards(self, hazards: Sequence[Hazard], instant: Instant) -> list[Sent]:
        """What is told of the hazards that hold now, and of those that held when this was asked last."""
        return self._frames.hazards(hazards, instant)

    def _within_budget(self, users: Sequence[RoadUser]) -> tuple[int, list[RoadUser]]:
        """(every how manieth cycle is sent, its users).

        Who is parked and far goes first, then the rate, vulnerable users and movers near the conflict last.
        """
        needed = sum(_importance(user)[0] > 0 for user in users)
        every = next((n for n in EVERY if needed <= self._most_users(n)), EVERY[-1])
        most = self._most_users(every)
        if len(users) <= most:
            return every, list(users)
        self.counters["shed"] += len(users) - most
        return every, sorted(users, key=_importance, reverse=True)[:most]

    def _most_users(self, every: int) -> int:
        return max(1, int(self._users_s * every / CYCLES_HZ))


def _importance(user: RoadUser) -> tuple[int, float]:
    """Field-rules 5.2; farther is less within a rank."""
    away = math.hypot(user.x_east_m, user.y_north_m)
    moving, near = user.speed_mps > STANDING_MPS, away < FAR_M
    if user.kind in VULNERABLE or (moving and near):
        return 2, -away
    return int(moving or near), -away
