"""Aligning a radar to a camera: users seen by both tell its direction, its place and its lateness. Pure.

Radar places are forward and left of it, metres, laid onto the road; doppler is positive when moving away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from rsu_agent.perception.track_pieces import Looked, Piece, clustered, pieces

Array = npt.NDArray[np.float64]
STILL_MPS = 0.8  # what is slower is clutter, or does not tell a direction
TURN_DEG, TURN_STEP_DEG = 45.0, 1.0  # how far the site file's direction may be wrong
OFFSET_M = 10.0
PARALLEL_M = 1.0  # pieces of one user keep their distance so well
GATES_M = (4.0, 3.0, 2.0, 1.5, 1.5, 1.5)
LATE_S, LATE_STEP_S = 0.6, 0.02
LEAST_SPEED_CHANGE_MPS = 0.6  # without braking and starting nothing tells a lateness
LEAST_PIECES, LEAST_M = 5, 150.0
MOST_RMS_M = 1.2
MIRRORED = 1.3
DEPTH_M, DEPTH_SD_M = 0.6, 0.5  # returns lie on the near side of a body
SAMPLES_ALIKE = 10.0  # of a track's neighbours hang together: ten are one witness


class AlignmentRefused(Exception):
    """What was seen does not align the radar. reason: a stable word; do: what to do about it."""

    def __init__(self, reason: str, *values: object) -> None:
        text, self.do = REFUSALS[reason]
        self.reason, self.text = reason, text.format(*values)
        super().__init__(f"{self.text}: {self.do}")


REFUSALS = {
    "little_movement": (
        "{0:.0f} m in {1} pieces were seen by both, of which {2:.0f} m in {3} are needed",
        "record longer, or at a busier hour; both must see the same road",
    ),
    "mirrored": (
        "the radar's left is right: mirrored, {0:.0f} m agree instead of {1:.0f} m",
        "it hangs upside down or its driver has the sign wrong: turn it over or set its lateral sign",
    ),
    "doppler": (
        "the radar's doppler has the wrong sign: what comes nearer is told as going away",
        "set its doppler sign: positive is moving away",
    ),
    "disagree": (
        "the tracks of both differ by {0:.1f} m after aligning, of which {1:.1f} m are allowed",
        "calibrate the camera first; check that both have one clock; check the radar's height",
    ),
}


@dataclass(frozen=True, slots=True)
class RadarPlace:
    """Where a radar stands and looks: metres in the crossing's frame, yaw clockwise from north."""

    x_east_m: float
    y_north_m: float
    yaw_deg: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """The radar's place. late_s: how much later it stamps than the camera, None: traffic did not tell.

    before_m, after_m: rms distance of what both saw, with the site file's place and with this one.
    """

    place: RadarPlace
    yaw_sd_deg: float
    place_sd_m: float
    late_s: float | None
    pieces: int
    metres: float
    before_m: float
    after_m: float


def align(camera: Sequence[Looked], radar: Sequence[Looked], now: RadarPlace, height_m: float) -> Alignment:
    """camera: looks in east, north; radar: in forward, left with doppler. now: the site file's place.

    Raises AlignmentRefused.
    """
    seen = pieces(camera)
    heard = _heard(radar, height_m, 1.0)
    _doppler_sign(heard)
    matched = _matched(seen, heard, now)
    mirrored = _matched(seen, _heard(radar, height_m, -1.0), now)
    ours, theirs = (0.0 if each is None else each.metres for each in (matched, mirrored))
    if theirs >= LEAST_M and theirs > MIRRORED * ours:
        raise AlignmentRefused("mirrored", theirs, ours)
    if matched is None or matched.metres < LEAST_M or len(matched.pairs) < LEAST_PIECES:
        count = 0 if matched is None else len(matched.pairs)
        raise AlignmentRefused("little_movement", ours, count, LEAST_M, LEAST_PIECES)
    late_s = _lateness(matched, seen, heard)
    if late_s is not None:
        matched = _refined(seen, heard, matched.place, late_s) or matched
    if matched.rms_m > MOST_RMS_M:
        raise AlignmentRefused("disagree", matched.rms_m, MOST_RMS_M)
    before = _off(matched, seen, heard, now)
    return Alignment(
        place=matched.place,
        yaw_sd_deg=math.degrees(matched.sds[0]),
        place_sd_m=max(matched.sds[1:]),
        late_s=late_s,
        pieces=len(matched.pairs),
        metres=matched.metres,
        before_m=before,
        after_m=matched.rms_m,
    )


