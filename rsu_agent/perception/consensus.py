"""Which points agree on one pose: RANSAC over four points at a time, so that a bad one can be named. Pure."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose_fit import CLICK_SD_PX, SURVEY_SD_M, Fit, first_guesses, fits

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
MOST_TRIES = 300  # of four points; with ten points every one of 210
BEST = 4  # tries that are refined
LIMIT = 3.5  # standard deviations of click and survey together
ROUNDS = 8


def agreeing(lens: PinholeLens, places: Array, clicks: Array) -> tuple[Fit, Mask] | None:
    """The pose that most points agree on and who they are; None: no four points give one.

    The same points give the same answer.
    """
    slopes, _ = lens.rays(clicks)
    tries = [
        Fit(lens, turn, shift, clicks)
        for four in _fours(len(places))
        for turn, shift in first_guesses(places[four], slopes[four])
    ]
    best: tuple[float, Fit, Mask] | None = None
    for n in np.argsort(_rough_scores(tries, places, slopes), kind="stable")[:BEST]:
        settled = _settled(tries[n], places, clicks)
        if settled is not None and (best is None or settled[0] < best[0]):
            best = settled
    return None if best is None else best[1:]


def exchanged(fit: Fit, places: Array, clicks: Array, bad: list[int]) -> list[tuple[int, int]]:
    """Pairs of bad points that would both fit if each had the other's click."""
    expected, sds = fit.seen(places), point_sds(fit, places)
    return [
        (a, b)
        for a, b in itertools.combinations(bad, 2)
        if math.dist(expected[a], clicks[b]) < LIMIT * sds[a]
        and math.dist(expected[b], clicks[a]) < LIMIT * sds[b]
    ]


def point_sds(fit: Fit, places: Array) -> Array:
    """Of each point's click and survey together (n,), px."""
    away = np.maximum(1.0, np.linalg.norm(places - fit.eye, axis=1))
    focal = max(fit.lens.fx, fit.lens.fy)
    return np.asarray(np.hypot(CLICK_SD_PX, SURVEY_SD_M * focal / away), np.float64)


def _fours(count: int) -> list[list[int]]:
    """All choices of four, or as many of them as are tried."""
    if math.comb(count, 4) <= MOST_TRIES:
        return [list(four) for four in itertools.combinations(range(count), 4)]
    dice = np.random.default_rng(count)
    return [sorted(map(int, dice.choice(count, 4, replace=False))) for _ in range(MOST_TRIES)]


def _rough_scores(tries: list[Fit], places: Array, slopes: Array) -> Array:
    """The score of many poses at once, without the lens's distortion."""
    if not tries:
        return np.zeros(0)
    focal = max(tries[0].lens.fx, tries[0].lens.fy)
    rotations, shifts = np.array([fit.rotation for fit in tries]), np.array([fit.shift for fit in tries])
    seen = np.einsum("hij,nj->hni", rotations, places) + shifts[:, None]
    depth = np.where(np.abs(seen[..., 2]) < 1e-6, 1e-6, seen[..., 2])
    off = np.linalg.norm(seen[..., :2] / depth[..., None] - slopes, axis=2) * focal
    sds = np.hypot(CLICK_SD_PX, SURVEY_SD_M * focal / np.maximum(1.0, np.linalg.norm(seen, axis=2)))
    return np.asarray(
        np.where(depth > 0, np.minimum(off / sds, 2 * LIMIT), 2 * LIMIT).sum(axis=1), np.float64
    )


def _score(fit: Fit, places: Array, clicks: Array) -> float:
    """Small where many points fit well; one that does not fit costs the same however bad it is."""
    return float(np.minimum(_away(fit, places, clicks), 2 * LIMIT).sum())


def _away(fit: Fit, places: Array, clicks: Array) -> Array:
    """Residuals in standard deviations; what lies behind the camera is far off."""
    ahead = places @ fit.rotation[2] + fit.shift[2] > 0
    off = np.hypot(*fit.off(places, clicks).T) / point_sds(fit, places)
    return np.where(ahead & np.isfinite(off), off, 1e6)


def _settled(fit: Fit, places: Array, clicks: Array) -> tuple[float, Fit, Mask] | None:
    """Refined with those that fit until they stay the same ones."""
    off = _away(fit, places, clicks)
    mask = off <= max(2 * LIMIT, float(np.sort(off)[3]))  # a pose from four points is rough elsewhere
    for _ in range(ROUNDS):
        if mask.sum() < 4:
            return None
        candidates = fits(fit.lens, places[mask], clicks[mask])
        if not candidates:
            return None
        fit = candidates[0]
        fresh = _away(fit, places, clicks) <= LIMIT
        if (fresh == mask).all():
            break
        mask = fresh
    return _score(fit, places, clicks), fit, mask
