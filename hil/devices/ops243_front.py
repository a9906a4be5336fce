"""An OmniPreSense OPS243 on its line: speeds as numbers or JSON, two-character commands (facts/radars 4)."""

from __future__ import annotations

import json
import math
import random
from typing import Any

from hil.devices.radar_front import Console, Fitting, after
from hil.devices.radar_model import RoadRadar, Rows, Traits
from hil.devices.radar_zone import Mover, movers

PERIOD_S = 0.1
LINE_BYTES = 64
TICKS_HZ = 1000
UNITS = {
    "M": ("m/s", 1.0),
    "K": ("km/h", 3.6),
    "S": ("mph", 2.236936),
    "C": ("cm/s", 100.0),
    "F": ("ft/s", 3.28084),
}
BLANKS = {"Z": "0", "L": "", "S": " ", "C": ","}
SWITCHES = {"J": "json", "S": "speed", "M": "magnitude", "T": "time", "D": "range", "U": "units"}
POWER = {"A": "active", "I": "idle", "P": "pulse"}
TRAITS = Traits(
    reach_m=60.0, range_sd_m=0.3, range_step_m=0.3, doppler_sd_mps=0.1, doppler_step_mps=0.05,
    doppler_most_mps=60.0, points=((1, 1), (1, 1)), clutter=0.0, ghost=0.0,
)  # fmt: skip
INFO = ({"Product": "OPS243-C"}, {"Version": "1.4.2"}, {"SamplingRate": 20000}, {"SampleSize": 1024})


class Ops243Front:
    """Sans-IO. Options: quoted=1 (numbers of JSON as strings, as some firmware does), json=1 (as stored)."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        self._options, self.faults = fitting.options, fitting.faults
        self._quoted = fitting.options.get("quoted") == "1"
        self.model = RoadRadar(fitting.mount, TRAITS, fitting.seed, fitting.faults.weather)
        self._next_s, self._now_s = fitting.now_s, fitting.now_s
        self._line = b""
        self.reset()

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """A line a report, none or a blank one while nothing moves."""
        if now_s < self._next_s:
            return []
        self._next_s = after(self._next_s, self.faults.clock.true_s(PERIOD_S), now_s)
        if self._power != "active":
            return []
        found = movers(self.model.look(users))[: self._reports]
        if not found:
            return [] if self._blank is None else [self._blank.encode() + b"\r\n"]
        return [self._json(found, now_s) if self._on["json"] else self._plain(found, now_s)]

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        """Commands of two characters, or `X=value` to the end of a line."""
        answers: list[bytes] = []
        self._line = (self._line + data)[-LINE_BYTES:]
        while (command := self._taken()) is not None:
            answers += [
                json.dumps(each, separators=(",", ":")).encode() + b"\r\n"
                for each in self._obey(command, now_s)
            ]
        return answers

    def next_s(self) -> float:
        """The next report."""
        return self._next_s

    def lie(self, frame: bytes, _dice: random.Random) -> bytes:
        """A line has no length."""
        return frame

    def reset(self) -> None:
        """Power on again: seconds since boot until it is told the time."""
        self._on = dict.fromkeys(SWITCHES.values(), False) | {"speed": True}
        self._on["json"] = self._options.get("json") == "1"
        self._unit, self._decimals, self._reports = "M", 1, 1
        self._blank: str | None = None
        self._power, self._offset_s, self._count = "active", 0.0, 0

    def _taken(self) -> str | None:
        """The next whole command; line ends before it are skipped."""
        self._line = self._line.lstrip(b"\r\n ")
        if len(self._line) < 2:
            return None
        if self._line[1:2] == b"=":
            end = min((at for at in (self._line.find(b"\r"), self._line.find(b"\n")) if at >= 0), default=-1)
            if end < 0:
                return None
            command, self._line = self._line[:end], self._line[end + 1 :]
        else:
            command, self._line = self._line[:2], self._line[2:]
        return command.decode("latin-1")

    def _obey(self, command: str, now_s: float) -> list[dict[str, Any]]:
        what, which = command[0], command[1:]
        match what:
            case "O" if which.isdecimal():
                self._reports = max(1, int(which))
                return [{"ReportCount": self._reports}]
            case "O" if which.upper() in SWITCHES:
                name = SWITCHES[which.upper()]
                self._on[name] = which.isupper()
                return [{f"Output{name.capitalize()}": "On" if which.isupper() else "Off"}]
            case "U" if which in UNITS:
                self._unit = which
                return [{"Units": UNITS[which][0]}]
            case "F" if which.isdecimal():
                self._decimals = min(5, int(which))
                return [{"DecimalPlaces": self._decimals}]
            case "B" if which in BLANKS:
                self._blank = BLANKS[which]
                return [{"BlankReporting": which}]
            case "P" if which in POWER:
                self._power = POWER[which]
                return [{"PowerMode": self._power}]
            case "C" if which[1:].isdecimal():
                self._offset_s = int(which[1:]) - self.faults.clock.own_s(now_s)
                return [{"Clock": which[1:]}]
            case "N" if which == "?":
                return [{"ObjectCount": self._count}]
            case "?":
                return [*INFO] if which == "?" else [{"Version": "1.4.2"}]
        return [{"Error": "unknown command"}]

    def _told_s(self, now_s: float) -> float:
        return self.faults.clock.own_s(now_s) + self._offset_s

    def _plain(self, found: list[Mover], now_s: float) -> bytes:
        """Time, magnitude, speed, those that are on; inbound is positive."""
        self._count += 1
        parts = [f"{self._told_s(now_s):.3f}"] if self._on["time"] else []
        for mover in found:
            parts += [f"{self._magnitude(mover):.0f}"] if self._on["magnitude"] else []
            parts += [f"{self._speed(mover):.{self._decimals}f}"] if self._on["speed"] else []
            parts += [f"{mover.range_m:.1f}"] if self._on["range"] else []
        units = [f'"{UNITS[self._unit][0]}"'] if self._on["units"] else []
        return ",".join([*units, *parts]).encode() + b"\r\n"

    def _json(self, found: list[Mover], now_s: float) -> bytes:
        """One object; lists where more than one report is asked for."""
        self._count += 1
        told: dict[str, Any] = {"unit": UNITS[self._unit][0]} if self._on["units"] else {}
        columns: dict[str, list[Any]] = {}
        if self._on["speed"]:
            columns["speed"] = [round(abs(self._speed(mover)), self._decimals + 1) for mover in found]
            columns["direction"] = ["outbound" if mover.away_mps > 0 else "inbound" for mover in found]
        if self._on["magnitude"]:
            columns["magnitude"] = [round(self._magnitude(mover)) for mover in found]
        if self._on["range"]:
            columns["range"] = [round(mover.range_m, 1) for mover in found]
        told |= {name: values if self._reports > 1 else values[0] for name, values in columns.items()}
        if self._on["time"]:
            at_s = self._told_s(now_s)
            told |= {"time": int(at_s), "tick": int(at_s * TICKS_HZ) % 0x10000}
        if self._quoted:
            told = {
                name: str(value) if isinstance(value, (int, float)) else value for name, value in told.items()
            }
        return json.dumps(told, separators=(",", ":")).encode() + b"\r\n"

    def _speed(self, mover: Mover) -> float:
        """In the chosen unit, inbound positive."""
        return -mover.away_mps * UNITS[self._unit][1]

    @staticmethod
    def _magnitude(mover: Mover) -> float:
        return 10.0 * math.exp(mover.snr_db / 20.0 * math.log(10.0))
