"""gpsd's JSON protocol, version 3 (gpsd_json(5)): the one request we send, and the reports we read."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

WATCH = b'?WATCH={"enable":true,"json":true,"pps":true};\n'
PROTOCOL = 3
LONGEST_LINE = 16 << 10  # gpsd_json(5) of 3.22 says 1,536, later ones send more for many satellites
SECONDS = (0, 1 << 40)
NANOSECONDS = (0, 999_999_999)
PRECISIONS = (-40, 0)  # NTP's power of two of a second
PICOSECONDS = (-1e9, 1e9)
NO_CLOCK = frozenset({5, 8})  # TPV status: dead reckoning without satellites, simulated


@dataclass(frozen=True, slots=True)
class Version:
    """Who answers; protocol is the major version."""

    release: str
    protocol: int


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices gpsd has, by path; none: no receiver is configured or plugged in."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fix:
    """TPV. gives_time: the receiver claims a position from satellites and gpsd got a time with it.

    leap_seconds: GPS time minus UTC, None: not told. error_s: gpsd's `ept`, of unknown certainty.
    """

    device: str
    gives_time: bool
    leap_seconds: int | None
    error_s: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """PPS. offset_s: our clock minus the pulse's time; error_s: NTP precision and sawtooth together."""

    device: str
    offset_s: float
    error_s: float


@dataclass(frozen=True, slots=True)
class SerialTime:
    """TOFF. offset_s: our clock on receipt of the sentence minus the time that it tells."""

    device: str
    offset_s: float


@dataclass(frozen=True, slots=True)
class Sky:
    """SKY. used: satellites in the fix, None: this report does not tell."""

    device: str
    used: int | None


@dataclass(frozen=True, slots=True)
class Garbled:
    """A line that cannot be read."""

    why: str


Report = Version | Devices | Fix | Pulse | SerialTime | Sky
Said = dict[str, Any]


class LineCutter:
    """Cuts what the connection brings into lines; what is too long to be one is given up."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def receive(self, data: bytes) -> Iterator[Report | Garbled]:
        """The reports that these bytes complete."""
        *whole, rest = data.split(b"\n")
        for part in whole:
            line, skipping = bytes(self._rest + part), self._skipping
            self._rest.clear()
            self._skipping = False
            if skipping or len(line) > LONGEST_LINE:
                yield Garbled("too long")
            elif (report := read_line(line)) is not None:
                yield report
        self._rest += rest
        if len(self._rest) > LONGEST_LINE:
            self._rest.clear()
            self._skipping = True


def read_line(line: bytes) -> Report | Garbled | None:
    """One report; None: a class that we do not need, or an empty line."""
    if not line.strip():
        return None
    try:
        said = json.loads(line, parse_constant=_refused)
        if not isinstance(said, dict):
            return Garbled("no object")
        reader = _READERS.get(str(said.get("class")))
        return reader(said) if reader else None
    except (ValueError, RecursionError) as error:
        return Garbled(str(error)[:80])


def _version(said: Said) -> Version:
    return Version(str(said.get("release", ""))[:40], int(_number(said, "proto_major", 0, 1000)))


def _devices(said: Said) -> Devices:
    listed = said.get("devices")
    if not isinstance(listed, list):
        raise ValueError("devices: no list")
    return Devices(tuple(str(one.get("path", ""))[:200] for one in listed if isinstance(one, dict)))


def _fix(said: Said) -> Fix:
    mode = _number(said, "mode", 0, 100)
    status = _number(said, "status", 0, 1000, absent=0)
    leap = _number(said, "leapseconds", 0, 1000) if "leapseconds" in said else None
    # Where there is no fix, gpsd 3.22 may still send mode 3 for sentences that carry no date: without a time.
    gives_time = mode >= 2 and status not in NO_CLOCK and isinstance(said.get("time"), str)
    return Fix(
        _device(said), gives_time, None if leap is None else int(leap), _number(said, "ept", 0, 1e6, absent=0)
    )


def _pulse(said: Said) -> Pulse:
    precision_s = 2.0 ** _number(said, "precision", *PRECISIONS)
    sawtooth_s = abs(_number(said, "qErr", *PICOSECONDS, absent=0)) * 1e-12
    return Pulse(_device(said), _offset_s(said), precision_s + sawtooth_s)


def _serial_time(said: Said) -> SerialTime:
    return SerialTime(_device(said), _offset_s(said))


def _sky(said: Said) -> Sky:
    if "uSat" in said:
        return Sky(_device(said), int(_number(said, "uSat", 0, 10_000)))
    satellites = said.get("satellites")
    if not isinstance(satellites, list):
        return Sky(_device(said), None)
    return Sky(_device(said), sum(isinstance(one, dict) and one.get("used") is True for one in satellites))


def _offset_s(said: Said) -> float:
    seconds = _number(said, "clock_sec", *SECONDS) - _number(said, "real_sec", *SECONDS)
    nanoseconds = _number(said, "clock_nsec", *NANOSECONDS) - _number(said, "real_nsec", *NANOSECONDS)
    return seconds + nanoseconds * 1e-9


def _device(said: Said) -> str:
    return str(said.get("device", ""))[:200]


def _number(said: Said, key: str, low: float, high: float, absent: float | None = None) -> float:
    value = said.get(key, absent)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key}: no number")
    if not (low <= value <= high and math.isfinite(value)):
        raise ValueError(f"{key}: out of range")
    return value


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number")


_READERS: dict[str, Callable[[Said], Report]] = {
    "VERSION": _version,
    "DEVICES": _devices,
    "TPV": _fix,
    "PPS": _pulse,
    "TOFF": _serial_time,
    "SKY": _sky,
}
