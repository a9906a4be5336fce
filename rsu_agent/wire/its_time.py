"""TimestampIts: milliseconds of TAI since 2004, as DENM and GeoNetworking count."""

from __future__ import annotations

import struct

EPOCH_S, LEAP_S = 1_072_915_200, 5  # 2004-01-01, and the leap seconds since (2026)
STAMP = struct.Struct(">I")


def its_stamp(utc_s: float) -> int:
    """The low 32 bits of it, as GeoNetworking writes them."""
    return its_ms(utc_s) & 0xFFFFFFFF


def its_ms(utc_s: float) -> int:
    """The time stamp of an instant, seconds since the Unix epoch."""
    return round((utc_s - EPOCH_S + LEAP_S) * 1000)
