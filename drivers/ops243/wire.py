"""Lines of an OPS243 (facts/radars 4): JSON or plain numbers in, two-letter commands out; units end here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

Units = Literal["mps", "kmh", "mph", "fps", "cmps"]

LONGEST_LINE = 1024  # nine reports in arrays take about 300
MOST_REPORTS = 9
LONGEST_NUMBER = 24
FASTEST_MPS = 140.0  # what the sensor's sampling rate can tell, generously

MPS: dict[Units, float] = {"mps": 1.0, "kmh": 1 / 3.6, "mph": 0.44704, "fps": 0.3048, "cmps": 0.01}
COMMANDS: dict[Units, bytes] = {"mps": b"UM", "kmh": b"UK", "mph": b"US", "fps": b"UF", "cmps": b"UC"}
# What the sensor writes for a unit, in data lines and in the echo of a command; spaces and case do not count
SPEED_NAMES: dict[str, Units] = {
    "mps": "mps", "m/s": "mps", "m-per-sec": "mps",
    "kmph": "kmh", "km/h": "kmh", "kph": "kmh", "kmh": "kmh", "km-per-hr": "kmh",
    "mph": "mph",
    "fps": "fps", "ft/s": "fps", "ft-per-sec": "fps",
    "cmps": "cmps", "cm/s": "cmps", "cm-per-sec": "cmps",
}  # fmt: skip
RANGE_NAMES = {"m": 1.0, "cm": 0.01, "ft": 0.3048, "in": 0.0254, "yd": 0.9144}


@dataclass(frozen=True, slots=True)
class Speed:
    """One report. units: as the line told, None: it did not. inbound: None where only the sign tells."""

    value: float
    inbound: bool | None = None
    units: Units | None = None

    def mps(self, units: Units) -> float:
        """Metres a second with the sensor's sign; `units` for a line that told none."""
        return self.value * MPS[self.units or units]


@dataclass(frozen=True, slots=True)
class Data:
    """What one line reports. clock_s: the sensor's own clock, None: not told."""

    speeds: tuple[Speed, ...] = ()
    ranges_m: tuple[float, ...] = ()
    clock_s: float | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """The sensor's word about itself: an echo or its greeting. units: the speed's from now on."""

    units: Units | None = None
    started: bool = False


@dataclass(frozen=True, slots=True)
class Garbled:
    """A line that cannot be read. why: long, json, number, unit."""

    why: str
    size: int


@dataclass
class LineCutter:
    """Cuts the stream into lines; what is too long to be one is given up."""

    _rest: bytearray = field(default_factory=bytearray)
    _skipping: bool = False

    @property
    def kept_bytes(self) -> int:
        """What waits for a line's end."""
        return len(self._rest)

    def receive(self, data: bytes) -> Iterator[bytes | Garbled]:
        """The lines that these bytes complete, without their ends; empty ones are left out."""
        *whole, rest = data.replace(b"\r", b"\n").split(b"\n")
        for part in whole:
            line, skipping = bytes(self._rest + part), self._skipping
            self._rest.clear()
            self._skipping = False
            if skipping or len(line) > LONGEST_LINE:
                yield Garbled("long", len(line))
            elif line.strip():
                yield line.strip()
        self._rest += rest
        if len(self._rest) > LONGEST_LINE:
            self._rest.clear()
            self._skipping = True


def read_line(line: bytes) -> Data | Said | Garbled:
    """One line, JSON or plain."""
    return _json(line) if line[:1] in b"{[" else _plain(line)


def _plain(line: bytes) -> Data | Garbled:
    """`speed`, `magnitude,speed` or `time,magnitude,speed`, with its unit in quotes where OU is on."""
    numbers, unit = [], None
    for part in line.split(b","):
        value = _number(part.decode("ascii", "replace").strip())
        if value is not None:
            numbers.append(value)
        elif unit is None and part.strip()[:1] == b'"':
            unit = part.decode("ascii", "replace").strip(' "').lower()
        else:
            return Garbled("number", len(line))
    if not 1 <= len(numbers) <= 3:
        return Garbled("number", len(line))
    clock_s = numbers[0] if len(numbers) == 3 else None
    if unit in RANGE_NAMES:
        return Data(ranges_m=(numbers[-1] * RANGE_NAMES[unit],), clock_s=clock_s)
    if unit is not None and unit not in SPEED_NAMES:
        return Garbled("unit", len(line))
    return Data((Speed(numbers[-1], None, SPEED_NAMES[unit] if unit else None),), clock_s=clock_s)


def _json(line: bytes) -> Data | Said | Garbled:
    try:
        said = json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError):
        return Garbled("json", len(line))
    if not isinstance(said, dict):
        return Garbled("json", len(line))
    if "speed" in said or "range" in said:
        return _report(said, len(line))
    units = said.get("Units")
    known = SPEED_NAMES.get(units.lower()) if isinstance(units, str) else None
    return Said(known, "Product" in said or "ResetReason" in said)


def _report(said: dict[str, Any], size: int) -> Data | Garbled:
    """A report whose values stand alone or in arrays, as numbers or in quotes."""
    unit = said.get("unit")
    name = unit.strip().lower() if isinstance(unit, str) else None
    speeds, ranges = _numbers(said.get("speed")), _numbers(said.get("range"))
    if speeds is None or ranges is None:
        return Garbled("number", size)
    if name is not None and name not in (SPEED_NAMES if speeds else RANGE_NAMES):
        return Garbled("unit", size)
    ways = said.get("direction")
    ways = ways if isinstance(ways, list) else [ways] * len(speeds)
    told = [_inbound(ways[n]) if n < len(ways) else None for n in range(len(speeds))]
    units = SPEED_NAMES[name] if name and speeds else None
    metres = RANGE_NAMES.get(name or "m", 1.0) if not speeds else 1.0
    clock = _numbers(said.get("time"))
    return Data(
        tuple(Speed(value, way, units) for value, way in zip(speeds, told, strict=True)),
        tuple(value * metres for value in ranges),
        clock[0] if clock else None,
    )


def _inbound(word: Any) -> bool | None:
    return {"inbound": True, "outbound": False}.get(word.lower()) if isinstance(word, str) else None


def _numbers(value: Any) -> list[float] | None:
    """Some numbers; empty where there are none, None where something else stands."""
    if value is None:
        return []
    values = value[:MOST_REPORTS] if isinstance(value, list) else [value]
    read = [_number(each) for each in values]
    return None if None in read else [each for each in read if each is not None]


def _number(value: Any) -> float | None:
    """A finite number, in quotes or not."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (len(value) > LONGEST_NUMBER or "_" in value):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is no number")
