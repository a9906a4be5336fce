"""Vehicles of an RTMS G4, at the instants of its own clock laid onto ours. Sans-IO; nothing is ever sent."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.rtms_g4.deframer import Deframer, Garbled, Heard
from drivers.rtms_g4.settings import Settings
from drivers.rtms_g4.wire import VEHICLE, Vehicle, vehicle
from rsu_agent.ports.devices import Passing, RadarFrame
from rsu_agent.ports.radar_line import ListeningLink
from rsu_agent.ports.stamp_fit import StampFit

SILENT_HINT = "check wire and address, and that the sensor is set to send vehicle events"
GARBLED_HINT = "bytes come but no frames: check baud rate and parity"


class Link(ListeningLink):
    """Bytes and time in, radar frames out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        super().__init__(settings.silence_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._sensor, self._latency_s = settings.sensor, settings.latency_ms / 1000
        self._deframer = Deframer(settings.line("listener").byte_s)
        self._fit = StampFit()
        self._number = 0

    @property
    def kept_bytes(self) -> int:
        """Bytes that wait for the rest of a frame."""
        return self._deframer.kept_bytes

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        """Take a chunk read at now_s."""
        self.counters["bytes"] += len(data)
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Garbled):
                self._garbled(found.why, found.size)
                continue
            self._verdict.good(now_s)
            self.counters["frames"] += 1
            if self._sensor not in (None, found.frame.sensor):
                self.counters["other_sensors"] += 1
            elif found.frame.kind != VEHICLE:
                self.counters["other_frames"] += 1  # statistics and answers to somebody else
            elif (told := vehicle(found.frame.data)) is None:
                self.counters["strange_events"] += 1
            else:
                yield self._passed(told, found)

    def _passed(self, told: Vehicle, heard: Heard) -> RadarFrame:
        if told.stamp_s is None:
            self.counters["bad_stamps"] += 1
            at_s = heard.first_byte_s
        else:
            at_s = self._fit.at_s(told.stamp_s, heard.first_byte_s)
            self.counters["clock_jumps"] = self._fit.jumps
        at_s -= self._latency_s
        self._number += 1
        self.counters["vehicles"] += 1
        passing = Passing(told.zone, at_s, told.speed_mps, told.length_m, told.dwell_s)
        return RadarFrame(self._number, at_s, (), passings=(passing,))
