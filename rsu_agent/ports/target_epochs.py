"""A radar gives its numbers again at once: a target that jumped or was away is somebody else."""

from __future__ import annotations

import math
from dataclasses import dataclass

AWAY_S = 1.0  # unseen for so long: the number may belong to another user
GATE_M = 5.0  # from where it should be by its own velocity; a queue's spacing is more
DOUBT = 0.5  # of the way driven meanwhile
MOST_TARGETS = 1024  # numbers remembered; a radar keeps 64 to 256


@dataclass(frozen=True, slots=True)
class _Seen:
    epoch: int
    x_m: float
    y_m: float
    vx_mps: float
    vy_mps: float
    at_s: float

    def goes_on_at(self, x_m: float, y_m: float, at_s: float) -> bool:
        """Whether a target there may be the same user."""
        passed_s = at_s - self.at_s
        if passed_s > AWAY_S:
            return False
        off_m = math.hypot(x_m - self.x_m - self.vx_mps * passed_s, y_m - self.y_m - self.vy_mps * passed_s)
        return off_m <= GATE_M + DOUBT * math.hypot(self.vx_mps, self.vy_mps) * abs(passed_s)


class TargetEpochs:
    """Tells apart the users that bore one number."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._first = 0  # of a number not remembered: above all that were forgotten

    def epoch(
        self, target: int, place_m: tuple[float, float], v_mps: tuple[float, float], at_s: float
    ) -> int:
        """The epoch of this number, seen at this place (any frame of one origin) with this velocity."""
        last = self._seen.pop(target, None)
        if last is None:
            epoch = self._first
        else:
            epoch = last.epoch if last.goes_on_at(*place_m, at_s) else last.epoch + 1
        self._seen[target] = _Seen(epoch, *place_m, *v_mps, at_s)
        if len(self._seen) > MOST_TARGETS:
            oldest = next(iter(self._seen))
            self._first = max(self._first, self._seen.pop(oldest).epoch + 1)
        return epoch
