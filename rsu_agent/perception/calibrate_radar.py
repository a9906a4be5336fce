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
LEAST_PARALLEL = 0.05
GATES_M = (4.0, 3.0, 2.0, 1.5, 1.5, 1.5)
LATE_SD_S, KNOWN_LATE_S = 0.15, 0.05  # what is believed before, and what must be known to be told
LEAST_PIECES, LEAST_M = 5, 150.0
MOST_RMS_M = 1.2
MIRRORED = 1.3
DEPTH_M, DEPTH_SD_M = 0.6, 0.5  # returns lie on the near side of a body
SAMPLES_ALIKE = 10.0  # of a track's neighbours hang together: ten are one witness
TOGETHER_M = 1.5
LEAST_COMMON, LEAST_COMMON_S = 8, 0.8  # looks at the same time, and how long


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
    seen, heard = pieces(camera), _heard(radar, height_m, 1.0)
    _doppler_sign(heard)
    matched = _matched(seen, heard, now)
    mirrored = _matched(seen, _heard(radar, height_m, -1.0), now)
    ours, theirs = (0.0 if each is None else each.metres for each in (matched, mirrored))
    if theirs >= LEAST_M and theirs > MIRRORED * ours:
        raise AlignmentRefused("mirrored", theirs, ours)
    if matched is None or matched.metres < LEAST_M or len(matched.pairs) < LEAST_PIECES:
        count = 0 if matched is None else len(matched.pairs)
        raise AlignmentRefused("little_movement", ours, count, LEAST_M, LEAST_PIECES)
    if matched.rms_m > MOST_RMS_M:
        raise AlignmentRefused("disagree", matched.rms_m, MOST_RMS_M)
    yaw_sd, east_sd, north_sd, late_sd = matched.sds
    return Alignment(
        place=matched.place,
        yaw_sd_deg=math.degrees(yaw_sd),
        place_sd_m=max(east_sd, north_sd),
        late_s=matched.late_s if late_sd < KNOWN_LATE_S else None,
        pieces=len(matched.pairs),
        metres=matched.metres,
        before_m=_off(matched, seen, heard, now),
        after_m=matched.rms_m,
    )


@dataclass(frozen=True)
class _Match:
    """A place of the radar with the pairs of pieces (camera's, radar's number) that agree there."""

    place: RadarPlace
    late_s: float
    pairs: list[tuple[int, int]]
    metres: float
    rms_m: float
    sds: tuple[float, ...]  # of yaw (radians), east, north, lateness


@dataclass(frozen=True)
class _Overlap:
    """Two pieces while both last: the radar's places, the camera's places and velocities (n, 2) there."""

    pair: tuple[int, int]
    mine: Array
    theirs: Array
    speeds: Array


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


def _overlaps(
    seen: Sequence[Piece],
    heard: Sequence[Piece],
    late_s: float = 0.0,
    pairs: Sequence[tuple[int, int]] | None = None,
) -> list[_Overlap]:
    """Pairs that both last a while at the same time, the radar's stamps taken so much earlier."""
    found = []
    every = [(c, r) for r in range(len(heard)) for c in range(len(seen))] if pairs is None else pairs
    for c, r in every:
        mine, other = heard[r], seen[c]
        times = mine.times - late_s
        within = (times >= other.times[0]) & (times <= other.times[-1])
        if within.sum() >= LEAST_COMMON and np.ptp(times[within]) >= LEAST_COMMON_S:
            theirs, speeds = other.at(times[within])
            found.append(_Overlap((c, r), mine.at(mine.times[within])[0], theirs, speeds))
    return found


