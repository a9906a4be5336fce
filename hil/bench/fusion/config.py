"""The committed configuration of the fusion benchmark, typed, and its hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FILE = Path(__file__).with_name("benchmark.yaml")


@dataclass(frozen=True, slots=True)
class World:
    """Departures an hour by class, seconds before the first step, metres from the middle."""

    warm_s: float
    within_m: float
    per_hour: dict[str, float]


@dataclass(frozen=True, slots=True)
class Poles:
    """Where the poles stand and what their sensors can see."""

    places_m: list[list[float]]
    height_m: float
    half_angle_deg: float
    nearest_m: float
    farthest_m: float


@dataclass(frozen=True, slots=True)
class Camera:
    """Chances and standard deviations of a camera's detections; the file says the formulae."""

    late_s: float
    found: float
    found_loss: float
    found_least: float
    found_most: float
    occluded: float
    night_pedestrian: float
    night_others: float
    along_m: float
    along_by_height: float
    across_m: float
    across_by_range: float
    false_per_frame: float
    least_score: float
    score_clear: list[float]
    score_occluded: list[float]
    score_false: list[float]
    named_right: float


@dataclass(frozen=True, slots=True)
class Radar:
    """Chances and standard deviations of a radar's targets."""

    found: float
    found_pedestrian: float
    still: float
    still_mps: float
    occluded: float
    range_sd_m: float
    azimuth_sd_deg: float
    doppler_sd_mps: float
    false_per_frame: float
    false_doppler_mps: float


@dataclass(frozen=True, slots=True)
class Config:
    """The whole benchmark."""

    steps: int
    step_s: float
    unscored_steps: int
    region_m: float
    match_m: float
    hota_m: float
    gospa_order: float
    gospa_cut_m: float
    day_runs: int
    night_runs: int
    peer_runs: int
    world: World
    poles: Poles
    camera: Camera
    radar: Radar
    sha256: str


def read(path: Path = FILE) -> Config:
    """The configuration of a file. Raises TypeError naming a key that is missing or unknown."""
    told: dict[str, Any] = YAML(typ="safe").load(path.read_bytes())
    parts = {"world": World, "poles": Poles, "camera": Camera, "radar": Radar}
    parts_read = {name: kind(**told.pop(name)) for name, kind in parts.items()}
    return Config(**told, **parts_read, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
