"""Radars that give no places, per zone and minute: how many, how fast, how long. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from rsu_agent.world.spot import SpotReading

MINUTE_S = 60.0
MOST_ZONES = 64  # of all radars together; more is no radar's own numbering
MOST_READINGS = 6_000  # of a zone in a minute


@dataclass(slots=True)
class _Zone:
    count: int = 0
    speeds_mps: list[float] = field(default_factory=list)
    lengths_m: list[float] = field(default_factory=list)
    dwells_s: list[float] = field(default_factory=list)


class Zones:
    """Fed with readings; a zone that was once heard of is told of every minute, with nobody in it too."""

    def __init__(self) -> None:
        self._zones: dict[tuple[str, int | None], _Zone] = {}

    def saw(self, reading: SpotReading) -> None:
        """One vehicle, or one reading of its speed."""
        key = reading.sensor, reading.zone
        if key not in self._zones and len(self._zones) >= MOST_ZONES:
            return
        zone = self._zones.setdefault(key, _Zone())
        if zone.count >= MOST_READINGS:
            return
        zone.count += 1
        for values, value in (
            (zone.speeds_mps, reading.speed_mps),
            (zone.lengths_m, reading.length_m),
            (zone.dwells_s, reading.dwell_s),
        ):
            if value is not None:
                values.append(value)

    def close(self, start_utc_us: int) -> list[dict[str, Any]]:
        """The minute that began then is over."""
        records = [
            {"k": "zone", "t": start_utc_us, "d": sensor, "z": number, **_told(zone)}
            for (sensor, number), zone in self._zones.items()
        ]
        self._zones = {key: _Zone() for key in self._zones}
        return records


def _told(zone: _Zone) -> dict[str, Any]:
    return {
        "n": zone.count,
        "v": _mean(zone.speeds_mps),
        "v85": _percentile_85(zone.speeds_mps),
        "l": _mean(zone.lengths_m),
        "o": round(min(1.0, sum(zone.dwells_s) / MINUTE_S), 4) if zone.dwells_s else None,
    }


def _mean(values: Sequence[float]) -> float | None:
    return round(fmean(values), 2) if values else None


def _percentile_85(values: Sequence[float]) -> float | None:
    """The least value that 85 % of all do not exceed."""
    return round(sorted(values)[-(-85 * len(values) // 100) - 1], 2) if values else None
