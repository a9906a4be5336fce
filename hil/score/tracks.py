"""Road users on air against the truth: recall, precision, position at each participant's secMark."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from hil.world.make_crossing import to_metres

MATCH_M = 2.5
CENTRE_M = 50.0
COUNTABLE_S = 1.0
LEAST_VISIBLE = 0.35
RADAR_FREE, RADAR_MOVING_MPS = 0.5, 0.5
MINUTE_S = 60.0
FAR = 1e6


@dataclass
class TruthUsers:
    """Snapshots of all users, with the instant since which each has been countable."""

    times: list[float] = field(default_factory=list)
    rows: list[list[dict[str, Any]]] = field(default_factory=list)
    countable: list[set[int]] = field(default_factory=list)

    def near(self, t: float) -> tuple[list[dict[str, Any]], set[int]] | None:
        """Users moved to an instant, and who counts for recall then."""
        i = bisect.bisect_left(self.times, t)
        i = min(len(self.times) - 1, max(0, i if i == 0 or i < len(self.times) else i - 1))
        if not self.times or abs(self.times[i] - t) > 0.2:
            return None
        ahead = t - self.times[i]
        moved = [{**u, "x": u["x"] + u["vx"] * ahead, "y": u["y"] + u["vy"] * ahead} for u in self.rows[i]]
        return moved, self.countable[i]

    def place(self, number: int, t: float) -> tuple[float, float] | None:
        """Where a user was at an instant."""
        snapshot = self.near(t)
        found = [(u["x"], u["y"]) for u in snapshot[0] if u["id"] == number] if snapshot else []
        return found[0] if found else None

    def countable_from(self, number: int, t: float) -> float | None:
        """From when on, at t or later, a user counts; None when it never does."""
        later = range(bisect.bisect_left(self.times, t), len(self.times))
        return next((self.times[i] for i in later if number in self.countable[i]), None)


def truth_users(entries: Sequence[Mapping[str, Any]], cameras: set[str], radars: set[str]) -> TruthUsers:
    """Snapshots in order; a user counts once it has been seen well enough for a second without a break."""
    truth = TruthUsers()
    since: dict[int, float] = {}
    for entry in sorted(entries, key=lambda e: float(e["t"])):
        now = {u["id"] for u in entry["users"] if _visible(u, cameras, radars)}
        since = {number: since.get(number, entry["t"]) for number in now}
        truth.times.append(entry["t"])
        truth.rows.append(entry["users"])
        truth.countable.append({n for n, t in since.items() if entry["t"] - t >= COUNTABLE_S})
    return truth


def _visible(user: Mapping[str, Any], cameras: set[str], radars: set[str]) -> bool:
    if math.hypot(user["x"], user["y"]) > CENTRE_M:
        return False
    seen = user["seen"]
    moving = math.hypot(user["vx"], user["vy"]) > RADAR_MOVING_MPS
    by_camera = any(seen.get(name, 0.0) >= LEAST_VISIBLE for name in cameras)
    by_radar = moving and any(seen.get(name, 0.0) >= RADAR_FREE for name in radars)
    return by_camera or by_radar


def participants(value: Mapping[str, Any]) -> list[tuple[float, float, int]]:
    """(x, y, secMark) in metres of every participant but the RSU itself."""
    origin = value["refPos"]
    found = []
    for entry in value["participants"]:
        if entry["ptcType"] == "rsu":
            continue
        x, y = place_of(entry, origin)
        found.append((x, y, entry["secMark"]))
    return found


def place_of(entry: Mapping[str, Any], origin: Mapping[str, Any]) -> tuple[float, float]:
    """Metres of a participant of an RSM with this reference position."""
    name, offset = entry["pos"]["offsetLL"]
    lat, lon = offset["lat"], offset["lon"]
    if name != "abs":
        lat, lon = lat + origin["lat"], lon + origin["long"]
    return to_metres(lon / 1e7, lat / 1e7)


def mark_time(sec_mark: int, arrived_t: float, utc_less_monotonic_s: float) -> float:
    """The monotonic instant of a millisecond of the minute, near an arrival."""
    utc = arrived_t + utc_less_monotonic_s
    minute = math.floor(utc / MINUTE_S) * MINUTE_S
    best = min((minute + k * MINUTE_S + sec_mark / 1000 for k in (-1, 0, 1)), key=lambda at: abs(at - utc))
    return best - utc_less_monotonic_s


def score_tracks(
    cycles: Sequence[tuple[float, list[tuple[float, float, int]]]],
    truth: TruthUsers,
    utc_less_monotonic_s: float,
    t0: float,
    t1: float,
) -> dict[str, Any]:
    """cycles: (arrival, participants of all parts). Figures are None when nothing could be compared."""
    counted = found = said = false = 0
    squares: list[float] = []
    for t, people in cycles:
        if not t0 <= t <= t1:
            continue
        at = mark_time(people[0][2], t, utc_less_monotonic_s) if people else t
        snapshot = truth.near(at)
        if snapshot is None:
            continue
        users, countable = snapshot
        pairs, lonely = _compare(people, users)
        said += len(people)
        false += lonely
        counted += len(countable)
        found += sum(1 for user, _ in pairs if user in countable)
        squares += [away * away for _, away in pairs]
    return {
        "recall": round(found / counted, 4) if counted else None,
        "precision": round(1 - false / said, 4) if said else None,
        "position_rmse_m": round(math.sqrt(sum(squares) / len(squares)), 3) if squares else None,
        "truth_samples": counted,
        "recall_without_camera": None,
        "recall_without_radar": None,
    }


def _compare(
    people: Sequence[tuple[float, float, int]], users: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[int, float]], int]:
    """One-to-one pairs (user id, distance), and how many participants have no user near at all."""
    if not people or not users:
        return [], len(people)
    away = distances([(x, y) for x, y, _ in people], users)
    pairs = [(int(users[column]["id"]), float(away[row, column])) for row, column in paired(away)]
    return pairs, int((away.min(axis=1) > MATCH_M).sum())


def distances(
    places: Sequence[tuple[float, float]], users: Sequence[Mapping[str, Any]]
) -> npt.NDArray[np.float64]:
    """Metres, (places, users)."""
    said, truth = np.array(places), np.array([(user["x"], user["y"]) for user in users])
    away = np.hypot(said[:, None, 0] - truth[None, :, 0], said[:, None, 1] - truth[None, :, 1])
    return np.asarray(away, np.float64)


def paired(away: npt.NDArray[np.float64]) -> list[tuple[int, int]]:
    """(place, user) one to one, of those near enough to be the same."""
    rows, columns = linear_sum_assignment(np.where(away <= MATCH_M, away, FAR))
    return [
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if away[row, column] <= MATCH_M
    ]
