"""What a radar that gives no places tells of a vehicle: a zone that it passed, or only how fast it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpotReading:
    """One passing or speed. zone: the radar's own number, None: a speed without one; at_s: monotonic.

    dwell_s: how long the vehicle was in the zone. What the radar does not tell, or flags as invalid, is None.
    """

    sensor: str
    zone: int | None
    at_s: float
    speed_mps: float | None
    length_m: float | None = None
    dwell_s: float | None = None
