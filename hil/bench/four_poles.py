"""Four poles at the corners, a camera and a radar on each, as the perception facts model them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.world.user import User
from rsu_agent.perception.measured import Measured
from rsu_agent.world.road_user import UserClass

HEIGHT_M, NEAR_M, FAR_M, HALF_DEG = 7.0, 4.0, 85.0, 50.0
LATENCY_S = 0.1  # how late a camera's detections come
POLES = ((18.0, 18.0, 225.0), (18.0, -18.0, 315.0), (-18.0, -18.0, 45.0), (-18.0, 18.0, 135.0))
SCORE = 0.8

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Users:
    """All users as arrays."""

    at: Array
    velocity: Array
    height: Array
    half: Array
    classes: tuple[UserClass, ...]


class FourPoles:
    """Sans-IO: users in, what eight sensors measured out."""

    def __init__(self, seed: int) -> None:
        self._dice = np.random.default_rng(seed)

    def measure(self, users: Sequence[User], now_s: float) -> Iterator[Measured]:
        """All sensors at one instant; a camera's word is to be given LATENCY_S later."""
        seen = _arrays(users)
        for number, (x, y, yaw_deg) in enumerate(POLES):
            origin = np.array([x, y])
            rays = seen.at - origin
            away = np.hypot(rays[:, 0], rays[:, 1])
            bearing = np.arctan2(rays[:, 0], rays[:, 1]) - math.radians(yaw_deg)
            bearing = (bearing + math.pi) % (2 * math.pi) - math.pi
            held = (away > NEAR_M) & (away < FAR_M) & (np.abs(bearing) < math.radians(HALF_DEG))
            hidden = _hidden(seen, away, bearing)
            yield self._camera(f"camera{number}", now_s, origin, seen, away, held, hidden)
            yield self._radar(f"radar{number}", now_s, origin, seen, away, held, hidden)

    def _camera(
        self,
        name: str,
        now_s: float,
        origin: Array,
        seen: _Users,
        away: Array,
        held: Flags,
        hidden: Flags,
    ) -> Measured:
        chance = np.clip(0.95 - 0.4 * (away / 85.0) ** 3, 0.3, 0.97) * np.where(hidden, 0.25, 1.0)
        found = np.flatnonzero(held & (self._dice.random(len(away)) < chance))
        far = away[found]
        along, across = 0.2 + 0.0015 * (far**2 + HEIGHT_M**2) / HEIGHT_M, 0.15 + 0.003 * far
        points, spreads = self._noisy(origin, seen.at[found], far, along, across)
        return Measured(
            name,
            "camera",
            now_s,
            points,
            spreads,
            classes=tuple(seen.classes[i] for i in found),
            scores=np.full(len(found), SCORE),
        )

    def _radar(
        self,
        name: str,
        now_s: float,
        origin: Array,
        seen: _Users,
        away: Array,
        held: Flags,
        hidden: Flags,
    ) -> Measured:
        walks = np.array([kind is UserClass.PEDESTRIAN for kind in seen.classes], bool)
        slow = np.hypot(seen.velocity[:, 0], seen.velocity[:, 1]) < 0.3
        chance = np.where(walks, 0.75, 0.95) * np.where(slow, 0.35, 1.0) * np.where(hidden, 0.5, 1.0)
        found = np.flatnonzero(held & (self._dice.random(len(away)) < chance))
        far = away[found]
        points, spreads = self._noisy(
            origin, seen.at[found], far, np.full(len(found), 0.35), far * math.radians(0.6)
        )
        unit = (seen.at[found] - origin) / far[:, None]
        dopplers = (seen.velocity[found] * unit).sum(axis=1) + self._dice.normal(0.0, 0.15, len(found))
        return Measured(name, "radar", now_s, points, spreads, dopplers, origin)

    def _noisy(
        self, origin: Array, at: Array, far: Array, along: Array, across: Array
    ) -> tuple[Array, Array]:
        """Places with errors along and across the rays, and their covariances."""
        unit = (at - origin) / np.maximum(far, 1.0)[:, None]
        side = np.column_stack([unit[:, 1], -unit[:, 0]])
        count = len(far)
        points = (
            at
            + unit * (self._dice.normal(0.0, 1.0, count) * along)[:, None]
            + side * (self._dice.normal(0.0, 1.0, count) * across)[:, None]
        )
        spreads = np.einsum("n,ni,nj->nij", along**2, unit, unit) + np.einsum(
            "n,ni,nj->nij", across**2, side, side
        )
        return points, np.asarray(spreads, np.float64)


def _arrays(users: Sequence[User]) -> _Users:
    angles = np.radians([user.heading for user in users])
    speeds = np.array([user.speed for user in users], np.float64)
    return _Users(
        np.array([(user.x, user.y) for user in users], np.float64).reshape(-1, 2),
        np.column_stack([np.sin(angles) * speeds, np.cos(angles) * speeds]).reshape(-1, 2),
        np.array([user.size[2] for user in users], np.float64),
        np.array([max(user.size[:2]) / 2 for user in users], np.float64),
        tuple(UserClass(user.cls) for user in users),
    )


def _hidden(seen: _Users, away: Array, bearing: Array) -> Flags:
    """Whose middle lies in the shadow that a nearer body throws from the eye."""
    shadow = away * seen.height / (HEIGHT_M - seen.height)
    nearer = (away[None, :] < away[:, None]) & (away[:, None] - away[None, :] < shadow[None, :])
    width = np.arctan2(seen.half * 0.8, np.maximum(away, 1.0))
    apart = np.abs((bearing[:, None] - bearing[None, :] + math.pi) % (2 * math.pi) - math.pi)
    return np.asarray((nearer & (apart < width[None, :])).any(axis=1), np.bool_)
