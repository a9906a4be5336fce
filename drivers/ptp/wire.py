"""PTP management messages (IEEE 1588-2008 clause 15, linuxptp's tlv.h): questions out, data sets in.

The only action there is here is GET: no function takes another one, so nothing can be set or commanded.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

MANAGEMENT, VERSION, CONTROL, NO_INTERVAL = 0x0D, 2, 4, 0x7F
GET, RESPONSE = 0, 2
TLV_MANAGEMENT = 0x0001
OUR_PORT = 1
EVERY_PORT = b"\xff" * 10
HEAD = struct.Struct(">BBHBxHq4x8sHHBb")
ADDRESS = struct.Struct(">10sBBBx")
TLV = struct.Struct(">HHH")
FRONT_BYTES = HEAD.size + ADDRESS.size + TLV.size

LEAP_61, LEAP_59, UTC_VALID, PTP_TIMESCALE, TIME_TRACEABLE = 1, 2, 4, 8, 16
LEAPS = {0: "none", LEAP_61: "insert", LEAP_59: "delete"}  # both at once is nonsense
MASTER, SLAVE = 6, 9  # portState, table 8 of IEEE 1588-2008
PRIMARY_REFERENCE = 6  # clockClass of a clock that follows its primary reference now
SCALED_NANOSECONDS = 65_536e9  # a TimeInterval is nanoseconds times 2**16

# clockAccuracy, table 6 of IEEE 1588-2008 and table 5 of 2019: within so many seconds; others are not known.
ACCURACY_S = {
    0x17: 1e-12, 0x18: 2.5e-12, 0x19: 1e-11, 0x1A: 2.5e-11, 0x1B: 1e-10, 0x1C: 2.5e-10, 0x1D: 1e-9,
    0x1E: 2.5e-9, 0x1F: 1e-8, 0x20: 2.5e-8, 0x21: 1e-7, 0x22: 2.5e-7, 0x23: 1e-6, 0x24: 2.5e-6,
    0x25: 1e-5, 0x26: 2.5e-5, 0x27: 1e-4, 0x28: 2.5e-4, 0x29: 1e-3, 0x2A: 2.5e-3, 0x2B: 1e-2,
    0x2C: 2.5e-2, 0x2D: 0.1, 0x2E: 0.25, 0x2F: 1.0, 0x30: 10.0,
}  # fmt: skip


class DataSet(IntEnum):
    """managementId of what we ask for; TIME_STATUS is linuxptp's own."""

    DEFAULT = 0x2000
    CURRENT = 0x2001
    PARENT = 0x2002
    TIME_PROPERTIES = 0x2003
    PORT = 0x2004
    TIME_STATUS = 0xC000


@dataclass(frozen=True, slots=True)
class Default:
    """The clock that answers: how many ports it has, and its identity."""

    ports: int
    identity: bytes


@dataclass(frozen=True, slots=True)
class Current:
    """offset_s: our clock minus the master's; delay_s: mean path delay, one way."""

    offset_s: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class Parent:
    """The grandmaster as it describes itself."""

    grandmaster: bytes
    clock_class: int
    clock_accuracy: int


@dataclass(frozen=True, slots=True)
class TimeProperties:
    """What the grandmaster says of UTC; utc_offset_s: TAI minus UTC. leap `unsynchronised`: nonsense."""

    utc_offset_s: int
    leap: str
    utc_valid: bool
    ptp_timescale: bool
    traceable: bool


@dataclass(frozen=True, slots=True)
class Port:
    """One port and its portState."""

    number: int
    state: int


@dataclass(frozen=True, slots=True)
class TimeStatus:
    """ingress_ns: when the newest Sync came, by the clock that ptp4l steers; 0: never."""

    ingress_ns: int
    grandmaster: bytes


Answer = Default | Current | Parent | TimeProperties | Port | TimeStatus


class NotAnAnswer(ValueError):
    """A datagram that is no answer to our question."""


def question(data_set: DataSet, sequence: int, domain: int = 0, transport_specific: int = 0) -> bytes:
    """GET of one data set, addressed to every port and going no further than this machine."""
    body = bytes(_LAYOUTS[data_set].size)  # as the standard asks: as long as the answer, and empty
    head = HEAD.pack(
        transport_specific << 4 | MANAGEMENT,
        VERSION,
        FRONT_BYTES + len(body),
        domain,
        0,
        0,
        bytes(8),
        OUR_PORT,
        sequence,
        CONTROL,
        NO_INTERVAL,
    )
    return (
        head + ADDRESS.pack(EVERY_PORT, 0, 0, GET) + TLV.pack(TLV_MANAGEMENT, 2 + len(body), data_set) + body
    )


def read_answer(data: bytes, data_set: DataSet, sequence: int) -> Answer:
    """The answer to that question. Raises NotAnAnswer, also for a refusal of it."""
    layout = _LAYOUTS[data_set]
    if len(data) < FRONT_BYTES + layout.size:
        raise NotAnAnswer(f"{len(data)} bytes")
    kind, version, _, _, _, _, _, _, answered, _, _ = HEAD.unpack_from(data)
    target, _, _, action = ADDRESS.unpack_from(data, HEAD.size)
    tlv, _, told = TLV.unpack_from(data, HEAD.size + ADDRESS.size)
    if (kind & 0x0F, version & 0x0F, action & 0x0F) != (MANAGEMENT, VERSION, RESPONSE):
        raise NotAnAnswer(f"type {kind:#x} version {version:#x} action {action}")
    if (tlv, told, answered) != (TLV_MANAGEMENT, data_set, sequence) or target != _OURSELVES:
        raise NotAnAnswer(f"TLV {tlv} of {told:#x}, sequence {answered}")
    return _READERS[data_set](layout.unpack_from(data, FRONT_BYTES))


_OURSELVES = struct.pack(">8sH", bytes(8), OUR_PORT)
_LAYOUTS = {
    DataSet.DEFAULT: struct.Struct(">BxHBBBHB8sBx"),
    DataSet.CURRENT: struct.Struct(">Hqq"),
    DataSet.PARENT: struct.Struct(">8sHBxHIBBBHB8s"),
    DataSet.TIME_PROPERTIES: struct.Struct(">hBB"),
    DataSet.PORT: struct.Struct(">8sHBbqbBbBbB"),
    DataSet.TIME_STATUS: struct.Struct(">qqiiH12si8s"),
}


def _time_properties(fields: tuple[int, ...]) -> TimeProperties:
    offset_s, flags, _ = fields
    leap = LEAPS.get(flags & (LEAP_61 | LEAP_59), "unsynchronised")
    held = [bool(flags & bit) for bit in (UTC_VALID, PTP_TIMESCALE, TIME_TRACEABLE)]
    return TimeProperties(offset_s, leap, *held)


_READERS: dict[DataSet, Callable[..., Answer]] = {
    DataSet.DEFAULT: lambda fields: Default(fields[1], fields[7]),
    DataSet.CURRENT: lambda fields: Current(fields[1] / SCALED_NANOSECONDS, fields[2] / SCALED_NANOSECONDS),
    DataSet.PARENT: lambda fields: Parent(fields[10], fields[6], fields[7]),
    DataSet.TIME_PROPERTIES: _time_properties,
    DataSet.PORT: lambda fields: Port(fields[1], fields[2]),
    DataSet.TIME_STATUS: lambda fields: TimeStatus(fields[1], fields[7]),
}
