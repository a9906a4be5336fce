"""The tests' own reading of ARS40x messages: the table of facts/radars 2.1 and a walk along its bits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rsu_agent.ports.can_line import CanFrame

# identifier, bytes, signals: name start|length (scale, offset), as the facts have them
TABLE = """
201 8: NVMwrite 7|1, NVMread 6|1, MaxDistance 15|10 (2, 0), PersistentErr 21|1, Interference 20|1, TempErr 19|1, TemporaryErr 18|1, VoltageErr 17|1, RadarPower 25|3, SortIndex 38|3, SensorID 34|3, MotionRxState 47|2, SendExtInfo 45|1, SendQuality 44|1, OutputType 43|2, CtrlRelay 41|1, RCS_Threshold 60|3
700 4: Major 7|8, Minor 15|8, Patch 23|8, CountryCode 24|1, ExtendedRange 25|1
60A 4: NofObjects 7|8, MeasCounter 15|16, InterfaceVersion 31|4
60B 8: ID 7|8, DistLong 15|13 (0.2, -500), DistLat 18|11 (0.2, -204.6), VrelLong 39|10 (0.25, -128), VrelLat 45|9 (0.25, -64), DynProp 50|3, RCS 63|8 (0.5, -64)
60C 7: ID 7|8, DistLong_rms 15|5, DistLat_rms 10|5, VrelLong_rms 21|5, VrelLat_rms 16|5, ArelLong_rms 27|5, ArelLat_rms 38|5, Orient_rms 33|5, ProbOfExist 55|3, MeasState 52|3
60D 8: ID 7|8, ArelLong 15|11 (0.01, -10), ArelLat 20|9 (0.01, -2.5), Class 26|3, OrientationAngle 39|10 (0.4, -180), Length 55|8 (0.2, 0), Width 63|8 (0.2, 0)
600 5: Near 7|8, Far 15|8, MeasCounter 23|16, IfVersion 39|4
701 8: ID 7|8, DistLong 15|13 (0.2, -500), DistLat 17|10 (0.2, -102.3), VrelLong 39|10 (0.25, -128), VrelLat 45|9 (0.25, -64), DynProp 50|3, RCS 63|8 (0.5, -64)
702 5: ID 7|8, DistLong_rms 15|5, DistLat_rms 10|5, VrelLong_rms 21|5, VrelLat_rms 16|5, PdH0 26|3, InvalidState 39|5, AmbigState 34|3
200 8: NVM_valid 7|1, Sort_valid 6|1, ExtInfo_valid 5|1, Quality_valid 4|1, OutputType_valid 3|1, Power_valid 2|1, SensorID_valid 1|1, MaxDist_valid 0|1, MaxDistance 15|10 (2, 0), SensorID 34|3, OutputType 36|2, RadarPower 39|3, StoreInNVM 47|1, SortIndex 46|3, SendExtInfo 43|1, SendQuality 42|1, CtrlRelay 41|1, CtrlRelay_valid 40|1, RCS_Thr_valid 48|1, RCS_Thr 51|3
300 2: Direction 7|2, Speed 4|13 (0.02, 0)
301 2: YawRate 7|16 (0.01, -327.68)
"""  # noqa: E501
SIGNAL = re.compile(r"(\w+) (\d+)\|(\d+)(?: \(([-\d.]+), ([-\d.]+)\))?")

Signal = tuple[int, int, Decimal, Decimal]
SIGNALS: dict[int, dict[str, Signal]] = {}
BYTES: dict[int, int] = {}
for _line in TABLE.strip().splitlines():
    _head, _signals = _line.split(": ", 1)
    _id, _bytes = int(_head.split()[0], 16), int(_head.split()[1])
    BYTES[_id] = _bytes
    SIGNALS[_id] = {
        name: (int(start), int(length), Decimal(scale or 1), Decimal(offset or 0))
        for name, start, length, scale, offset in SIGNAL.findall(_signals)
    }


def walk(start: int, length: int) -> Iterator[tuple[int, int]]:
    """(byte, bit) from the highest down: within a byte downwards, then the next byte's bit 7."""
    for _ in range(length):
        yield divmod(start, 8)
        start = start - 1 if start % 8 else start + 15


def decode(message: int, data: bytes) -> dict[str, float]:
    """Every signal of a message, as a number."""
    found = {}
    for name, (start, length, scale, offset) in SIGNALS[message].items():
        raw = 0
        for byte, bit in walk(start, length):
            raw = raw * 2 + (data[byte] >> bit & 1)
        found[name] = float(raw * scale + offset)
    return found


def encode(message: int, values: Mapping[str, float], size: int | None = None) -> bytes:
    """A message; signals that are not named are 0 raw."""
    data = bytearray(size or BYTES[message])
    for name, value in values.items():
        start, length, scale, offset = SIGNALS[message][name]
        raw = int((Decimal(str(value)) - offset) / scale)
        assert 0 <= raw < 1 << length, f"{name}: {value}"
        for place, (byte, bit) in enumerate(walk(start, length)):
            data[byte] |= (raw >> length - 1 - place & 1) << bit
    return bytes(data)


def text(line: str, at_s: float = 0.0) -> CanFrame:
    """A frame in candump's notation, `60A#0203E810`."""
    number, data = line.split("#")
    return CanFrame(int(number, 16), bytes.fromhex(data), at_s)


def frame(
    message: int, at_s: float = 0.0, sensor: int = 0, size: int | None = None, **values: float
) -> CanFrame:
    """A message of a sensor."""
    return CanFrame(message + 0x10 * sensor, encode(message, values, size), at_s)


def state(at_s: float = 0.0, sensor: int = 0, size: int | None = None, **values: float) -> CanFrame:
    """0x201 of a radar that sends objects."""
    return frame(
        0x201, at_s, sensor, size, **{"SensorID": sensor, "OutputType": 1, "MotionRxState": 3} | values
    )


OBJECT = {"DistLong": 40.0, "DistLat": 2.0, "VrelLong": -8.5, "VrelLat": 0.25, "DynProp": 2, "RCS": 10.0}
QUALITY = {"DistLong_rms": 14, "DistLat_rms": 15, "ProbOfExist": 5, "MeasState": 2}
EXTENDED = {
    "Class": 1,
    "Length": 4.6,
    "Width": 1.8,
    "OrientationAngle": -12.0,
    "ArelLong": 0.0,
    "ArelLat": 0.0,
}


def cycle(
    number: int,
    objects: Sequence[Mapping[str, float]],
    at_s: float = 0.0,
    sensor: int = 0,
    groups: str = "BCD",
    gap_s: float = 0.00025,
) -> list[CanFrame]:
    """60A, all 60B, all 60C, all 60D as on the bus; each object is its ID and what differs from the usual."""
    frames = [frame(0x60A, at_s, sensor, NofObjects=len(objects), MeasCounter=number, InterfaceVersion=1)]
    for letter in groups:
        message, usual = {"B": (0x60B, OBJECT), "C": (0x60C, QUALITY), "D": (0x60D, EXTENDED)}[letter]
        for own in objects:
            values = {name: own.get(name, usual.get(name, 0)) for name in ("ID", *usual)}
            frames.append(frame(message, at_s + gap_s * len(frames), sensor, **values))
    return frames
