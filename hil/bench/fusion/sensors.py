"""The sensor models: what the camera and the radar of a pole make of one instant's users."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hil.bench.fusion.config import Camera, Config, Poles, Radar
from hil.bench.fusion.occlusion import Array, Flags, Ints, occluded
from hil.bench.fusion.truth import PEDESTRIAN, Step
from hil.world.sumo import KINDS

SAID_NOTHING = -1  # the kind that a radar names
NOBODY = -1  # whom a false detection shows
FAMILIES = tuple(
    tuple(KINDS.index(kind) for kind in family)
    for family in (("car", "truck", "bus"), ("motorcycle", "bicycle"), ("pedestrian", "bicycle"))
)


@dataclass(frozen=True, slots=True)
class View:
    """One pole's view: away (n,) and unit vectors (n, 2) to all users; inside its field; hidden by others."""

    away: Array
    unit: Array
    inside: Flags
    hidden: Flags


@dataclass(frozen=True, slots=True)
class Found:
    """One frame: places (m, 2), scores, radial velocities and kinds (m,); KINDS' numbers or SAID_NOTHING.

    user (m,): the truth's id of whom each shows, or NOBODY; no tracker is told it.
    """

    xy: Array
    score: Array
    doppler_mps: Array
    said: Ints
    user: Ints


def view(poles: Poles, pole: int, step: Step) -> View:
    """What a pole could see of one instant."""
    place = np.array(poles.places_m[pole])
    off = step.xy - place
    away = np.hypot(off[:, 0], off[:, 1])
    unit = off / np.maximum(away, 1e-6)[:, None]
    axis = -place / np.hypot(*place)
    inside = (away > poles.nearest_m) & (away < poles.farthest_m)
    inside &= unit @ axis > math.cos(math.radians(poles.half_angle_deg))
    hidden = occluded(np.array([*place, poles.height_m]), step.xy, step.heading_deg, step.size)
    return View(away, unit, inside, hidden)


def camera_chance(camera: Camera, poles: Poles, seen: View, pedestrian: Flags, night: bool) -> Array:
    """Probability of detection of every user in the field."""
    chance = camera.found - camera.found_loss * (seen.away / poles.farthest_m) ** 3
    chance = np.clip(chance, camera.found_least, camera.found_most)
    chance = chance * np.where(seen.hidden, camera.occluded, 1.0)
    if night:
        chance = chance * np.where(pedestrian, camera.night_pedestrian, camera.night_others)
    return np.asarray(chance, np.float64)


def camera_sd(camera: Camera, poles: Poles, away: Array) -> tuple[Array, Array]:
    """Standard deviations along and across the ray."""
    height = poles.height_m
    along = camera.along_m + camera.along_by_height * (away**2 + height**2) / height
    return along, camera.across_m + camera.across_by_range * away


def radar_chance(radar: Radar, seen: View, pedestrian: Flags, radial_mps: Array) -> Array:
    """Probability of detection of every user in the field."""
    chance = np.where(pedestrian, radar.found_pedestrian, radar.found)
    chance = chance * np.where(np.abs(radial_mps) < radar.still_mps, radar.still, 1.0)
    return np.asarray(chance * np.where(seen.hidden, radar.occluded, 1.0), np.float64)


def radar_sd(radar: Radar, away: Array) -> tuple[Array, Array]:
    """Standard deviations along and across the ray."""
    return np.full_like(away, radar.range_sd_m), away * math.radians(radar.azimuth_sd_deg)


def spread(config: Config, pole: int, xy: Array, *, by_camera: bool) -> Array:
    """Covariances (m, 2, 2) that a sensor states, by its model at the places where it has measured."""
    off = xy - np.array(config.poles.places_m[pole])
    away = np.maximum(np.hypot(off[:, 0], off[:, 1]), 1.0)
    sds = camera_sd(config.camera, config.poles, away) if by_camera else radar_sd(config.radar, away)
    along, across = (sd**2 for sd in sds)
    ux, uy = (off / away[:, None]).T
    off_axis = (along - across) * ux * uy
    rows = [along * ux * ux + across * uy * uy, off_axis, off_axis, along * uy * uy + across * ux * ux]
    return np.stack(rows, axis=1).reshape(-1, 2, 2)


