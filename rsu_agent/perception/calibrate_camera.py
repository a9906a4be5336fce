"""Calibrating a camera from surveyed points: its pose, the bad points by name, how far to trust it. Pure.

The lens is known and stays as it is. The road is flat at the points' median height; what that costs is told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.consensus import agreeing, exchanged
from rsu_agent.perception.ground import PIXEL_SD, TILT_SD, GroundCamera
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose
from rsu_agent.perception.pose_fit import Fit, covariance, fits, ground_covariance
from rsu_agent.perception.surveyed import CalibrationRefused, GroundPoint, clicks, places

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LEAST_POINTS = 6
LEAST_WIDTH_M = 3.0  # a lane: points within less lie on one line
FAR_M, LEAST_FAR = 30.0, 2
LEAST_SPREAD = 1.4  # farthest over nearest
NEAR_M, MOST_LEFT_OUT_M = 40.0, 0.25
ALIKE = 1.5  # a second pose whose residuals are no larger than so many times the first's
LOOKED_AT_M = (20.0, 40.0, 60.0, 90.0)


@dataclass(frozen=True, slots=True)
class PointFit:
    """How one point fits. left_out_m: by how much a pose without it misses it; used: is part of the pose."""

    name: str
    away_m: float
    residual_px: float
    left_out_m: float
    used: bool
    expected_px: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Expected:
    """One standard deviation on the ground so far ahead, m: of the pose, a pixel's doubt, the pole's tilt.

    Each along its larger axis; total: of all three. in_picture: whether the camera sees that place at all.
    """

    away_m: float
    pose_m: float
    pixel_m: float
    tilt_m: float
    total_m: float
    in_picture: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """A pose that may be used. left_out_m: the median error of points left out within 40 m.

    unlevel_m: what the flat road adds at the worst point; exchanged: pairs that seem to have swapped clicks.
    """

    pose: CameraPose
    road_m: float
    rms_px: float
    left_out_m: float
    unlevel_m: float
    points: tuple[PointFit, ...]
    expected: tuple[Expected, ...]
    exchanged: tuple[tuple[str, str], ...] = ()

    @property
    def bad(self) -> tuple[str, ...]:
        """Names of the points that do not fit."""
        return tuple(point.name for point in self.points if not point.used)


def calibrate(lens: PinholeLens, points: tuple[GroundPoint, ...]) -> Calibration:
    """The pose. Raises CalibrationRefused, which says what to do."""
    _enough(len(points))
    where, seen = places(points), clicks(points)
    _, good = lens.rays(seen)
    if not good.all():
        raise CalibrationRefused(
            "no_ray", ", ".join(p.name for p, ok in zip(points, good, strict=True) if not ok)
        )
    _wide(where)
    found = agreeing(lens, where, seen)
    if found is None:
        raise CalibrationRefused("no_pose")
    fit, used = found
    if used.sum() < max(LEAST_POINTS, math.ceil(2 * len(points) / 3)):
        bad = ", ".join(point.name for point, ok in zip(points, used, strict=True) if not ok)
        raise CalibrationRefused("disagree", int(used.sum()), len(points), bad)
    _wide(where[used])
    _near_and_far(where[used], fit.eye)
    _one_pose(fits(lens, where[used], seen[used]))
    calibration = _report(fit, points, used)
    if calibration.left_out_m > MOST_LEFT_OUT_M:
        raise CalibrationRefused("leave_one_out", f"{calibration.left_out_m:.2f}", so_far=calibration)
    return calibration


def _enough(count: int) -> None:
    if count == 4:
        raise CalibrationRefused("four_points")
    if count < LEAST_POINTS:
        raise CalibrationRefused("few_points", count)


def _wide(where: Array) -> None:
    """Refuses points along one line: their extent across the line that fits them best."""
    flat = where[:, :2] - where[:, :2].mean(axis=0)
    across = flat @ np.linalg.svd(flat, full_matrices=False)[2][1]
    across = np.sort(across)  # one point beside the line does not make a plane
    width = float(min(across[-2] - across[0], across[-1] - across[1]))
    if width < LEAST_WIDTH_M:
        raise CalibrationRefused("one_line", f"{width:.1f}")


def _near_and_far(where: Array, eye: Array) -> None:
    away = np.hypot(*(where[:, :2] - eye[:2]).T)
    if (away > FAR_M).sum() < LEAST_FAR:
        far = f"{away.max():.0f}"
        raise CalibrationRefused("near_only", int((away > FAR_M).sum()), f"{FAR_M:.0f}", far)
    if away.max() < LEAST_SPREAD * away.min():
        raise CalibrationRefused("one_distance", f"{away.min():.0f}", f"{away.max():.0f}")


def _one_pose(found: list[Fit]) -> None:
    """Refuses two mirrored poses that fit alike."""
    if len(found) > 1 and found[1].rms_px < ALIKE * found[0].rms_px + 0.5:
        raise CalibrationRefused("two_poses", f"{found[0].rms_px:.1f}", f"{found[1].rms_px:.1f}")


def _report(fit: Fit, points: tuple[GroundPoint, ...], used: Mask) -> Calibration:
    where, seen = places(points), clicks(points)
    road_m = float(np.median(where[used, 2]))
    pose = fit.pose(road_m)
    left_out = _left_out(fit, where, seen, used)
    away = np.hypot(*(where[:, :2] - fit.eye[:2]).T)
    expected, near = fit.seen(where), used & (away <= NEAR_M)
    camera = GroundCamera.through(pose, fit.lens)
    unlevel = np.hypot(*(camera.to_ground(seen)[0] - fit.on_plane(seen, where[:, 2])).T)
    pairs = exchanged(fit, where, seen, [int(i) for i in np.flatnonzero(~used)])
    rows = zip(points, away, np.hypot(*(seen - expected).T), left_out, used, expected, strict=True)
    return Calibration(
        pose=pose,
        road_m=road_m,
        rms_px=fit.rms_px,
        left_out_m=float(np.median(left_out[near if near.any() else used])),
        unlevel_m=float(unlevel[near if near.any() else used].max()),
        points=tuple(
            PointFit(p.name, float(far), float(px), float(m), bool(ok), (float(spot[0]), float(spot[1])))
            for p, far, px, m, ok, spot in rows
        ),
        expected=expected_errors(fit, where[used], road_m),
        exchanged=tuple((points[a].name, points[b].name) for a, b in pairs),
    )


def _left_out(fit: Fit, where: Array, seen: Array, used: Mask) -> Array:
    """By how much each point is missed, at its own height, by a pose from the other good ones, m."""
    missed = np.empty(len(where))
    for i in range(len(where)):
        others = used.copy()
        others[i] = False
        without = fit.refined(where[others], seen[others])
        missed[i] = math.dist(without.on_plane(seen[i : i + 1], where[i : i + 1, 2])[0], where[i, :2])
    return missed


def expected_errors(fit: Fit, where: Array, road_m: float) -> tuple[Expected, ...]:
    """One standard deviation at 20, 40, 60 and 90 m straight ahead. where: the points of the fit (n, 3)."""
    spread = covariance(fit, where)
    camera, ahead = GroundCamera.through(fit.pose(road_m), fit.lens), fit.rotation[2, :2]
    rows = []
    for away in LOOKED_AT_M:
        spot = np.array([*(fit.eye[:2] + away * ahead / np.hypot(*ahead)), road_m])
        pose = ground_covariance(fit, spread, spot)
        pixel = ground_covariance_of_a_pixel(fit, spot) * PIXEL_SD**2
        height = float(fit.eye[2]) - road_m
        tilt = ((away**2 + height**2) / height * TILT_SD) ** 2 * np.outer(ahead, ahead) / float(ahead @ ahead)
        pixels, depth = camera.to_pixels(np.array([[spot[0], spot[1], 0.0]]))
        seen = bool(depth[0] > 0 and fit.lens.in_picture(pixels)[0])
        by_pose, by_pixel, by_tilt, by_all = map(_larger, (pose, pixel, tilt, pose + pixel + tilt))
        rows.append(Expected(away, by_pose, by_pixel, by_tilt, by_all, seen))
    return tuple(rows)


def ground_covariance_of_a_pixel(fit: Fit, place: Array) -> Array:
    """What one pixel of doubt each way makes of a ground point (3,): (2, 2), m^2."""
    _, slopes = fit.pixels(place[None])
    by_ground = np.linalg.inv((slopes[0][:, 3:] @ fit.rotation)[:, :2])
    return np.asarray(by_ground @ by_ground.T, np.float64)


def _larger(matrix: Array) -> float:
    """The standard deviation along a covariance's larger axis."""
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(matrix)[-1])))
