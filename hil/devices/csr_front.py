"""A Hikvision CSR or Chuansu speed radar: bare speed bytes, and FA..FB to configure it (facts/radars 3.5)."""

from __future__ import annotations

import random

from hil.devices.radar_front import Console, Fitting, after
from hil.devices.radar_model import RoadRadar, Rows, Traits
from hil.devices.radar_zone import Mover, movers

PERIOD_S = 0.026  # of the idle byte in continuous mode
LOOK_S = 0.104  # one measurement every fourth byte
POWER_ON = bytes.fromhex("FEFDFDFE")
FRAME_BYTES = 5
START, END = 0xFA, 0xFB
ASK = 0xF7
LEAST_KMH, MOST_KMH = 0x05, 0xF0
APPROACHING, LEAVING = 0xF9, 0xF8
TRAITS = Traits(
    reach_m=80.0, doppler_sd_mps=0.15, doppler_step_mps=0.05, doppler_most_mps=75.0, points=((1, 1), (1, 1)),
    clutter=0.0, ghost=0.0,
)  # fmt: skip


class CsrFront:
    """Sans-IO. Options: format=0, 1 (direction, speed), 2 (characters); mode=continuous, trigger, answer."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        self._format = int(fitting.options.get("format", 0))
        self._mode = fitting.options.get("mode", "continuous")
        self.faults = fitting.faults
        self.model = RoadRadar(fitting.mount, TRAITS, fitting.seed, fitting.faults.weather)
        self._next_s = self._look_s = fitting.now_s
        self._seen: Mover | None = None
        self._had = False
        self._line = b""
        self._greet, self.low_kmh, self.configuring = True, LEAST_KMH, False

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """A speed, or the idle byte; nothing while it is being configured."""
        if now_s < self._next_s:
            return []
        self._next_s = after(self._next_s, self.faults.clock.true_s(PERIOD_S), now_s)
        if self._greet:
            self._greet = False
            return [POWER_ON]
        fresh = now_s >= self._look_s
        if fresh:
            self._look_s = after(self._look_s, self.faults.clock.true_s(LOOK_S), now_s)
            had, found = self._seen is not None, movers(self.model.look(users))
            self._seen = next((mover for mover in found if self._kmh(mover) >= self.low_kmh), None)
            fresh = self._seen is not None and not had  # the head of a vehicle
        if self.configuring or self._mode == "answer" or (self._mode == "trigger" and not fresh):
            return []
        told = self._told()
        return [told] if told else []

    def hear(self, data: bytes, _now_s: float) -> list[bytes]:
        """`F7` asks for a speed in answer mode; FA..FB frames configure."""
        answers = []
        for byte in data:
            if byte == START or self._line:
                self._line += bytes([byte])
                if len(self._line) == FRAME_BYTES:
                    frame, self._line = self._line, b""
                    if frame[-1] == END:
                        answers.append(self._obey(frame[1], frame[2], frame[3]))
            elif byte == ASK and self._mode == "answer" and not self.configuring:
                answers.append(self._told() or b"\x00")
        return answers

    def next_s(self) -> float:
        """The next byte."""
        return self._next_s

    def lie(self, frame: bytes, _dice: random.Random) -> bytes:
        """A bare byte has no length."""
        return frame

    def reset(self) -> None:
        """Power on again."""
        self._greet, self.configuring, self._line, self._seen = True, False, b"", None

    def _obey(self, what: int, first: int, second: int) -> bytes:
        """Acknowledged with 30 where it is understood and 31 where not, then the command."""
        match what, first, second:
            case 0x31, 0x30, 0x30:
                self.configuring = True
            case 0x32, 0x30, 0x30:
                self.configuring = False
            case 0x39, low, _ if self.configuring:
                self.low_kmh = max(LEAST_KMH, min(MOST_KMH, low))
            case 0x3D, 0x32, 0x30 if self.configuring:
                self.low_kmh = LEAST_KMH
            case 0x3D, 0x34, 0x30 if self.configuring:
                return bytes([START, 0x39, self.low_kmh, 0x30, END])
            case 0x3D, 0x31, 0x30 if self.configuring:
                pass
            case 0x3E, 0x30, 0x30 if self.configuring:
                self.reset()
            case 0x3F, 0x30, 0x30 if self.configuring:
                return bytes([START, 0x3F, 0x31, 0x30, END])
            case _:
                return bytes([START, 0x32, 0x31, what, END])
        return bytes([START, 0x32, 0x30, what, END])

    @staticmethod
    def _kmh(mover: Mover) -> int:
        return min(MOST_KMH, round(abs(mover.away_mps) * 3.6))

    def _told(self) -> bytes:
        """In the chosen format; format 1 says nothing while idle."""
        mover = self._seen
        speed = self._kmh(mover) if mover else 0
        away = mover is not None and mover.away_mps > 0
        match self._format:
            case 1:
                return bytes([LEAVING if away else APPROACHING, speed]) if mover else b""
            case 2:
                return f"{'-' if away else '+' if mover else '*'}{speed:03d}".encode()
        return bytes([speed])