@dataclass(frozen=True)
class _Match:
    """A place of the radar with the pairs of pieces (camera's, radar's number) that agree there."""

    place: RadarPlace
    pairs: list[tuple[int, int]]
    metres: float
    rms_m: float
    sds: tuple[float, float, float]


def _heard(radar: Sequence[Looked], height_m: float, side: float) -> list[Piece]:
    """The radar's own pieces, laid onto the road. side: -1 mirrors left and right."""
    looks = []
    for look in radar:
        assert look.extra is not None
        moving = np.abs(look.extra) > STILL_MPS
        slant = np.hypot(*look.places[moving].T)
        flat = np.sqrt(np.maximum(1.0, slant**2 - height_m**2)) / np.maximum(slant, 1e-6)
        scale = np.where(slant > height_m, flat, 1.0)[:, None]
        looks.append(
            clustered(Looked(look.at_s, look.places[moving] * scale * [1.0, side], look.extra[moving]))
        )
    return pieces(looks)


def _doppler_sign(heard: Sequence[Piece]) -> None:
    """The radar's own ranges must grow as its doppler says."""
    agree = 0.0
    for piece in heard:
        places, velocities = piece.at(piece.times)
        rate = (places * velocities).sum(axis=1) / np.maximum(1.0, np.hypot(*places.T))
        agree += float((rate * piece.extra).sum())
    if heard and agree < 0:
        raise AlignmentRefused("doppler")


def _placed(places: Array, place: RadarPlace, depth_m: float = 0.0) -> Array:
    """Forward, left (n, 2) to east, north; depth: so much farther along the ray."""
    yaw = math.radians(place.yaw_deg)
    away = np.maximum(1.0, np.hypot(*places.T))
    places = places * (1.0 + depth_m / away)[:, None]
    axes = np.array([[math.sin(yaw), math.cos(yaw)], [-math.cos(yaw), math.sin(yaw)]])
    return np.asarray(places @ axes + [place.x_east_m, place.y_north_m], np.float64)


def _overlaps(seen: Sequence[Piece], heard: Sequence[Piece]) -> list[tuple[int, int, Array, Array]]:
    """Pairs that both last a while at the same time: numbers, radar places, camera places there."""
    found = []
    for r, mine in enumerate(heard):
        for c, other in enumerate(seen):
            within = (mine.times >= other.times[0]) & (mine.times <= other.times[-1])
            if within.sum() >= 8 and np.ptp(mine.times[within]) >= 0.8:
                found.append((c, r, mine.at(mine.times[within])[0], other.at(mine.times[within])[0]))
    return found


def _matched(seen: Sequence[Piece], heard: Sequence[Piece], now: RadarPlace) -> _Match | None:
    """The direction at which most pieces run parallel and equally far apart, then refined."""
    overlaps = _overlaps(seen, heard)
    best: tuple[float, RadarPlace] | None = None
    for turn in np.arange(-TURN_DEG, TURN_DEG + TURN_STEP_DEG, TURN_STEP_DEG):
        place = RadarPlace(now.x_east_m, now.y_north_m, now.yaw_deg + float(turn))
        offs = [theirs - _placed(mine, place, DEPTH_M) for _, _, mine, theirs in overlaps]
        means = np.array([off.mean(axis=0) for off in offs]).reshape(-1, 2)
        loose = np.array([math.sqrt(off.var(axis=0).sum()) for off in offs])
        near = np.hypot(*means.T) < OFFSET_M
        worth = np.array([len(off) for off in offs]) * np.exp(-0.5 * (loose / PARALLEL_M) ** 2) * near
        if not worth.any():
            continue
        together = (
            np.exp(-0.5 * (np.hypot(*(means[:, None] - means[None]).transpose(2, 0, 1)) / 1.5) ** 2) @ worth
        )
        top = int((together * near).argmax())
        if best is None or together[top] > best[0]:
            moved = RadarPlace(now.x_east_m + means[top, 0], now.y_north_m + means[top, 1], place.yaw_deg)
            best = float(together[top]), moved
    return None if best is None else _refined(seen, heard, best[1], 0.0)


