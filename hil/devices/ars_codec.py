"""CAN frames of the ARS408 and of NanoRadar's dialect, as the facts lay them out (facts/radars 2.1, 2.5)."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

RMS_M = (
    0.005, 0.006, 0.008, 0.011, 0.014, 0.018, 0.023, 0.029, 0.038, 0.049, 0.063, 0.081, 0.105, 0.135, 0.174,
    0.224, 0.288, 0.371, 0.478, 0.616, 0.794, 1.023, 1.317, 1.697, 2.187, 2.817, 3.630, 4.676, 6.025, 7.762,
    10.0,
)  # fmt: skip
RMS_DEG = (
    0.005, 0.007, 0.010, 0.014, 0.020, 0.029, 0.041, 0.058, 0.082, 0.116, 0.165, 0.234, 0.332, 0.471, 0.669,
    0.949, 1.346, 1.909, 2.709, 3.843, 5.451, 7.734, 10.971, 15.565, 22.081, 31.325, 44.439, 63.044, 89.437,
    126.881, 180.0,
)  # fmt: skip
SENSOR_STEP = 0x10


class Signal(NamedTuple):
    """start: byte * 8 + bit of the most significant bit, the bits of a byte counted from its low end."""

    start: int
    length: int
    scale: float = 1.0
    offset: float = 0.0


LONG, LAT = Signal(15, 13, 0.2, -500.0), Signal(18, 11, 0.2, -204.6)
CLUSTER_LAT = Signal(17, 10, 0.2, -102.3)
SPEED_LONG, SPEED_LAT = Signal(39, 10, 0.25, -128.0), Signal(45, 9, 0.25, -64.0)
ID, RCS, DYN = Signal(7, 8), Signal(63, 8, 0.5, -64.0), Signal(50, 3)
RMS_FRONT = {
    "long_rms": Signal(15, 5),
    "lat_rms": Signal(10, 5),
    "vlong_rms": Signal(21, 5),
    "vlat_rms": Signal(16, 5),
}
Layout = Mapping[str, Signal]

STATE: Layout = {
    "nvm_write": Signal(7, 1), "nvm_read": Signal(6, 1), "max_distance": Signal(15, 10, 2.0),
    "persistent_error": Signal(21, 1), "interference": Signal(20, 1), "temperature_error": Signal(19, 1),
    "temporary_error": Signal(18, 1), "voltage_error": Signal(17, 1), "power": Signal(25, 3),
    "sort": Signal(38, 3), "sensor": Signal(34, 3), "motion_rx": Signal(47, 2), "ext": Signal(45, 1),
    "quality": Signal(44, 1), "output": Signal(43, 2), "relay": Signal(41, 1), "rcs_threshold": Signal(60, 3),
}  # fmt: skip
VERSION: Layout = {
    "major": Signal(7, 8), "minor": Signal(15, 8), "patch": Signal(23, 8), "country": Signal(24, 1),
    "far": Signal(25, 1),
}  # fmt: skip
OBJECTS: Layout = {"count": Signal(7, 8), "counter": Signal(15, 16), "version": Signal(31, 4)}
OBJECT: Layout = {
    "id": ID, "long": LONG, "lat": LAT, "vlong": SPEED_LONG, "vlat": SPEED_LAT, "dyn": DYN, "rcs": RCS,
    "raw_b6_34": Signal(52, 2),
}  # fmt: skip
QUALITY: Layout = {
    "id": ID, **RMS_FRONT, "along_rms": Signal(27, 5), "alat_rms": Signal(38, 5),
    "orientation_rms": Signal(33, 5), "exists": Signal(55, 3), "state": Signal(52, 3),
}  # fmt: skip
EXTENDED: Layout = {
    "id": ID, "along": Signal(15, 11, 0.01, -10.0), "alat": Signal(20, 9, 0.01, -2.5), "kind": Signal(26, 3),
    "orientation": Signal(39, 10, 0.4, -180.0), "length": Signal(55, 8, 0.2), "width": Signal(63, 8, 0.2),
}  # fmt: skip
CLUSTERS: Layout = {
    "near": Signal(7, 8), "far": Signal(15, 8), "counter": Signal(23, 16), "version": Signal(39, 4),
}  # fmt: skip
CLUSTER: Layout = {
    "id": ID, "long": LONG, "lat": CLUSTER_LAT, "vlong": SPEED_LONG, "vlat": SPEED_LAT, "dyn": DYN,
    "rcs": RCS,
}  # fmt: skip
CLUSTER_QUALITY: Layout = {
    "id": ID, **RMS_FRONT, "false_alarm": Signal(26, 3), "invalid": Signal(39, 5), "ambiguous": Signal(34, 3),
}  # fmt: skip
CONFIG: Layout = {
    "max_distance": Signal(15, 10, 2.0), "sensor": Signal(34, 3), "output": Signal(36, 2),
    "power": Signal(39, 3), "store": Signal(47, 1), "sort": Signal(46, 3), "ext": Signal(43, 1),
    "quality": Signal(42, 1), "relay": Signal(41, 1), "rcs_threshold": Signal(51, 3),
}  # fmt: skip
VALID = {  # which bit says that a value of the configuration counts
    "store": Signal(7, 1), "sort": Signal(6, 1), "ext": Signal(5, 1), "quality": Signal(4, 1),
    "output": Signal(3, 1), "power": Signal(2, 1), "sensor": Signal(1, 1), "max_distance": Signal(0, 1),
    "relay": Signal(40, 1), "rcs_threshold": Signal(48, 1),
}  # fmt: skip


class Kind(NamedTuple):
    """A message: identifier of sensor 0, bytes, layout."""

    base: int
    size: int
    layout: Layout


MESSAGES = {
    "state": Kind(0x201, 8, STATE),
    "version": Kind(0x700, 4, VERSION),
    "objects": Kind(0x60A, 4, OBJECTS),
    "object": Kind(0x60B, 8, OBJECT),
    "quality": Kind(0x60C, 7, QUALITY),
    "extended": Kind(0x60D, 8, EXTENDED),
    "clusters": Kind(0x600, 5, CLUSTERS),
    "cluster": Kind(0x701, 8, CLUSTER),
    "cluster_quality": Kind(0x702, 5, CLUSTER_QUALITY),
}
CONFIG_ID, SPEED_ID, YAW_ID = 0x200, 0x300, 0x301


@dataclass(slots=True)
class RadarConfig:
    """What a 0x200 can change; output: 0 none, 1 objects, 2 clusters."""

    max_distance: float = 200.0
    sensor: int = 0
    output: int = 1
    power: int = 0
    sort: int = 1
    ext: int = 1
    quality: int = 1
    relay: int = 0
    rcs_threshold: int = 0


def put(data: int, size: int, signal: Signal, value: float) -> int:
    """The message as one big number with a value set into it, held to what the signal can say."""
    raw = round((value - signal.offset) / signal.scale)
    raw = max(0, min((1 << signal.length) - 1, raw))
    first = signal.start // 8 * 8 + 7 - signal.start % 8  # bits before the most significant one
    return data | raw << (8 * size - first - signal.length)


def get(data: bytes, signal: Signal) -> float:
    """A signal of a message, in its unit."""
    first = signal.start // 8 * 8 + 7 - signal.start % 8
    whole = int.from_bytes(data, "big") >> (8 * len(data) - first - signal.length)
    return (whole & ((1 << signal.length) - 1)) * signal.scale + signal.offset


def can_frame(name: str, sensor: int, values: Mapping[str, float], size: int | None = None) -> bytes:
    """A frame as identifier (two bytes, big endian) and data. size: longer where a dialect pads."""
    kind, data = MESSAGES[name], 0
    for key, value in values.items():
        data = put(data, kind.size, kind.layout[key], value)
    body = data.to_bytes(kind.size, "big")
    return struct.pack(">H", kind.base + SENSOR_STEP * sensor) + body.ljust(size or kind.size, b"\0")


def configured(config: RadarConfig, data: bytes) -> tuple[RadarConfig, bool]:
    """The configuration after a 0x200, and whether it is to be stored; too short a one changes nothing."""
    if len(data) < 8:
        return config, False
    said = {name: get(data, CONFIG[name]) for name, valid in VALID.items() if get(data, valid)}
    store = bool(said.pop("store", 0.0))
    now = {each.name: getattr(config, each.name) for each in fields(config)}
    kinds = {name: type(value) for name, value in now.items()}
    return RadarConfig(**now | {name: kinds[name](value) for name, value in said.items()}), store


def rms_code(sd: float, table: tuple[float, ...] = RMS_M) -> int:
    """The code whose upper bound is the next above; 31 where none is."""
    return bisect_left(table, sd)
