"""SmartSensor HD frames (facts/radars 3.2): two CRC-8, fixed-point numbers, packed dates. Big-endian."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from rsu_agent.wire.rows import U8, U16, Layout

MARK = b"Z1"
HEAD_BYTES = 11
MOST_BODY = 244
LEAST_BODY = 3

READ, WRITE, RESULT = 0, 1, 2
TIME, EVENT, CLEAR = 0x0E, 0x67, 0x6D
EVENT_BYTES = 23  # without the CRC, with which it has the 24 of the facts
TIME_BYTES = 11
RESULT_BYTES = 5
IS_EVENT = 1  # sub-number of an event's answer; 0: nothing has passed since the last

Units = Literal["imperial", "metric"]
SPEED_MPS: dict[Units, float] = {"imperial": 0.44704, "metric": 1 / 3.6}
LENGTH_M: dict[Units, float] = {"imperial": 0.3048, "metric": 1.0}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Crc8:
    """Polynomial 0x1C, initial value 0, most significant bit first."""

    def __init__(self, polynomial: int = 0x1C) -> None:
        self._table = tuple(_shifted(byte, polynomial) for byte in range(256))

    def of(self, data: bytes) -> int:
        """The check value of these bytes, 0..255."""
        crc = 0
        for byte in data:
            crc = self._table[crc ^ byte]
        return crc


def _shifted(value: int, polynomial: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ polynomial if value & 0x80 else value << 1
    return value & 0xFF


CRC = Crc8()


@dataclass(frozen=True, slots=True)
class Head:
    """A frame's head without its CRC."""

    mark: U16
    to_subnet: U8
    to: U16
    from_subnet: U8
    sender: U16
    sequence: U8
    body_bytes: U8


HEAD = Layout(Head, ">")


@dataclass(frozen=True, slots=True)
class Event:
    """One vehicle. stamp_s: UTC by its clock, None: no date. speed_mps: None where flagged invalid."""

    lane: int
    stamp_s: float | None
    range_m: float
    dwell_s: float
    speed_mps: float | None
    vehicle_class: int
    length_m: float


def request(sensor: int, subnet: int, sequence: int, message: int, kind: int = READ) -> bytes:
    """A frame that asks the sensor, or tells it to forget its events (CLEAR with WRITE)."""
    body = bytes((message, 0, kind))
    head = HEAD.write(Head(int.from_bytes(MARK, "big"), subnet, sensor, 0, 0, sequence & 0xFF, len(body)))
    return head + bytes([CRC.of(head)]) + body + bytes([CRC.of(body)])


def date_s(data: bytes) -> float | None:
    """Seconds of UTC from 8 bytes of date and time; None: no such date."""
    day, time = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
    try:
        at = datetime(
            day >> 9 & 0xFFF, day >> 5 & 15, day & 31,
            time >> 22 & 31, time >> 16 & 63, min(time >> 10 & 63, 59), tzinfo=UTC,
        )  # fmt: skip
    except ValueError:
        return None
    return (at - EPOCH) / timedelta(seconds=1) + (time & 0x3FF) / 1000


def event(body: bytes, units: Units) -> Event:
    """A vehicle from the body of an event's answer, which has at least EVENT_BYTES."""
    speed = _fixed24(body[17:20])
    return Event(
        lane=body[11],
        stamp_s=date_s(body[3:11]),
        range_m=_fixed16(body[12:14]) * LENGTH_M[units],
        dwell_s=int.from_bytes(body[14:17], "big") / 1000,
        speed_mps=None if speed is None else speed * SPEED_MPS[units],
        vehicle_class=body[20],
        length_m=_fixed16(body[21:23]) * LENGTH_M[units],
    )


def _fixed16(data: bytes) -> float:
    return int.from_bytes(data, "big") / 256


def _fixed24(data: bytes) -> float | None:
    """Valid flag, 15 bits of whole units with a sign, 8 bits of fraction away from zero; None: invalid."""
    if not data[0] & 0x80:
        return None
    whole = int.from_bytes(data[:2], "big") & 0x7FFF
    whole -= 0x8000 if whole & 0x4000 else 0
    return whole + (data[2] if whole >= 0 else -data[2]) / 256
