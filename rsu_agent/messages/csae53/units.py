"""Units and unavailable codes of T/CSAE 53-2020, in one place; wire units die here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rsu_agent.world.place import GeoPoint

MINUTES_A_DAY = 1_440
MINUTES_A_YEAR = 365 * MINUTES_A_DAY
SPEED_UNAVAILABLE, HEADING_UNAVAILABLE = 8191, 28800
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


@dataclass(frozen=True, slots=True)
class UtcStamp:
    """The instant of encoding: minute of the UTC year and millisecond of the minute.

    minutes_in_year: 525,600, in a leap year 527,040: where the minute turns over.
    """

    minute_of_year: int
    millisecond: int
    minutes_in_year: int = MINUTES_A_YEAR

    def minute_after(self, minutes: int) -> int:
        """The minute of the year so many minutes later, which may be one of the next year."""
        return (self.minute_of_year + minutes) % self.minutes_in_year


def utc_stamp(utc_s: float) -> UtcStamp:
    """The stamp of an instant, seconds since the Unix epoch."""
    at = datetime.fromtimestamp(utc_s, UTC)
    start = datetime(at.year, 1, 1, tzinfo=UTC)
    minutes, rest_s = divmod((at - start).total_seconds(), 60.0)
    days = (datetime(at.year + 1, 1, 1, tzinfo=UTC) - start).days
    return UtcStamp(int(minutes), min(59_999, int(rest_s * 1000)), days * MINUTES_A_DAY)


def position(point: GeoPoint) -> dict[str, Any]:
    """Position3D; the height goes along when it is known and fits."""
    value: dict[str, Any] = {"lat": round(point.lat_deg * 1e7), "long": round(point.lon_deg * 1e7)}
    if point.height_m is not None:
        decimetres = round(point.height_m * 10)
        if -4095 <= decimetres <= 61439:
            value["elevation"] = decimetres
    return value


def offset(origin: GeoPoint, point: GeoPoint) -> dict[str, Any]:
    """PositionOffsetLLV in the smallest form that holds it; true position less reference position."""
    base = position(origin)
    lat, lon = round(point.lat_deg * 1e7) - base["lat"], round(point.lon_deg * 1e7) - base["long"]
    for half, name in OFFSET_CHOICES:
        if -half <= lat < half and -half <= lon < half:
            return {"offsetLL": (name, {"lon": lon, "lat": lat})}
    absolute = {"lon": lon + base["long"], "lat": lat + base["lat"]}
    return {"offsetLL": ("position-LatLon", absolute)}


def speed(mps: float) -> int:
    """Speed in 0.02 m/s; what is faster than the field can say is its greatest value."""
    return min(SPEED_UNAVAILABLE - 1, round(abs(mps) / 0.02))


def heading(deg: float | None) -> int:
    """Heading in 0.0125 degree clockwise from north; None = unavailable, 28800 is never a real heading."""
    return HEADING_UNAVAILABLE if deg is None else round(deg % 360.0 / 0.0125) % HEADING_UNAVAILABLE


def centimetres(metres: float, most: int) -> int:
    """A length in whole centimetres within its field, at least 1 (0 is invalid)."""
    return max(1, min(most, round(metres * 100)))


def position_confidence(sd_m: float) -> str:
    """Class of a position's standard deviation."""
    return next((name for limit, name in POSITION_CLASSES if sd_m <= limit), "unavailable")


def bits(size: int, *numbers: int) -> tuple[bytes, int]:
    """A BIT STRING with these bits set; bit 0 is the first on the wire."""
    value = sum(1 << (size - 1 - number) for number in numbers)
    return (value << (-size & 7)).to_bytes((size + 7) // 8, "big"), size


def reference(node: int, region: int | None) -> dict[str, int]:
    """NodeReferenceID."""
    return {"id": node} if region is None else {"region": region, "id": node}


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
