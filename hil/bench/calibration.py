"""How well a camera is calibrated from surveyed points: simulated errors beside an earlier simulation's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from hil.bench.taken import Taken
from rsu_agent.perception.calibrate_camera import calibrate, expected_errors
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import axes_of
from rsu_agent.perception.pose_fit import Fit, fits
from rsu_agent.perception.surveyed import CalibrationRefused, GroundPoint

Array = npt.NDArray[np.float64]
TRIALS, WHOLE = 800, 60  # poses fitted; of them also through everything that may refuse them
HEIGHT_M, PITCH_DEG = 7.0, 14.0
LENS = PinholeLens(1920, 1080, 1400.0, 1400.0, 960.0, 540.0, (-0.17, 0.12, 0.0, 0.0, 0.0))
CLICK_PX, SURVEY_M, ASIDE_M = 2.0, 0.05, 11.0
AWAY_M = (20.0, 40.0, 60.0, 90.0)
# points, how far they reach -> median error (m) there, of an earlier simulation of the same cameras.
ROWS: dict[str, tuple[int, float, tuple[float, ...]]] = {
    "6": (6, 45.0, (0.10, 0.20, 0.67, 1.8)),
    "10": (10, 45.0, (0.06, 0.11, 0.36, 1.1)),
    "20": (20, 45.0, (0.04, 0.09, 0.26, 0.75)),
    "10_far": (10, 80.0, (0.10, 0.12, 0.21, 0.59)),
}
NEAR_M = 15.0


def calibration(seed: int) -> dict[str, Any]:
    """Median and 95th percentile of the error (m) at 20, 40, 60, 90 m; ratio: ours / the earlier ones.

    within_sd: share of errors within the announced sd; refused: share that `calibrate` would not take.
    """
    figures: dict[str, Any] = {}
    for name, (count, far_m, told) in ROWS.items():
        figures[f"points_{name}"] = _row(np.random.default_rng([seed, count, int(far_m)]), count, far_m, told)
    return {**figures, "ratio": round(float(np.exp(np.mean(np.log(figures["points_10"]["ratio"])))), 3)}


def _row(dice: np.random.Generator, count: int, far_m: float, table: tuple[float, ...]) -> dict[str, Any]:
    errors, within, refused, taken = [], [], 0, Taken()
    for trial in range(TRIALS):
        points = surveyed(dice, count, far_m)
        where, seen = np.array([p[:3] for p in points]), np.array([p[3:] for p in points])
        found = fits(LENS, where, seen)
        if not found:
            continue
        off = errors_of(found[0])
        told = [row.pose_m for row in expected_errors(found[0], where, 0.0)]
        errors.append(off)
        within.append([mistake <= sd for mistake, sd in zip(off, told, strict=True)])
        if trial < WHOLE:
            with taken.once():
                refused += not _accepted(points)
    every = np.array(errors)
    median = np.median(every, axis=0)
    return {
        "median_m": [round(float(each), 3) for each in median],
        "p95_m": [round(float(each), 2) for each in np.percentile(every, 95, axis=0)],
        "table_m": list(table),
        "ratio": [round(float(ours / theirs), 2) for ours, theirs in zip(median, table, strict=True)],
        "within_sd": [round(float(each), 2) for each in np.mean(within, axis=0)],
        "no_pose": TRIALS - len(errors),
        "refused": round(refused / WHOLE, 3),
        "calibrate_ms": taken.ms(),
    }


def surveyed(dice: np.random.Generator, count: int, far_m: float) -> list[tuple[float, ...]]:
    """So many points ahead, surveyed and clicked: east, north, up, u, v."""
    points: list[tuple[float, ...]] = []
    while len(points) < count:
        place = np.array([dice.uniform(-ASIDE_M, ASIDE_M), dice.uniform(NEAR_M, far_m), 0.0])
        pixel = pixel_of(place)
        if LENS.in_picture(pixel[None])[0]:
            told = place + dice.normal(0, SURVEY_M, 3) * [1.0, 1.0, 0.0]  # heights err in no row of the table
            points.append((*map(float, told), *map(float, pixel + dice.normal(0, CLICK_PX, 2))))
    return points


def pixel_of(place: Array) -> Array:
    """Where the true camera, north of which all lies, sees a place."""
    right, down, forward = (place - [0.0, 0.0, HEIGHT_M]) @ axes_of(0.0, PITCH_DEG, 0.0).T
    return np.asarray(LENS.pixels(np.array([[right / forward, down / forward]]))[0], np.float64)


def errors_of(fit: Fit) -> list[float]:
    """How far places straight ahead are put from where they are, m."""
    found = []
    for away in AWAY_M:
        pixel = pixel_of(np.array([0.0, away, 0.0]))
        east, north = fit.on_plane(pixel[None], np.zeros(1))[0]
        found.append(math.hypot(east, north - away))
    return found


def _accepted(points: list[tuple[float, ...]]) -> bool:
    try:
        calibrate(LENS, tuple(GroundPoint(f"P{n}", *each) for n, each in enumerate(points)))
    except CalibrationRefused:
        return False
    return True
