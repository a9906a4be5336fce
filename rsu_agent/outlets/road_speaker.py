"""RSM and RSI frames from scenes and hazards: who may be told, at what rate, within what budget. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from rsu_agent.messages.csae53 import codec
from rsu_agent.messages.csae53.rsi import rsi_value
from rsu_agent.messages.csae53.rsm import PtcIds, rsm_values
from rsu_agent.messages.csae53.units import Counts, utc_stamp
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.place import GeoPoint
from rsu_agent.world.road_user import NON_MOTOR, RoadUser, Scene, UserClass

BYTES_A_USER = 36  # of an RSM, with its share of the frame
RATE_HZ = 10.0
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
        self._most_users = max(1, int(budget_bytes_s / RATE_HZ / BYTES_A_USER))
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
        users = self._within_budget(scene.users)
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

    def _within_budget(self, users: Sequence[RoadUser]) -> list[RoadUser]:
        """Shed who is parked and far first, vulnerable users and movers near the conflict last."""
        if len(users) <= self._most_users:
            return list(users)
        self.counters["shed"] += len(users) - self._most_users
        return sorted(users, key=_importance, reverse=True)[: self._most_users]


def _importance(user: RoadUser) -> tuple[int, float]:
    """Field-rules 5.2; farther is less within a rank."""
    away = math.hypot(user.x_east_m, user.y_north_m)
    moving, near = user.speed_mps > STANDING_MPS, away < FAR_M
    if user.kind in VULNERABLE or (moving and near):
        return 2, -away
    return int(moving or near), -away