def _refined(
    seen: Sequence[Piece], heard: Sequence[Piece], place: RadarPlace, late_s: float
) -> _Match | None:
    """Least squares over what lies close together, again and again."""
    match: _Match | None = None
    shifted = [Piece(piece.times - late_s, piece.places, piece.extra) for piece in heard]
    overlaps = _overlaps(seen, shifted)
    for gate_m in GATES_M:
        close = []
        for c, r, mine, theirs in overlaps:
            off = np.hypot(*(theirs - _placed(mine, place, DEPTH_M)).T)
            if np.median(off) < gate_m:
                close.append((c, r, mine, theirs))
        if len(close) < 2:
            return match
        match = _solved(close, place)
        place = match.place
    return match


def _solved(close: Sequence[tuple[int, int, Array, Array]], place: RadarPlace) -> _Match:
    mine, theirs = (np.vstack([each[k] for each in close]) for k in (2, 3))

    def of(values: Array) -> RadarPlace:
        return RadarPlace(float(values[1]), float(values[2]), math.degrees(float(values[0])))

    def residuals(values: Array) -> Array:
        off = (theirs - _placed(mine, of(values), float(values[3]))).ravel()
        return np.append(off, (values[3] - DEPTH_M) / DEPTH_SD_M)

    start = [math.radians(place.yaw_deg), place.x_east_m, place.y_north_m, DEPTH_M]
    found = least_squares(residuals, start, loss="soft_l1", f_scale=0.7)
    off = np.hypot(*residuals(found.x)[:-1].reshape(-1, 2).T)
    slopes = np.asarray(found.jac, np.float64)
    spread = np.linalg.inv(slopes.T @ slopes) * float((off**2).mean()) / 2 * SAMPLES_ALIKE
    length = sum(float(np.hypot(*(each[2][-1] - each[2][0]))) for each in close)
    yaw, east, north = (math.sqrt(spread[k, k]) for k in range(3))
    return _Match(
        place=of(found.x),
        pairs=[(c, r) for c, r, _, _ in close],
        metres=length,
        rms_m=float(np.sqrt((off**2).mean())),
        sds=(yaw, east, north),
    )


def _lateness(match: _Match, seen: Sequence[Piece], heard: Sequence[Piece]) -> float | None:
    """By how much the radar's stamps are later than the camera's; None: speeds change too little."""
    shifts = np.arange(-LATE_S, LATE_S + LATE_STEP_S / 2, LATE_STEP_S)
    cost, count, change = np.zeros(len(shifts)), 0, []
    for c, r in match.pairs:
        mine, other = heard[r], seen[c]
        inside = (mine.times - LATE_S > other.times[0]) & (mine.times + LATE_S < other.times[-1])
        if inside.sum() < 8:
            continue
        times, doppler = mine.times[inside], mine.extra[inside]
        rays = _placed(mine.places[inside], match.place) - [match.place.x_east_m, match.place.y_north_m]
        rays = rays / np.maximum(1.0, np.hypot(*rays.T))[:, None]
        for k, shift in enumerate(shifts):
            speed = (other.at(times - shift)[1] * rays).sum(axis=1)
            cost[k] += float(np.minimum(np.abs(doppler - speed), 2.0).sum())
        count += len(times)
        change.append((float(doppler.std()), len(times)))
    if count < 30:
        return None
    if sum(sd * n for sd, n in change) / count < LEAST_SPEED_CHANGE_MPS:
        return None
    k = int(cost.argmin())
    if k in (0, len(shifts) - 1):
        return None
    a, b, c_ = cost[k - 1 : k + 2]
    return float(shifts[k] + 0.5 * (a - c_) / max(1e-9, a - 2 * b + c_) * LATE_STEP_S)


def _off(match: _Match, seen: Sequence[Piece], heard: Sequence[Piece], place: RadarPlace) -> float:
    """Rms distance of what both saw, with the radar at this place."""
    pairs = set(match.pairs)
    offs = [
        np.hypot(*(theirs - _placed(mine, place, DEPTH_M)).T)
        for c, r, mine, theirs in _overlaps(seen, heard)
        if (c, r) in pairs
    ]
    return float(np.sqrt((np.concatenate(offs) ** 2).mean())) if offs else math.nan
