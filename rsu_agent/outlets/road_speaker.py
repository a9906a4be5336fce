"""RSM and RSI frames from scenes and hazards: who may be told, at what rate, within what budget. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.rsi import rsi_value
from rsu_agent.messages.csae53.rsm import PtcIds, rsm_values
from rsu_agent.messages.csae53.units import Counts
from rsu_agent.messages.moment import utc_stamp
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import NON_MOTOR, RoadUser, Scene, UserClass

BYTES_A_USER = 36  # of an RSM, with its share of the frame
CYCLES_HZ = 10.0
EVERY = (1, 2, 5)  # field-rules 5.2: every cycle, every second, every fifth: 10, 5, 2 Hz
STANDING_MPS = 0.3
FAR_M = 40.0
VULNERABLE = NON_MOTOR | {UserClass.PEDESTRIAN}


class RoadSpeaker:
    """One crossing's RSM and RSI."""

    def __init__(
        self,
        origin: GeoPoint,
        rsu_id: bytes,
        kinds_of_sensor: Mapping[str, str],
        must_cover: Sequence[str],
        budget_bytes_s: float,
        codes: Mapping[str, int],
        counts: Counts,
    ) -> None:
        self._origin, self._rsu_id, self._kinds = origin, rsu_id, dict(kinds_of_sensor)
        self._must_cover, self._codes, self._counts = frozenset(must_cover), dict(codes), counts
        self._users_s = budget_bytes_s / BYTES_A_USER  # so many, over all frames of a second
        self._ids = PtcIds()
        self.counters: Counter[str] = Counter()

    def rsm(self, scene: Scene, utc_at_scene_s: float | None) -> list[bytes]:
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
        mark = utc_stamp(utc_at_scene_s).millisecond
        frames = []
        for value in rsm_values(users, self._kinds, self._ids, self._origin, self._rsu_id, mark, scene.at_s):
            value["msgCnt"] = self._counts.next("RSM")
            frames.append(codec.encode(("rsmFrame", value)))
        return frames

    def rsi(self, hazards: Sequence[Hazard], utc_s: float | None) -> bytes | None:
        """One RSI of what lasts; nothing without a trusted clock."""
        if utc_s is None or not any(hazard.kind in self._codes for hazard in hazards):
            return None
        count = self._counts.next("RSI")
        value = rsi_value(hazards, self._codes, self._origin, self._rsu_id, utc_stamp(utc_s), count)
        return None if value is None else codec.encode(("rsiFrame", value))

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
