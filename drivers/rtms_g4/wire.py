"""RTMS G4 frames (facts/radars 3.3): a sum over sensor and data, vehicles with stamps in decimal digits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MARK = b"\xff\xaa"
HEAD_BYTES = 4
SENSOR_BYTES = CHECK_BYTES = 2
VEHICLE, VEHICLE_BYTES = 0x5E, 15

SPEED_MPS = {0: 1 / 3.6, 1: 0.44704}  # by the unit byte
LENGTH_M = 0.1
CENTURY = 2000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose sum holds. kind: the qualifier; data: without the sensor's number."""

    kind: int
    sensor: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle. stamp_s: seconds of the sensor's own calendar as if it were UTC, None: no such date.

    speed_mps, length_m: None where the sensor gives 0, which no passing vehicle has.
    """

    zone: int
    vehicle_class: int
    length_m: float | None
    speed_mps: float | None
    dwell_s: float
    stamp_s: float | None


def parse(raw: bytes) -> Frame | str:
    """A frame, or a word for what is wrong: length or sum. raw: from the mark to the sum."""
    inside = raw[HEAD_BYTES:-CHECK_BYTES]
    if len(inside) != raw[3] or len(inside) < SENSOR_BYTES:
        return "length"
    if sum(inside) & 0xFFFF != int.from_bytes(raw[-CHECK_BYTES:], "big"):
        return "sum"
    return Frame(raw[2], int.from_bytes(inside[:SENSOR_BYTES], "big"), inside[SENSOR_BYTES:])


def vehicle(data: bytes) -> Vehicle | None:
    """A vehicle event; None: of another size, or in units that nobody knows."""
    if len(data) != VEHICLE_BYTES or data[14] not in SPEED_MPS:
        return None
    return Vehicle(
        zone=data[0],
        vehicle_class=data[1],
        length_m=data[2] * LENGTH_M or None,
        speed_mps=data[3] * SPEED_MPS[data[14]] or None,
        dwell_s=int.from_bytes(data[4:6], "big") / 1000,
        stamp_s=_stamp_s(data[6:14]),
    )


def _stamp_s(data: bytes) -> float | None:
    """Hundredths, second, minute, hour, weekday, day, month, year, two decimal digits each."""
    digits = [_digits(byte) for byte in data]
    if None in digits:
        return None
    hundredths, second, minute, hour, _, day, month, year = (each or 0 for each in digits)
    try:
        at = datetime(CENTURY + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (at - EPOCH) / timedelta(seconds=1) + hundredths / 100


def _digits(byte: int) -> int | None:
    """Two decimal digits in one byte."""
    high, low = byte >> 4, byte & 15
    return high * 10 + low if high < 10 and low < 10 else None
