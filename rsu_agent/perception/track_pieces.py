"""Pieces of tracks of one sensor by itself: places linked over time, smoothed, asked at any instant. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FASTEST_MPS, LOOSE_M = 25.0, 1.5  # how far a place may lie from where its piece was expected
LOST_S = 0.5
LEAST_S, LEAST_M = 1.0, 5.0  # of a piece that tells anything
SMOOTH_S = 0.25
CLUSTER_M = 2.5


@dataclass(frozen=True)
class Looked:
    """One look of a sensor: places (n, 2) in its frame, m, and what else it told of each (n,), or None."""

    at_s: float
    places: Array
    extra: Array | None = None


@dataclass(frozen=True)
class Piece:
    """One user's way for a while: times (k,), places (k, 2), extra (k,)."""

    times: Array
    places: Array
    extra: Array

    def at(self, times: Array) -> tuple[Array, Array]:
        """Smoothed places (n, 2) and velocities (n, 2) at instants within it."""
        off = self.times[None, :] - times[:, None]
        weight = np.exp(-0.5 * (off / SMOOTH_S) ** 2) + 1e-9
        total = weight.sum(axis=1)
        mean_off = (weight * off).sum(axis=1) / total
        mean = weight @ self.places / total[:, None]
        spread = (weight * (off - mean_off[:, None]) ** 2).sum(axis=1)
        slope = (weight * (off - mean_off[:, None])) @ self.places / np.maximum(spread, 1e-9)[:, None]
        return mean - slope * mean_off[:, None], slope

    @property
    def length_m(self) -> float:
        """From its first to its last place."""
        return float(np.hypot(*(self.places[-1] - self.places[0])))


def pieces(looks: Iterable[Looked]) -> list[Piece]:
    """Every piece that is long enough, from looks in order of time."""
    open_: list[_Open] = []
    done: list[_Open] = []
    for look in looks:
        done += [each for each in open_ if look.at_s - each.times[-1] > LOST_S]
        open_ = [each for each in open_ if look.at_s - each.times[-1] <= LOST_S]
        taken = _linked(open_, look)
        for n in range(len(look.places)):
            if n not in taken:
                open_.append(_Open([look.at_s], [look.places[n]], [_extra(look, n)]))
    whole = [
        Piece(np.array(each.times), np.array(each.places), np.array(each.extra))
        for each in [*done, *open_]
        if each.times[-1] - each.times[0] >= LEAST_S
    ]
    return [piece for piece in whole if piece.length_m >= LEAST_M]


def clustered(look: Looked) -> Looked:
    """Several returns of one body as their mean."""
    left, places, extra = list(range(len(look.places))), [], []
    while left:
        first = left.pop(0)
        near = [n for n in left if np.hypot(*(look.places[n] - look.places[first])) < CLUSTER_M]
        left = [n for n in left if n not in near]
        members = [first, *near]
        places.append(look.places[members].mean(axis=0))
        extra.append(np.mean([_extra(look, n) for n in members]))
    return Looked(look.at_s, np.array(places).reshape(-1, 2), np.array(extra))


@dataclass
class _Open:
    times: list[float]
    places: list[Array]
    extra: list[float]

    def expected(self, at_s: float) -> Array:
        """Where it should be, from its last half second."""
        first = max(0, len(self.times) - 5)
        past_s = self.times[-1] - self.times[first]
        velocity = (self.places[-1] - self.places[first]) / past_s if past_s > 0.15 else np.zeros(2)
        return np.asarray(self.places[-1] + velocity * (at_s - self.times[-1]), np.float64)

    def reach_m(self, at_s: float) -> float:
        """How far from there it may be."""
        young = self.times[-1] - self.times[0] < 0.3
        return LOOSE_M + (FASTEST_MPS * (at_s - self.times[-1]) if young else 0.0)


def _linked(open_: list[_Open], look: Looked) -> set[int]:
    """Gives places to the pieces that expect them, the nearest pair first; which were given."""
    if not open_ or not len(look.places):
        return set()
    away = np.array([np.hypot(*(look.places - each.expected(look.at_s)).T) for each in open_])
    reach = np.array([each.reach_m(look.at_s) for each in open_])
    taken: set[int] = set()
    used: set[int] = set()
    for flat in np.argsort(away, axis=None):
        row, n = divmod(int(flat), away.shape[1])
        if row not in used and n not in taken and away[row, n] <= reach[row]:
            used.add(row)
            taken.add(n)
            piece = open_[row]
            piece.times.append(look.at_s)
            piece.places.append(look.places[n])
            piece.extra.append(_extra(look, n))
    return taken


def _extra(look: Looked, n: int) -> float:
    return 0.0 if look.extra is None else float(look.extra[n])
