"""Asking a SmartSensor HD for vehicles and its clock, one question at a time. Sans-IO."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.ss125.deframer import Deframer, Frame, Garbled
from drivers.ss125.settings import Settings
from drivers.ss125.wire import (
    CLEAR,
    EVENT,
    EVENT_BYTES,
    HEAD_BYTES,
    IS_EVENT,
    READ,
    RESULT,
    RESULT_BYTES,
    TIME,
    TIME_BYTES,
    WRITE,
    date_s,
    event,
    request,
)
from rsu_agent.ports.devices import Passing, RadarFrame
from rsu_agent.ports.radar_line import ListeningLink

CLOCK_EVERY_S = 60.0  # a sensor's clock drifts by some milliseconds in it
OLDEST_S = 4 * 3600.0  # events wait in the sensor while nobody asks
AT_ONCE = 32  # vehicles taken without a pause: then whoever else is on the line gets its turn
ANSWER_BYTES = HEAD_BYTES + EVENT_BYTES + 1

SILENT_HINT = "check wire or address, the sensor's number and subnet, and its baud rate"
GARBLED_HINT = "bytes come but no answers: check the baud rate, or another master is on the line"


class Link(ListeningLink):
    """Bytes and time in, radar frames and questions out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        super().__init__(settings.silence_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._settings = settings
        self._byte_s = settings.line("master").byte_s
        self._deframer = Deframer()
        self._sequence = self._number = self._in_a_row = 0
        self._asked: tuple[int, float] | None = None  # (message, instant)
        self._due_s = self._clock_due_s = now_s
        self._clear = settings.clear_first
        self._ahead_s: float | None = None  # our monotonic clock minus the sensor's UTC
        self._last_event = b""

    @property
    def kept_bytes(self) -> int:
        """Bytes that wait for the rest of a frame."""
        return self._deframer.kept_bytes

    def next_bytes(self, now_s: float) -> bytes | None:
        """The question that is due; one that was not answered is given up."""
        if self._asked is not None:
            if now_s < self._deadline_s():
                return None
            self.counters["timeouts"] += 1
            self._asked = None
            self._sequence = (self._sequence + 2) & 0xFF  # a late answer is not the next one's
        if now_s < self._due_s:
            return None
        message, kind = self._next_message(now_s)
        self._due_s = max(self._due_s + 1 / self._settings.poll_hz, now_s)
        self._asked = message, now_s
        self.counters["questions"] += 1
        return request(self._settings.sensor, self._settings.subnet, self._sequence, message, kind)

    def wake_s(self, now_s: float) -> float:
        """When a question is due or given up, or silence becomes a loss."""
        due_s = self._due_s if self._asked is None else self._deadline_s()
        return min(super().wake_s(now_s), max(now_s, due_s))

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        """Take a chunk read at now_s."""
        self.counters["bytes"] += len(data)
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Garbled):
                self._garbled(found.why, found.size)
            elif self._awaited(found):
                self._verdict.good(now_s)
                self.counters["frames"] += 1
                yield from self._answered(found.body, now_s)
            else:
                self.counters["unasked"] += 1

    def _next_message(self, now_s: float) -> tuple[int, int]:
        if self._clear:
            self._clear = False
            return CLEAR, WRITE
        if now_s >= self._clock_due_s:
            self._clock_due_s = now_s + CLOCK_EVERY_S
            return TIME, READ
        return EVENT, READ

    def _deadline_s(self) -> float:
        asked_s = self._asked[1] if self._asked else 0.0
        return asked_s + 2 * ANSWER_BYTES * self._byte_s + self._settings.reply_timeout_s

    def _awaited(self, frame: Frame) -> bool:
        """An answer of our sensor to the question that stands: its sequence is ours and one."""
        if self._asked is None or frame.body[0] != self._asked[0]:
            return False
        head = frame.head
        ours = head.sender == self._settings.sensor and head.from_subnet == self._settings.subnet
        return ours and head.sequence == (self._sequence + 1) & 0xFF

    def _answered(self, body: bytes, now_s: float) -> Iterator[RadarFrame]:
        message, asked_s = self._asked or (0, now_s)
        self._asked = None
        self._sequence = (self._sequence + 1) & 0xFF
        if message == TIME and len(body) >= TIME_BYTES:  # a data answer may be typed read or result
            self._set_clock(date_s(body[3:TIME_BYTES]), asked_s, now_s)
        elif message == EVENT and len(body) >= EVENT_BYTES:
            yield self._vehicle(body, now_s)
        elif body[2] == RESULT:
            good = len(body) >= RESULT_BYTES and body[3:RESULT_BYTES] == bytes(2)
            self.counters["results" if good else "refusals"] += 1
        else:
            self.counters["strange_answers"] += 1

    def _set_clock(self, stamp_s: float | None, asked_s: float, now_s: float) -> None:
        """The sensor read its clock between question and answer."""
        if stamp_s is None:
            self.counters["bad_dates"] += 1
            return
        self._ahead_s = (asked_s + now_s) / 2 - stamp_s

    def _vehicle(self, body: bytes, now_s: float) -> RadarFrame:
        """A passing; an empty frame when none waits. After a vehicle the next is asked for at once."""
        self._number += 1
        if body[1] != IS_EVENT or body == self._last_event:
            self.counters["repeated"] += body[1] == IS_EVENT
            self._in_a_row = 0
            return RadarFrame(self._number, now_s, ())
        self._last_event = body
        self._in_a_row += 1
        if self._in_a_row < AT_ONCE:
            self._due_s = now_s
        self.counters["vehicles"] += 1
        told = event(body, self._settings.units)
        self.counters["invalid_speeds"] += told.speed_mps is None
        speed_mps = None if told.speed_mps is None else abs(told.speed_mps)
        at_s = self._at_s(told.stamp_s, now_s)
        passing = Passing(told.lane, at_s, speed_mps, told.length_m, told.dwell_s, told.range_m)
        return RadarFrame(self._number, now_s, (), passings=(passing,))

    def _at_s(self, stamp_s: float | None, now_s: float) -> float:
        """When it passed, in our time: by the sensor's stamp and what its clock showed when asked."""
        if stamp_s is None:
            self.counters["bad_dates"] += 1
            return now_s
        if self._ahead_s is None:
            return now_s
        at_s = min(stamp_s + self._ahead_s, now_s)
        if now_s - at_s > OLDEST_S:
            self.counters["stamps_refused"] += 1
            return now_s
        return at_s