def pictured(
    config: Config, pole: int, step: Step, seen: View, dice: np.random.Generator, *, night: bool
) -> Found:
    """One camera frame."""
    camera = config.camera
    chance = camera_chance(camera, config.poles, seen, step.kind == PEDESTRIAN, night)
    rows = np.flatnonzero(seen.inside & (dice.random(len(chance)) < chance))
    xy = _placed(step.xy[rows], seen.unit[rows], camera_sd(camera, config.poles, seen.away[rows]), dice)
    clear, hidden = (
        _scores(camera, shape, len(rows), dice) for shape in (camera.score_clear, camera.score_occluded)
    )
    said = _named(step.kind[rows], camera.named_right, dice)
    ghosts = _ghosts(config.poles, pole, camera.false_per_frame, dice)
    false = _scores(camera, camera.score_false, len(ghosts), dice)
    score = np.concatenate([np.where(seen.hidden[rows], hidden, clear), false])
    kinds = [KINDS.index(kind) for kind in config.world.per_hour]
    return Found(
        np.concatenate([xy, ghosts]),
        score,
        np.full(len(score), np.nan),
        np.concatenate([said, dice.choice(kinds, len(ghosts))]),
        _whom(step, rows, len(ghosts)),
    )


def echoed(config: Config, pole: int, step: Step, seen: View, dice: np.random.Generator) -> Found:
    """One radar cycle."""
    radar = config.radar
    radial = (step.v * seen.unit).sum(axis=1)
    chance = radar_chance(radar, seen, step.kind == PEDESTRIAN, radial)
    rows = np.flatnonzero(seen.inside & (dice.random(len(chance)) < chance))
    xy = _placed(step.xy[rows], seen.unit[rows], radar_sd(radar, seen.away[rows]), dice)
    ghosts = _ghosts(config.poles, pole, radar.false_per_frame, dice)
    most = radar.false_doppler_mps
    doppler = np.concatenate(
        [dice.normal(radial[rows], radar.doppler_sd_mps), dice.uniform(-most, most, len(ghosts))]
    )
    count = len(doppler)
    return Found(
        np.concatenate([xy, ghosts]),
        np.ones(count),
        doppler,
        np.full(count, SAID_NOTHING),
        _whom(step, rows, len(ghosts)),
    )


def _whom(step: Step, rows: Ints, ghosts: int) -> Ints:
    return np.concatenate([step.id[rows], np.full(ghosts, NOBODY)]).astype(np.int64)


def _placed(xy: Array, unit: Array, sds: tuple[Array, Array], dice: np.random.Generator) -> Array:
    """Places with errors along and across the rays."""
    across = np.column_stack([-unit[:, 1], unit[:, 0]])
    along_m, across_m = (dice.normal(0.0, 1.0, len(xy)) * sd for sd in sds)
    return np.asarray(xy + unit * along_m[:, None] + across * across_m[:, None], np.float64)


def _scores(camera: Camera, shape: list[float], count: int, dice: np.random.Generator) -> Array:
    first, second = shape
    return camera.least_score + (1.0 - camera.least_score) * dice.beta(first, second, count)


def _named(kind: Ints, right: float, dice: np.random.Generator) -> Ints:
    """Each kind's own name, or now and then another of its family."""
    said = kind.copy()
    for row in np.flatnonzero(dice.random(len(kind)) >= right):
        family = next(each for each in FAMILIES if kind[row] in each)
        said[row] = dice.choice([each for each in family if each != kind[row]])
    return said


def _ghosts(poles: Poles, pole: int, mean: float, dice: np.random.Generator) -> Array:
    """False detections, evenly over the area of the field, (m, 2)."""
    count = dice.poisson(mean)
    away = np.sqrt(dice.uniform(poles.nearest_m**2, poles.farthest_m**2, count))
    x, y = poles.places_m[pole]
    half = math.radians(poles.half_angle_deg)
    angle = math.atan2(-y, -x) + dice.uniform(-half, half, count)
    return np.column_stack([x + away * np.cos(angle), y + away * np.sin(angle)])
