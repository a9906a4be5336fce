"""TI mmWave frames: four header variants as data, the TLVs of points and targets. Little endian."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from rsu_agent.ports.devices import RadarPoint, RadarTarget

MAGIC = bytes((2, 1, 4, 3, 6, 5, 8, 7))
LARGEST_FRAME = 65_536
MOST_TLVS = 32
TLV_HEAD = 8
ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Variant:
    """One header: byte offsets of what is needed; `own`: TLV lengths count their own eight bytes."""

    name: str
    size: int
    total_at: int
    number_at: int
    tlvs_at: int
    tlvs_bytes: int
    checked: bool
    own: bool
    padded: bool


VARIANTS: tuple[Variant, ...] = (
    Variant("pc3d_4x", 48, 12, 20, 44, 2, checked=True, own=True, padded=False),
    Variant("traffic_monitoring", 52, 20, 24, 48, 2, checked=True, own=False, padded=True),
    Variant("sdk", 40, 12, 20, 32, 4, checked=False, own=False, padded=True),
    Variant("area", 44, 12, 20, 32, 4, checked=False, own=False, padded=True),
)
BY_NAME = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class Tlv:
    """One type-length-value."""

    type: int
    data: bytes


def number(data: bytes, at: int, size: int = 4) -> int:
    """A whole number."""
    return int.from_bytes(data[at : at + size], "little")


def header_good(head: bytes) -> bool:
    """The folded sum of all 16-bit words of the header is 0xFFFF (covers the header only)."""
    total: int = sum(struct.unpack(f"<{len(head) // 2}H", head))
    return (total >> 16) + (total & 0xFFFF) == 0xFFFF


def cartesian(data: bytes) -> Iterator[RadarPoint]:
    """TLV 1 of the SDK demo: x right, y forward, z up, doppler (away positive), 16 bytes a point."""
    for x, y, z, doppler in struct.iter_unpack("<4f", data):
        if all(map(math.isfinite, (x, y, z, doppler))):
            yield RadarPoint(y, -x, z, doppler)


def spherical(data: bytes) -> Iterator[RadarPoint]:
    """Range, azimuth (right positive), elevation, doppler; 16 bytes a point."""
    for away, azimuth, elevation, doppler in struct.iter_unpack("<4f", data):
        if all(map(math.isfinite, (away, azimuth, elevation, doppler))):
            yield _from_angles(away, azimuth, elevation, doppler, None)


def compressed(data: bytes) -> Iterator[RadarPoint]:
    """Five units, then eight bytes a point: elevation, azimuth, doppler, range, snr."""
    elevation_unit, azimuth_unit, doppler_unit, range_unit, snr_unit = struct.unpack_from("<5f", data)
    if not all(map(math.isfinite, (elevation_unit, azimuth_unit, doppler_unit, range_unit, snr_unit))):
        return
    for elevation, azimuth, doppler, away, snr in struct.iter_unpack("<bbhHH", data[20:]):
        angles = azimuth * azimuth_unit, elevation * elevation_unit
        yield _from_angles(away * range_unit, *angles, doppler * doppler_unit, snr * snr_unit)


def targets(data: bytes) -> Iterator[RadarTarget]:
    """Targets of 112 bytes: id, position, velocity, acceleration, covariance, gain, confidence."""
    for row in struct.iter_unpack("<I27f", data):
        tid, x, y, _, vx, vy, *_ = row
        if all(map(math.isfinite, (x, y, vx, vy))):
            yield RadarTarget(tid, y, -x, vy, -vx)


def _from_angles(
    away: float, azimuth: float, elevation: float, doppler: float, snr: float | None
) -> RadarPoint:
    flat = away * math.cos(elevation)
    forward, right = flat * math.cos(azimuth), flat * math.sin(azimuth)
    return RadarPoint(forward, -right, away * math.sin(elevation), doppler, snr)
