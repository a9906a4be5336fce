"""Fields that the sets of China, Europe and America have in common, bit for bit."""

from __future__ import annotations

from typing import Any

from rsu_agent.world.place import GeoPoint

SPEED_UNAVAILABLE = 8191


def position(point: GeoPoint) -> dict[str, Any]:
    """Position3D; the height goes along when it is known and fits."""
    value: dict[str, Any] = {"lat": round(point.lat_deg * 1e7), "long": round(point.lon_deg * 1e7)}
    if point.height_m is not None:
        decimetres = round(point.height_m * 10)
        if -4095 <= decimetres <= 61439:
            value["elevation"] = decimetres
    return value


def speed(mps: float) -> int:
    """Speed in 0.02 m/s; what is faster than the field can say is its greatest value."""
    return min(SPEED_UNAVAILABLE - 1, round(abs(mps) / 0.02))


def bits(size: int, *numbers: int) -> tuple[bytes, int]:
    """A BIT STRING with these bits set; bit 0 is the first on the wire."""
    value = sum(1 << (size - 1 - number) for number in numbers)
    return (value << (-size & 7)).to_bytes((size + 7) // 8, "big"), size


def reference(node: int, region: int | None) -> dict[str, int]:
    """NodeReferenceID."""
    return {"id": node} if region is None else {"region": region, "id": node}
