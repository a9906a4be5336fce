"""Places: geodetic points and the local east-north frame around a crossing's reference point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# CGCS2000 and WGS 84 differ by 0.1 mm in the flattening: one ellipsoid serves both here.
SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY2 = 0.006694380022901


@dataclass(frozen=True, slots=True)
class GeoPoint:
    """Latitude and longitude in degrees (north, east positive), height in metres or None."""

    lat_deg: float
    lon_deg: float
    height_m: float | None = None


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """East-north metres on the tangent plane at `origin`; good to 5 mm within 200 m, to 3 cm within 500 m."""

    origin: GeoPoint

    def _metres_per_degree(self) -> tuple[float, float]:
        lat = math.radians(self.origin.lat_deg)
        w2 = 1.0 - ECCENTRICITY2 * math.sin(lat) ** 2
        prime_vertical = SEMI_MAJOR_M / math.sqrt(w2)
        meridian = SEMI_MAJOR_M * (1.0 - ECCENTRICITY2) / w2**1.5
        return math.radians(1.0) * prime_vertical * math.cos(lat), math.radians(1.0) * meridian

    def to_local(self, point: GeoPoint) -> tuple[float, float]:
        """(x_east_m, y_north_m) of a geodetic point."""
        east, north = self._metres_per_degree()
        return (point.lon_deg - self.origin.lon_deg) * east, (point.lat_deg - self.origin.lat_deg) * north

    def to_geo(self, x_east_m: float, y_north_m: float) -> GeoPoint:
        """The geodetic point of a place in this frame."""
        east, north = self._metres_per_degree()
        return GeoPoint(self.origin.lat_deg + y_north_m / north, self.origin.lon_deg + x_east_m / east)


def heading_deg(dx_east: float, dy_north: float) -> float:
    """Direction of a vector, degrees clockwise from north, 0 <= heading < 360."""
    heading = math.degrees(math.atan2(dx_east, dy_north)) % 360.0
    return 0.0 if heading == 360.0 else heading  # a hair west of north is rounded up to 360 by the modulus


def line_heading_deg(points: Sequence[tuple[float, float]]) -> float:
    """Direction from a line's first to its last point."""
    (x0, y0), (x1, y1) = points[0], points[-1]
    return heading_deg(x1 - x0, y1 - y0)


def turn_deg(from_deg: float, to_deg: float) -> float:
    """Smallest signed turn from one heading to another, -180 < turn <= 180, clockwise positive."""
    turn = (to_deg - from_deg) % 360.0
    return turn - 360.0 if turn > 180.0 else turn
