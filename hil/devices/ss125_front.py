"""A Wavetronix SmartSensor HD (SS125): polled for vehicles that passed its line (facts/radars 3.2)."""

from __future__ import annotations

import random
import struct
from collections import deque
from datetime import UTC, datetime

from hil.devices.radar_front import Console, Fitting, after
from hil.devices.radar_model import Rows
from hil.devices.radar_zone import Line, Pass

LOOK_S = 0.05
START, VERSION = b"Z1", 0
HEADER_BYTES, MOST_BODY_BYTES = 11, 244
RESULT = 2
ACTIVE, PUSH = 0x67, 0x65
EVENT = 1  # sub-number of an answer with an event: read in recordings by others, not in the facts
POLYNOMIAL = 0x1C
MOST_EVENTS = 500
FEET_M, MPH_MPS = 0.3048, 0.44704
SPEED_VALID = 0x800000
CLASSES = ((3.0, 0), (6.5, 1), (12.0, 2), (100.0, 3))  # up to this length in metres


class Ss125Front:
    """Sans-IO. Options: push=1 (events are sent unasked as 0x65)."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        self.faults = fitting.faults
        self._push = fitting.options.get("push") == "1"
        self._utc_less_now_s = fitting.utc_less_now_s
        self._line, self._next_s = Line(fitting.mount, fitting.seed), fitting.now_s
        self._events: deque[Pass] = deque(maxlen=MOST_EVENTS)
        self._data, self._number = b"", 0

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """Nothing unasked, but for events where they are pushed."""
        if now_s < self._next_s:
            return []
        self._next_s = after(self._next_s, LOOK_S, now_s)
        found = [] if self.faults.weather.blocked else self._line.passed(users, now_s)
        if not self._push:
            self._events.extend(found)
            return []
        return [
            self._message(event_body(PUSH, each, self._utc_s(each.at_s)), self._counted()) for each in found
        ]

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        """Whole requests with right checks are answered, anything else is not."""
        answers: list[bytes] = []
        self._data = (self._data + data)[-4 * MOST_BODY_BYTES :]
        while (at := self._data.find(START)) >= 0:
            self._data = self._data[at:]
            if len(self._data) < HEADER_BYTES:
                break
            head = self._data[:HEADER_BYTES]
            whole = HEADER_BYTES + head[9] + 1
            if crc8(head[:10]) != head[10] or head[9] > MOST_BODY_BYTES:
                self._data = self._data[1:]
            elif len(self._data) < whole:
                break
            else:
                body, check = self._data[HEADER_BYTES : whole - 1], self._data[whole - 1]
                self._data = self._data[whole:]
                if len(body) >= 3 and crc8(body) == check:
                    answers.append(self._message(self._answer(body, now_s), head[8] + 1))
        return answers

    def next_s(self) -> float:
        """The next look."""
        return self._next_s

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """Another size of the body than it has, its header's check made to fit."""
        size = max(0, min(255, frame[9] + dice.choice((-2, 1, 40))))
        head = frame[:9] + bytes([size])
        return head + bytes([crc8(head)]) + frame[HEADER_BYTES:]

    def reset(self) -> None:
        """Power on again: what was not fetched is lost."""
        self._events.clear()
        self._data = b""

    def _answer(self, body: bytes, now_s: float) -> bytes:
        """Reads of event and time; a write of 0x6D empties the store; others get the bare result."""
        what, sub, kind = body[:3]
        head = bytes([what, sub, RESULT])
        match what, kind:
            case (0x67, 0) if self._events:
                event = self._events.popleft()
                return event_body(ACTIVE, event, self._utc_s(event.at_s), EVENT)
            case (0x0E, 0):
                return head + date_of(self._utc_s(now_s))
            case (0x6D, 1):
                self._events.clear()
        return head

    def _utc_s(self, at_s: float) -> float:
        """By its own clock, which may be skewed."""
        return at_s + self.faults.clock.ahead_s(at_s) + self._utc_less_now_s

    def _counted(self) -> int:
        self._number += 1
        return self._number

    @staticmethod
    def _message(body: bytes, number: int) -> bytes:
        head = START + struct.pack(">BHBHBB", VERSION, 0, 1, 1, number & 0xFF, len(body))
        return head + bytes([crc8(head)]) + body + bytes([crc8(body)])


def event_body(what: int, event: Pass, utc_s: float, sub: int = 0) -> bytes:
    """A vehicle: date, lane, range and length in feet, duration in ms, speed in mph with its valid bit."""
    feet = min(0xFFFF, round(event.range_m / FEET_M * 256))
    length = min(0xFFFF, round(event.length_m / FEET_M * 256))
    speed = 0 if event.speed_mps is None else SPEED_VALID | round(event.speed_mps / MPH_MPS * 256) & 0x7FFFFF
    duration = min(0xFFFFFF, round(event.dwell_s * 1000))
    kind = next(number for most, number in CLASSES if event.length_m <= most)
    return b"".join(
        (
            bytes([what, sub, RESULT]),
            date_of(utc_s),
            struct.pack(">BH", event.zone, feet),
            duration.to_bytes(3, "big"),
            speed.to_bytes(3, "big"),
            struct.pack(">BH", kind, length),
        )
    )


def date_of(utc_s: float) -> bytes:
    """Date and time as two words of four bytes."""
    at = datetime.fromtimestamp(utc_s, UTC)
    date = at.year << 9 | at.month << 5 | at.day
    return struct.pack(
        ">II", date, at.hour << 22 | at.minute << 16 | at.second << 10 | at.microsecond // 1000
    )


def crc8(data: bytes) -> int:
    """Polynomial 0x1C, from zero, not reflected."""
    check = 0
    for byte in data:
        check ^= byte
        for _ in range(8):
            check = (check << 1 ^ POLYNOMIAL if check & 0x80 else check << 1) & 0xFF
    return check
