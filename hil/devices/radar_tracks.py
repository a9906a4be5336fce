"""The tracker inside a radar: users become numbered tracks late, coast when missed, and give numbers back."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from hil.devices.radar_model import Hit, Mount

SLOW_MPS = 0.8  # a track as slow as this when last seen is kept for the longer time
PHANTOM: Mapping[str, Any] = {"id": -1, "cls": "unknown", "l": 1.0, "w": 1.0, "h": 1.0, "heading": 0.0}
PHANTOM_LOOKS = 4  # the longest that a track of nothing lives
EXIST_LOOKS = 10  # from birth to the surest existence code


class State(IntEnum):
    """What became of a track in this look; the numbers are those of the ARS408's MeasState."""

    DELETED = 0
    NEW = 1
    MEASURED = 2
    PREDICTED = 3
    DELETED_FOR_MERGE = 4
    NEW_FROM_MERGE = 5


GONE = frozenset({State.DELETED, State.DELETED_FOR_MERGE})


@dataclass(frozen=True, slots=True)
class Habits:
    """How one kind of radar tracks. Counts are looks; errors one standard deviation.

    gain: how much of a new measurement is believed. side_per_m: the lateral error grows with range by this.
    phantoms, merges: chance a look of a track of nothing, and of two near tracks becoming one.
    """

    allocate: tuple[int, int] = (3, 10)
    free_after: int = 10
    free_still_after: int = 1000
    most: int = 250
    gain: float = 0.4
    long_sd_m: float = 0.25
    side_sd_m: float = 0.2
    side_per_m: float = 0.01
    speed_sd_mps: float = 0.2
    phantoms: float = 0.0
    merges: float = 0.0
    merge_m: float = 4.0


