"""Hazards: what was seen to be dangerous, from onset to end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HazardKind(StrEnum):
    """Kinds of hazard that a rule can find."""

    RED_LIGHT_RUNNING = "red_light_running"
    WRONG_WAY = "wrong_way"
    STOPPED_VEHICLE = "stopped_vehicle"
    PEDESTRIAN_ON_RED = "pedestrian_on_red"


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard. onset_s: when the rule's condition became true; ended_s None while it holds (monotonic).

    x_east_m, y_north_m: place at the last sighting; `number` counts from 1 in this run.
    """

    number: int
    kind: HazardKind
    onset_s: float
    ended_s: float | None
    x_east_m: float
    y_north_m: float
    track: int
    lane: int | None
    heading_deg: float | None
    evidence: str
