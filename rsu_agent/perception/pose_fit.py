"""The pose that fits ground points best (IPPE, both of its solutions, then refinement) and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose, pose_of

Array = npt.NDArray[np.float64]
LEAST_HEIGHT_M = 0.5
SAME_PLACE_M = 0.3  # two solutions that came together in refinement are one
CLICK_SD_PX, SURVEY_SD_M = 2.0, 0.05  # of a click on a still, of a point surveyed by RTK and found again
REFINED = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 60, 1e-10)


@dataclass(frozen=True)
class Fit:
    """A pose as OpenCV has it (turn and shift, (3,) each), with the residuals (n, 2) of its points in px."""

    lens: PinholeLens
    turn: Array
    shift: Array
    residuals: Array

    @property
    def rotation(self) -> Array:
        """Rows: right, down, forward in east, north, up."""
        return _matrix(self.turn)

    @property
    def eye(self) -> Array:
        """East, north, up."""
        return np.asarray(-self.rotation.T @ self.shift, np.float64)

    @property
    def rms_px(self) -> float:
        """Of the distances between clicked and fitted points."""
        return float(np.sqrt((self.residuals**2).sum(axis=1).mean()))

    def pose(self, road_m: float) -> CameraPose:
        """In the site file's words, over a road at this up."""
        return pose_of(self.rotation, self.shift, road_m)

    def pixels(self, places: Array) -> tuple[Array, Array]:
        """Pixels (n, 2) of places (n, 3), and their derivatives (n, 2, 6) by turn and shift."""
        found, slopes = cv2.projectPoints(places, self.turn, self.shift, self.lens.matrix, _bent(self.lens))
        return _floats(found).reshape(-1, 2), _floats(slopes)[:, :6].reshape(-1, 2, 6)

    def seen(self, places: Array) -> Array:
        """Pixels (n, 2) of places (n, 3)."""
        right, down, depth = (places @ self.rotation.T + self.shift).T
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        return self.lens.pixels(np.column_stack([right / safe, down / safe]))

    def off(self, places: Array, clicks: Array) -> Array:
        """Clicked less fitted pixels (n, 2)."""
        return clicks - self.seen(places)

    def on_plane(self, clicks: Array, up_m: Array) -> Array:
        """Where rays of pixels (n, 2) meet these heights (n,): east, north (n, 2); far away where never."""
        slopes, _ = self.lens.rays(clicks)
        rays = np.column_stack([slopes, np.ones(len(slopes))]) @ self.rotation
        drop = np.maximum(-rays[:, 2], 1e-6)
        return np.asarray(self.eye[:2] + rays[:, :2] * ((self.eye[2] - up_m) / drop)[:, None], np.float64)

    def refined(self, places: Array, clicks: Array) -> Fit:
        """The nearest best fit of these points."""
        turn, shift = cv2.solvePnPRefineLM(
            places,
            clicks,
            self.lens.matrix,
            _bent(self.lens),
            self.turn.reshape(3, 1).copy(),
            self.shift.reshape(3, 1).copy(),
            REFINED,
        )
        moved = Fit(self.lens, _floats(turn).reshape(3), _floats(shift).reshape(3), clicks)
        return Fit(self.lens, moved.turn, moved.shift, moved.off(places, clicks))


def first_guesses(places: Array, slopes: Array) -> list[tuple[Array, Array]]:
    """Both mirror solutions of IPPE for points on a level road, as (turn, shift)."""
    level = np.column_stack([places[:, :2], np.full(len(places), float(np.median(places[:, 2])))])
    middle = level.mean(axis=0)  # far from the origin IPPE loses digits
    try:
        _, turns, shifts, _ = cv2.solvePnPGeneric(
            level - middle, slopes, np.eye(3), np.zeros(5), flags=cv2.SOLVEPNP_IPPE
        )
    except cv2.error:  # points on one line
        return []
    found = []
    for each, shift in zip(turns, shifts, strict=True):
        turn = _floats(each).reshape(3)
        moved = _floats(shift).reshape(3) - _matrix(turn) @ middle
        if np.isfinite(moved).all() and np.isfinite(turn).all():
            found.append((turn, moved))
    return found


def fits(lens: PinholeLens, places: Array, clicks: Array) -> list[Fit]:
    """Every different pose above the road that sees all points before it, the best first."""
    slopes, _ = lens.rays(clicks)
    found: list[Fit] = []
    for turn, shift in first_guesses(places, slopes):
        fit = Fit(lens, turn, shift, clicks).refined(places, clicks)
        above = fit.eye[2] - float(np.median(places[:, 2])) > LEAST_HEIGHT_M
        before = bool((places @ fit.rotation[2] + fit.shift[2] > 0).all())
        new = all(np.linalg.norm(fit.eye - other.eye) > SAME_PLACE_M for other in found)
        if above and before and new and np.isfinite(fit.rms_px):
            found.append(fit)
    return sorted(found, key=lambda fit: fit.rms_px)


def covariance(fit: Fit, places: Array) -> Array:
    """Of turn and shift (6, 6): clicks and survey as expected, and larger where the residuals say so."""
    _, slopes = fit.pixels(places)
    by_place = slopes[:, :, 3:] @ fit.rotation
    noise = CLICK_SD_PX**2 * np.eye(2) + SURVEY_SD_M**2 * by_place @ by_place.transpose(0, 2, 1)
    weight = np.linalg.inv(np.einsum("nij,nik->jk", slopes, slopes))
    spread = weight @ np.einsum("nij,nik,nkl->jl", slopes, noise, slopes) @ weight
    worth = np.einsum("ni,nij,nj->", fit.residuals, np.linalg.inv(noise), fit.residuals)
    return np.asarray(spread * max(1.0, float(worth) / max(1, 2 * len(places) - 6)), np.float64)


def ground_covariance(fit: Fit, spread: Array, place: Array) -> Array:
    """What the pose's covariance (6, 6) makes of a ground point (3,): (2, 2), m^2."""
    _, slopes = fit.pixels(place[None])
    by_ground = np.linalg.inv((slopes[0][:, 3:] @ fit.rotation)[:, :2])
    moved = by_ground @ slopes[0]
    return np.asarray(moved @ spread @ moved.T, np.float64)


def _bent(lens: PinholeLens) -> Array:
    return np.array(lens.distortion or (0.0,) * 5, np.float64)


def _matrix(turn: Array) -> Array:
    return _floats(cv2.Rodrigues(turn)[0])


def _floats(given: Any) -> Array:
    return np.asarray(given, np.float64)
