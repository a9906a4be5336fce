"""chronyd's command protocol, version 6: the tracking request and its reply (layout of candm.h)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

VERSION, REQUEST, REPLY = 6, 1, 2
TRACKING_COMMAND, TRACKING_REPLY = 33, 5
REPLY_BYTES = 104
LOCAL_REFERENCE = 0x7F7F01  # upper three bytes: chronyd serves its own undisciplined clock
LEAPS = {0: "none", 1: "insert", 2: "delete", 3: "unsynchronised"}
COEFFICIENT_BITS, EXPONENT_BITS = 25, 7


@dataclass(frozen=True, slots=True)
class Tracking:
    """What chronyd says of the system clock; seconds."""

    reference: int
    stratum: int
    leap: str
    correction_s: float
    root_delay_s: float
    root_dispersion_s: float


class NotTracking(ValueError):
    """A datagram that is no tracking reply to our request."""


def request(sequence: int) -> bytes:
    """A tracking request, padded to the size of its reply so that it cannot amplify."""
    head = struct.pack(">BBBBHHIII", VERSION, REQUEST, 0, 0, TRACKING_COMMAND, 0, sequence, 0, 0)
    return head.ljust(REPLY_BYTES, b"\0")


def chrony_float(raw: int) -> float:
    """7 bits of signed exponent, 25 bits of signed coefficient."""
    exponent = raw >> COEFFICIENT_BITS
    if exponent >= 1 << EXPONENT_BITS - 1:
        exponent -= 1 << EXPONENT_BITS
    coefficient = raw & ((1 << COEFFICIENT_BITS) - 1)
    if coefficient >= 1 << COEFFICIENT_BITS - 1:
        coefficient -= 1 << COEFFICIENT_BITS
    return coefficient * 2.0 ** (exponent - COEFFICIENT_BITS)


def read_reply(data: bytes, sequence: int) -> Tracking:
    """The reply to our request. Raises NotTracking."""
    if len(data) < REPLY_BYTES:
        raise NotTracking(f"{len(data)} bytes")
    version, kind, _, _, command, reply, status, _, _, _, answered = struct.unpack_from(">BBBBHHHHHHI", data)
    if (version, kind, command, reply) != (VERSION, REPLY, TRACKING_COMMAND, TRACKING_REPLY) or status:
        raise NotTracking(f"version {version} kind {kind} command {command} reply {reply} status {status}")
    if answered != sequence:
        raise NotTracking("an answer to another request")
    (reference,) = struct.unpack_from(">I", data, 28)
    stratum, leap = struct.unpack_from(">HH", data, 52)
    floats = struct.unpack_from(">9I", data, 68)
    correction, *_, delay, dispersion, _ = (chrony_float(raw) for raw in floats)
    return Tracking(reference, stratum, LEAPS.get(leap, "unsynchronised"), correction, delay, dispersion)
