"""What radars without places tell: speeds of what moves before them, and vehicles that pass their line."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.devices.radar_model import Look, Mount, Rows

WHEELED = frozenset({"car", "truck", "bus", "motorcycle", "bicycle", "tricycle", "cart"})
FIRST_ZONE_M, ZONE_M, ZONES = 5.0, 4.0, 16
SPEED_SD, LENGTH_SD_M = 0.03, 0.3  # share of the speed; metres
NO_SPEED = 0.02  # share of passings whose speed is not known
FORGOTTEN_S = 1.0


@dataclass(frozen=True, slots=True)
class Mover:
    """The strongest thing that moves: speed away from the radar, its range and signal."""

    away_mps: float
    range_m: float
    snr_db: float


@dataclass(frozen=True, slots=True)
class Pass:
    """A vehicle whose tail has left the radar's line. zone: from 1; at_s: monotonic."""

    zone: int
    at_s: float
    speed_mps: float | None
    length_m: float
    dwell_s: float
    range_m: float
    cls: str


def movers(look: Look) -> list[Mover]:
    """What moves, strongest first; one for each user."""
    found = []
    for hit in look.hits:
        for each in hit.returns[:1]:
            found.append(Mover(each.doppler_mps, each.range_m, hit.snr_db))
    return sorted(found, key=lambda mover: -mover.snr_db)


class Line:
    """Sans-IO: the radar's axis as a line over the road; a vehicle that crosses it is a passing."""

    def __init__(self, mount: Mount, seed: int) -> None:
        self._mount, self._random = mount, random.Random(seed)
        self._side: dict[int, tuple[float, float]] = {}

    def passed(self, users: Rows, now_s: float) -> list[Pass]:
        """Those whose centre has crossed since the last look."""
        found = []
        for row in users:
            if row["cls"] not in WHEELED:
                continue
            forward, left = self._mount.placed(row["x"], row["y"])
            before = self._side.get(row["id"])
            self._side[row["id"]] = (left, now_s)
            if before is None or (before[0] > 0) == (left > 0) or now_s - before[1] > FORGOTTEN_S:
                continue
            if FIRST_ZONE_M <= forward < min(self._mount.range_m, FIRST_ZONE_M + ZONES * ZONE_M):
                found.append(self._pass(row, forward, now_s))
        self._side = {key: value for key, value in self._side.items() if now_s - value[1] <= FORGOTTEN_S}
        return found

    def _pass(self, row: Mapping[str, Any], forward: float, now_s: float) -> Pass:
        dice, true = self._random, max(0.5, math.hypot(row["vx"], row["vy"]))
        speed = None if dice.random() < NO_SPEED else true * (1.0 + dice.gauss(0.0, SPEED_SD))
        return Pass(
            zone=1 + int((forward - FIRST_ZONE_M) / ZONE_M),
            at_s=now_s,
            speed_mps=speed,
            length_m=max(1.0, row["l"] + dice.gauss(0.0, LENGTH_SD_M)),
            dwell_s=row["l"] / true,
            range_m=forward,
            cls=row["cls"],
        )
