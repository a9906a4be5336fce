"""Units and unavailable codes of T/CSAE 53-2020, in one place; wire units die here."""

from __future__ import annotations

from typing import Any

from rsu_agent.messages.fields import position
from rsu_agent.world.place import GeoPoint

HEADING_UNAVAILABLE = 28800
OFFSET_CHOICES = (  # (half range in 1e-7 degree, alternative), smallest first
    (1 << 11, "position-LL1"),
    (1 << 13, "position-LL2"),
    (1 << 15, "position-LL3"),
    (1 << 17, "position-LL4"),
    (1 << 21, "position-LL5"),
    (1 << 23, "position-LL6"),
)
# posConfidence: the best class that one standard deviation still fits, metres
POSITION_CLASSES = (
    (0.01, "a1cm"),
    (0.02, "a2cm"),
    (0.05, "a5cm"),
    (0.1, "a10cm"),
    (0.2, "a20cm"),
    (0.5, "a50cm"),
    (1.0, "a1m"),
    (2.0, "a2m"),
    (5.0, "a5m"),
    (10.0, "a10m"),
    (20.0, "a20m"),
)


def offset(origin: GeoPoint, point: GeoPoint) -> dict[str, Any]:
    """PositionOffsetLLV in the smallest form that holds it; true position less reference position."""
    base = position(origin)
    lat, lon = round(point.lat_deg * 1e7) - base["lat"], round(point.lon_deg * 1e7) - base["long"]
    for half, name in OFFSET_CHOICES:
        if -half <= lat < half and -half <= lon < half:
            return {"offsetLL": (name, {"lon": lon, "lat": lat})}
    absolute = {"lon": lon + base["long"], "lat": lat + base["lat"]}
    return {"offsetLL": ("position-LatLon", absolute)}


def heading(deg: float | None) -> int:
    """Heading in 0.0125 degree clockwise from north; None = unavailable, 28800 is never a real heading."""
    return HEADING_UNAVAILABLE if deg is None else round(deg % 360.0 / 0.0125) % HEADING_UNAVAILABLE


def centimetres(metres: float, most: int) -> int:
    """A length in whole centimetres within its field, at least 1 (0 is invalid)."""
    return max(1, min(most, round(metres * 100)))


def position_confidence(sd_m: float) -> str:
    """Class of a position's standard deviation."""
    return next((name for limit, name in POSITION_CLASSES if sd_m <= limit), "unavailable")


class Counts:
    """msgCnt a kind: +1 a frame, 127 is followed by 0."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def next(self, kind: str) -> int:
        """The next count of a kind of message."""
        self._last[kind] = (self._last.get(kind, -1) + 1) % 128
        return self._last[kind]

    def last(self, kind: str) -> int:
        """The count sent last, 127 before the first."""
        return self._last.get(kind, 127)

    def set(self, kind: str, count: int) -> None:
        """Go on from a count that somebody else sent."""
        self._last[kind] = count % 128
