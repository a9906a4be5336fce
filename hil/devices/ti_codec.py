"""The virtual radar's own writing of TI mmWave frames: the 40-byte and the 48-byte header."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

MAGIC = bytes((2, 1, 4, 3, 6, 5, 8, 7))
PLATFORM, VERSION = 0xA6843, 0x03050004
CLOCK_HZ = 200e6
POINTS, SIDE = 1, 7
COMPRESSED = 6
# Elevation, azimuth (rad), doppler (m/s), range (m), snr. The steps of a known capture, 0.00028 m/s and
# 0.00025 m, end at 9.2 m/s and 16.4 m: a small room. A crossing needs 30 m/s and 100 m in sixteen bits.
UNITS = (0.01, 0.01, 0.001, 0.0016, 0.04)
Point = tuple[
    float, float, float, float, float
]  # x right, y forward, z up, doppler (away positive), snr in dB


def frame40(number: int, t: float, points: Sequence[Point]) -> bytes:
    """SDK out-of-box demo: TLV 1 Cartesian points and TLV 7 side information; padded to a multiple of 32."""
    body = b""
    cloud = b"".join(struct.pack("<4f", x, y, z, doppler) for x, y, z, doppler, _ in points)
    body += struct.pack("<II", POINTS, len(cloud)) + cloud
    side = b"".join(struct.pack("<HH", int(snr * 10), 200) for *_, snr in points)
    body += struct.pack("<II", SIDE, len(side)) + side
    total = 40 + len(body)
    total += -total % 32
    cycles = int(t * CLOCK_HZ) & 0xFFFFFFFF
    head = MAGIC + struct.pack(
        "<8I", VERSION, total, PLATFORM, number & 0xFFFFFFFF, cycles, len(points), 2, 0
    )
    return (head + body).ljust(total, b"\0")


def frame48(number: int, t: float, points: Sequence[Point]) -> bytes:
    """3D people counting 4.x: compressed spherical points; TLV lengths count their own header; no padding."""
    elevation_unit, azimuth_unit, doppler_unit, range_unit, snr_unit = UNITS
    cloud = struct.pack("<5f", *UNITS)
    for x, y, z, doppler, snr in points:
        away = math.sqrt(x * x + y * y + z * z)
        azimuth, elevation = math.atan2(x, y), math.asin(z / away) if away else 0.0
        cloud += struct.pack(
            "<bbhHH",
            _fit(elevation / elevation_unit, -128, 127),
            _fit(azimuth / azimuth_unit, -128, 127),
            _fit(doppler / doppler_unit, -32768, 32767),
            _fit(away / range_unit, 0, 65535),
            _fit(snr / snr_unit, 0, 65535),
        )
    body = struct.pack("<II", COMPRESSED, len(cloud) + 8) + cloud if points else b""
    total = 48 + len(body)
    margins = (1000, 50_000, int(t * 1e6) & 0xFFFFFF, 100)
    head = MAGIC + struct.pack(
        "<9IHH", VERSION, total, PLATFORM, number & 0xFFFFFFFF, 0, *margins, int(bool(points)), 0
    )
    return head[:46] + struct.pack("<H", header_check(head)) + body


def header_check(head: bytes) -> int:
    """Complement of the folded sum of the header's 16-bit words, the check's own place taken as zero."""
    total: int = sum(struct.unpack("<24H", head[:48])) - struct.unpack_from("<H", head, 46)[0]
    return ~((total >> 16) + (total & 0xFFFF)) & 0xFFFF


def _fit(value: float, low: int, high: int) -> int:
    return max(low, min(high, round(value)))