@dataclass(slots=True)
class Track:
    """One track: metres and metres a second forward and left of the radar."""

    number: int
    key: int
    row: Mapping[str, Any]
    forward_m: float
    left_m: float
    vf_mps: float
    vl_mps: float
    state: State = State.NEW
    af_mps2: float = 0.0
    al_mps2: float = 0.0
    rcs_db: float = 0.0
    age: int = 0
    missed: int = 0
    moved: bool = False
    lives: int | None = None  # looks that a phantom has left

    @property
    def exists(self) -> int:
        """Code of existence from 1 to 7, surer with age."""
        return min(7, 1 + self.age * 6 // EXIST_LOOKS) if self.state is not State.PREDICTED else 4


@dataclass(slots=True)
class _Candidate:
    needed: int
    seen: int = 0
    missed: int = 0
    merged: bool = False


@dataclass(slots=True)
class Tracker:
    """Sans-IO: hits in, tracks out, those deleted in this look among them."""

    mount: Mount
    habits: Habits
    seed: int = 0
    _tracks: dict[int, Track] = field(default_factory=dict)
    _waiting: dict[int, _Candidate] = field(default_factory=dict)
    _random: random.Random = field(default_factory=random.Random)
    _phantom_key: int = -1

    def __post_init__(self) -> None:
        self._random.seed(self.seed)

    def reset(self) -> None:
        """Forget everything: numbers begin anew."""
        self._tracks.clear()
        self._waiting.clear()

    def update(self, hits: Sequence[Hit], dt_s: float) -> list[Track]:
        """One look later; in order of number."""
        self._tracks = {key: track for key, track in self._tracks.items() if track.state not in GONE}
        by_key = {hit.row["id"]: hit for hit in hits}
        for key, track in self._tracks.items():
            self._advance(track, by_key.get(key), dt_s)
        self._wait(by_key)
        if self._random.random() < self.habits.phantoms:
            self._phantom()
        if self._random.random() < self.habits.merges:
            self._merge()
        return sorted(self._tracks.values(), key=lambda track: track.number)

    def _advance(self, track: Track, hit: Hit | None, dt_s: float) -> None:
        track.age += 1
        track.forward_m += track.vf_mps * dt_s
        track.left_m += track.vl_mps * dt_s
        if track.lives is not None:
            track.lives -= 1
            track.state = State.DELETED if track.lives <= 0 else State.MEASURED
        elif hit is not None:
            self._measure(track, hit, dt_s)
        else:
            track.missed += 1
            track.af_mps2 = track.al_mps2 = 0.0
            slow = math.hypot(track.vf_mps, track.vl_mps) < SLOW_MPS
            limit = self.habits.free_still_after if slow else self.habits.free_after
            inside = self.mount.holds(track.forward_m, track.left_m)
            track.state = State.PREDICTED if track.missed <= limit and inside else State.DELETED

    def _measure(self, track: Track, hit: Hit, dt_s: float) -> None:
        forward, left, vf, vl = self._noisy(hit)
        gain, before = self.habits.gain, (track.vf_mps, track.vl_mps)
        track.forward_m += gain * (forward - track.forward_m)
        track.left_m += gain * (left - track.left_m)
        track.vf_mps += gain * (vf - track.vf_mps)
        track.vl_mps += gain * (vl - track.vl_mps)
        if dt_s > 0:
            ease = 0.2  # accelerations are smoothed over about five looks
            track.af_mps2 += ease * ((track.vf_mps - before[0]) / dt_s - track.af_mps2)
            track.al_mps2 += ease * ((track.vl_mps - before[1]) / dt_s - track.al_mps2)
        track.row, track.rcs_db, track.missed = hit.row, hit.rcs_db, 0
        track.state = State.MEASURED
        track.moved |= math.hypot(hit.vf_mps, hit.vl_mps) > SLOW_MPS

    def _noisy(self, hit: Hit) -> tuple[float, float, float, float]:
        dice, habits = self._random, self.habits
        side_sd = habits.side_sd_m + habits.side_per_m * math.hypot(hit.forward_m, hit.left_m)
        return (
            hit.forward_m + dice.gauss(0.0, habits.long_sd_m),
            hit.left_m + dice.gauss(0.0, side_sd),
            hit.vf_mps + dice.gauss(0.0, habits.speed_sd_mps),
            hit.vl_mps + dice.gauss(0.0, habits.speed_sd_mps),
        )

    def _wait(self, by_key: Mapping[int, Hit]) -> None:
        """Users that have no track yet: one is given after enough hits."""
        for key in [key for key in self._waiting if key not in by_key]:
            self._waiting[key].missed += 1
            if self._waiting[key].missed > 3:
                del self._waiting[key]
        for key, hit in by_key.items():
            if key in self._tracks:
                continue
            candidate = self._waiting.setdefault(key, _Candidate(self._random.randint(*self.habits.allocate)))
            candidate.seen, candidate.missed = candidate.seen + 1, 0
            number = self._free()
            if candidate.seen >= candidate.needed and number is not None:
                del self._waiting[key]
                state = State.NEW_FROM_MERGE if candidate.merged else State.NEW
                moved = math.hypot(hit.vf_mps, hit.vl_mps) > SLOW_MPS
                self._tracks[key] = Track(
                    number, key, hit.row, *self._noisy(hit), state, rcs_db=hit.rcs_db, moved=moved
                )

    def _free(self) -> int | None:
        """The lowest number that nobody has: numbers come back at once."""
        taken = {track.number for track in self._tracks.values()}
        return next((number for number in range(self.habits.most) if number not in taken), None)

    def _phantom(self) -> None:
        number, dice, mount = self._free(), self._random, self.mount
        if number is None:
            return
        away, bearing = dice.uniform(5.0, mount.range_m), dice.uniform(-mount.half_rad, mount.half_rad)
        place = away * math.cos(bearing), away * math.sin(bearing)
        self._phantom_key -= 1
        track = Track(number, self._phantom_key, PHANTOM, *place, 0.0, 0.0, rcs_db=dice.gauss(-5.0, 3.0))
        track.lives = dice.randint(1, PHANTOM_LOOKS)
        self._tracks[track.key] = track

    def _merge(self) -> None:
        """Two near tracks become one; the other begins anew out of it."""
        seen = [each for each in self._tracks.values() if each.state is State.MEASURED and each.key > 0]
        for i, one in enumerate(seen):
            for other in seen[i + 1 :]:
                apart = math.hypot(one.forward_m - other.forward_m, one.left_m - other.left_m)
                if apart < self.habits.merge_m:
                    other.state = State.DELETED_FOR_MERGE
                    again = self._random.randint(*self.habits.allocate)
                    self._waiting[other.key] = _Candidate(again, merged=True)
                    return