def _matched(seen: Sequence[Piece], heard: Sequence[Piece], now: RadarPlace) -> _Match | None:
    """The direction at which most pieces run parallel and equally far apart, then refined."""
    overlaps = _overlaps(seen, heard)
    if not overlaps:
        return None
    ahead = [_placed(each.mine, RadarPlace(0.0, 0.0, 0.0), DEPTH_M) for each in overlaps]  # looking north
    middles, their_middles = (
        np.array([places.mean(axis=0) for places in every]) for every in (ahead, [o.theirs for o in overlaps])
    )
    counts = np.array([float(len(places)) for places in ahead])
    own = np.array(
        [a.var(axis=0).sum() + o.theirs.var(axis=0).sum() for a, o in zip(ahead, overlaps, strict=True)]
    )
    cross = np.array(
        [
            (a - a.mean(axis=0)).T @ (o.theirs - o.theirs.mean(axis=0)) / len(a)
            for a, o in zip(ahead, overlaps, strict=True)
        ]
    )
    best: tuple[float, RadarPlace] | None = None
    for turn in np.arange(-TURN_DEG, TURN_DEG + TURN_STEP_DEG, TURN_STEP_DEG):
        yaw = math.radians(now.yaw_deg + float(turn))
        turned = np.array(
            [[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]]
        )  # rows east, north
        loose = np.maximum(0.0, own - 2.0 * np.einsum("nij,ij->n", cross, turned))
        off = their_middles - middles @ turned - [now.x_east_m, now.y_north_m]
        worth = counts * np.exp(-0.5 * loose / PARALLEL_M**2) * (np.hypot(*off.T) < OFFSET_M)
        good = worth > counts * LEAST_PARALLEL  # the others tell nothing, and there are many
        if not good.any():
            continue
        off, worth = off[good], worth[good]
        apart = np.hypot(*(off[:, None] - off[None]).transpose(2, 0, 1))
        together = np.exp(-0.5 * (apart / TOGETHER_M) ** 2) @ worth
        top = int(together.argmax())
        if together[top] > (0.0 if best is None else best[0]):
            east, north = now.x_east_m + off[top, 0], now.y_north_m + off[top, 1]
            best = float(together[top]), RadarPlace(float(east), float(north), math.degrees(yaw))
    return None if best is None else _refined(seen, heard, best[1])


def _refined(seen: Sequence[Piece], heard: Sequence[Piece], place: RadarPlace) -> _Match | None:
    """Least squares over what lies close together, again and again."""
    match: _Match | None = None
    pairs: list[tuple[int, int]] | None = None
    for gate_m in GATES_M:
        late_s = 0.0 if match is None else match.late_s
        overlaps = _overlaps(seen, heard, late_s, pairs)
        off = [np.hypot(*(each.theirs - _placed(each.mine, place, DEPTH_M)).T) for each in overlaps]
        if pairs is None:  # what is far from fitting now will not fit later
            pairs = [each.pair for each, far in zip(overlaps, off, strict=True) if np.median(far) < OFFSET_M]
        close = [each for each, far in zip(overlaps, off, strict=True) if np.median(far) < gate_m]
        if len(close) < 2:
            return match
        match = _solved(close, place, late_s)
        place = match.place
    return match


def _solved(close: Sequence[_Overlap], place: RadarPlace, late_s: float) -> _Match:
    """Yaw, place, depth and lateness at which the radar's places are the camera's."""
    mine, theirs, speeds = (
        np.vstack([getattr(each, name) for each in close]) for name in ("mine", "theirs", "speeds")
    )

    def of(values: Array) -> RadarPlace:
        return RadarPlace(float(values[1]), float(values[2]), math.degrees(float(values[0])))

    def residuals(values: Array) -> Array:
        off = theirs - speeds * values[4] - _placed(mine, of(values), float(values[3]))
        believed = [(values[3] - DEPTH_M) / DEPTH_SD_M, (late_s + values[4]) / LATE_SD_S]
        return np.append(off.ravel() / SAMPLES_ALIKE**0.5, believed)

    start = [math.radians(place.yaw_deg), place.x_east_m, place.y_north_m, DEPTH_M, 0.0]
    found = least_squares(residuals, start, loss="soft_l1", f_scale=0.7 / SAMPLES_ALIKE**0.5)
    off = np.hypot(*(residuals(found.x)[:-2] * SAMPLES_ALIKE**0.5).reshape(-1, 2).T)
    slopes = np.asarray(found.jac, np.float64)
    spread = np.linalg.inv(slopes.T @ slopes) * max(0.01, float((off**2).mean()) / 2)
    return _Match(
        place=of(found.x),
        late_s=late_s + float(found.x[4]),
        pairs=[each.pair for each in close],
        metres=sum(float(np.hypot(*(each.mine[-1] - each.mine[0]))) for each in close),
        rms_m=float(np.sqrt((off**2).mean())),
        sds=tuple(math.sqrt(spread[k, k]) for k in (0, 1, 2, 4)),
    )


def _off(match: _Match, seen: Sequence[Piece], heard: Sequence[Piece], place: RadarPlace) -> float:
    """Rms distance of what both saw, with the radar at this place."""
    overlaps = _overlaps(seen, heard, 0.0, match.pairs)
    offs = [np.hypot(*(each.theirs - _placed(each.mine, place, DEPTH_M)).T) for each in overlaps]
    return float(np.sqrt((np.concatenate(offs) ** 2).mean())) if offs else math.nan
