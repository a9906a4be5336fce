"""Telling apart the users to whom the radar gives one number after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

JUMP_M = 5.0  # further from where it was going than a track strays in one cycle (facts/radars 2.3: 1 m)
JUMP_MPS = 15.0  # and for each second without it, as it may brake or turn
EPOCHS_A_SECOND = 100  # more than cycles: after reopening no epoch comes again


@dataclass(slots=True)
class _Last:
    epoch: int
    seen_s: float
    x_m: float
    y_m: float
    vx_mps: float
    vy_mps: float
    begun: bool
    ended: bool = False


class Epochs:
    """An epoch for each number: another one for another user. At most 256 numbers are kept."""

    def __init__(self, now_s: float) -> None:
        self._first = max(0, int(now_s * EPOCHS_A_SECOND))
        self._known: dict[int, _Last] = {}

    def epoch(
        self, number: int, now_s: float, place: tuple[float, float, float, float], *, begun: bool
    ) -> int:
        """The epoch of a number seen at `place` (x, y in m, vx, vy in m/s); begun: the radar calls it new."""
        last = self._known.get(number)
        another = last is not None and (
            last.ended or (begun and not last.begun) or _jumped(last, now_s, place)
        )
        epoch = self._first if last is None else last.epoch + another
        self._known[number] = _Last(epoch, now_s, *place, begun)
        return epoch

    def end(self, number: int) -> None:
        """The radar has deleted it."""
        if number in self._known:
            self._known[number].ended = True

    def end_unseen(self, since_s: float) -> None:
        """Nothing was lost since then, so what was not seen has gone."""
        for last in self._known.values():
            if last.seen_s < since_s:
                last.ended = True


def _jumped(last: _Last, now_s: float, place: tuple[float, float, float, float]) -> bool:
    gone_s = max(0.0, now_s - last.seen_s)
    x_m, y_m = last.x_m + last.vx_mps * gone_s, last.y_m + last.vy_mps * gone_s
    return math.hypot(place[0] - x_m, place[1] - y_m) > JUMP_M + JUMP_MPS * gone_s
