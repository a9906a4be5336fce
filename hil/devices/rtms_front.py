"""An ISS RTMS G4: a framed event for each vehicle that passed its line (facts/radars 3.3)."""

from __future__ import annotations

import random
import struct
from datetime import UTC, datetime

from hil.devices.radar_front import Console, Fitting, after
from hil.devices.radar_model import Rows
from hil.devices.radar_zone import Line, Pass

LOOK_S = 0.05
START = b"\xff\xaa"
EVENT = 0x5E
KMH_MPS, MPH_MPS = 1 / 3.6, 0.44704
CLASSES = ((3.0, 1), (6.0, 2), (9.0, 3), (13.0, 4), (100.0, 5))  # up to this length in metres


class RtmsFront:
    """Sans-IO. Options: sensor (number), mph=1."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        options = fitting.options
        self.faults, self._sensor = fitting.faults, int(options.get("sensor", 1))
        self._mph = options.get("mph") == "1"
        self._utc_less_now_s = fitting.utc_less_now_s
        self._line, self._next_s = Line(fitting.mount, fitting.seed), fitting.now_s

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """An event a vehicle."""
        if now_s < self._next_s:
            return []
        self._next_s = after(self._next_s, LOOK_S, now_s)
        found = [] if self.faults.weather.blocked else self._line.passed(users, now_s)
        return [rtms_frame(EVENT, self._sensor, self._event(each)) for each in found]

    def hear(self, _data: bytes, _now_s: float) -> list[bytes]:
        """It only speaks."""
        return []

    def next_s(self) -> float:
        """The next look."""
        return self._next_s

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """Another length than it has."""
        return frame[:3] + bytes([max(0, min(255, frame[3] + dice.choice((-3, 1, 60))))]) + frame[4:]

    def reset(self) -> None:
        """Power on again: nothing is kept."""

    def _event(self, event: Pass) -> bytes:
        unit_mps = MPH_MPS if self._mph else KMH_MPS
        speed = 0 if event.speed_mps is None else max(1, min(255, round(event.speed_mps / unit_mps)))
        kind = next(number for most, number in CLASSES if event.length_m <= most)
        length = min(255, round(event.length_m * 10))
        dwell = min(0xFFFF, round(event.dwell_s * 1000))
        stamp = stamp_of(event.at_s + self.faults.clock.ahead_s(event.at_s) + self._utc_less_now_s)
        return struct.pack(">BBBBH8sB", event.zone, kind, length, speed, dwell, stamp, int(self._mph))


def rtms_frame(what: int, sensor: int, data: bytes) -> bytes:
    """The length counts the sensor's number and the data; so does the sum."""
    body = struct.pack(">H", sensor) + data
    return START + bytes([what, len(body)]) + body + struct.pack(">H", sum(body) & 0xFFFF)


def stamp_of(utc_s: float) -> bytes:
    """Hundredths, second, minute, hour, weekday, day, month, year as BCD: three digits of ms fit no byte."""
    at = datetime.fromtimestamp(utc_s, UTC)
    parts = (at.microsecond // 10_000, at.second, at.minute, at.hour, at.isoweekday(), at.day, at.month)
    return bytes(part // 10 << 4 | part % 10 for part in (*parts, at.year % 100))
