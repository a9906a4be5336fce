"""GA/T 1743-2020 frames: layout, escapes, checksum (facts/controllers 3.1). Only queries can be encoded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from rsu_agent.wire.crc import Crc16
from rsu_agent.wire.rows import I32, U8, U16, U32, Layout

END, ESCAPE = 0xC0, 0xDB
CHECKSUM = Crc16(0x8005, 0xFFFF)
CHECKSUM_BYTES = 2
VERSION, TTL_S = 0x10, 0x3C
EVERYONE = 0xFFFF
CONTROLLER_TYPE = 0x1000
FROM_ROADSIDE = 0x0001  # link code bit 0: roadside V2X device
FROM_OTHER = 0x0004  # bit 2: another roadside device


class Operation(IntEnum):
    """What a frame does. Setting (0x81) is reserved by the standard and never sent."""

    QUERY = 0x80
    REPORT = 0x82
    REPLY = 0x83
    ERROR = 0x86
    BROADCAST = 0x87


TELLING = frozenset({Operation.REPORT, Operation.REPLY, Operation.BROADCAST})
ASKING = frozenset({0x80, 0x81})


class Item(IntEnum):
    """The objects that are read."""

    RUN_STATE = 0x0101
    CONTROL_MODE = 0x0102
    COLOURS = 0x0103
    THIS_CYCLE = 0x0301
    NEXT_CYCLE = 0x0302


@dataclass(frozen=True, slots=True)
class Address:
    """A sender or receiver: region as GB/T 2260 tells it, type bits, number (0xFFFF: all)."""

    region: int
    type_bits: int
    number: int

    def __bytes__(self) -> bytes:
        return (
            self.region.to_bytes(3, "little")
            + self.type_bits.to_bytes(2, "little")
            + self.number.to_bytes(2, "little")
        )


@dataclass(frozen=True, slots=True)
class Head:
    """From the link code to the reserved bytes, little-endian."""

    link: U16
    sender: Annotated[bytes, "7s"]
    receiver: Annotated[bytes, "7s"]
    utc_s: U32
    utc_rest: U16
    ttl_s: U8
    version: U8
    operation: U8
    item: U16
    signature: U8
    reserved: Annotated[bytes, "3s"]


@dataclass(frozen=True, slots=True)
class Place:
    """What stands before an object's body: length of the rest, position, height."""

    length: U16
    longitude: I32
    latitude: I32
    altitude: U16


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that passed its checks. body: the object's own bytes, empty in a query."""

    sender: Address
    receiver: Address
    utc_s: int
    utc_rest: int
    operation: int
    item: int
    body: bytes
    first_byte_s: float = 0.0
    last_byte_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise, long, gap, escape, short, checksum or body."""

    why: str
    size: int


HEAD, PLACE = Layout(Head, "<"), Layout(Place, "<")


def query(sender: Address, receiver: Address, item: Item, utc_s: int) -> bytes:
    """A query for one object, ready for the line."""
    link = FROM_ROADSIDE if sender.type_bits & 0x8000 else FROM_OTHER
    head = Head(
        link, bytes(sender), bytes(receiver), utc_s, 0, TTL_S, VERSION, Operation.QUERY, item, 0, bytes(3)
    )
    body = HEAD.write(head)
    body += CHECKSUM.of(body).to_bytes(CHECKSUM_BYTES, "little")
    escaped = body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return bytes([END]) + escaped + bytes([END])


def parse(escaped: bytes) -> Frame | Garbled:
    """What stands between two C0 bytes."""
    size = len(escaped)
    body = _unescaped(escaped)
    if body is None:
        return Garbled("escape", size)
    if len(body) < HEAD.size + CHECKSUM_BYTES:
        return Garbled("short", size)
    if CHECKSUM.of(body[:-CHECKSUM_BYTES]) != int.from_bytes(body[-CHECKSUM_BYTES:], "little"):
        return Garbled("checksum", size)
    head = HEAD.read(body)
    content = body[HEAD.size : -CHECKSUM_BYTES]
    return Frame(
        _address(head.sender),
        _address(head.receiver),
        head.utc_s,
        head.utc_rest,
        head.operation,
        head.item,
        content[PLACE.size :],
    )


def _unescaped(escaped: bytes) -> bytes | None:
    """None where an escape stands before anything but DC and DD."""
    if escaped.count(b"\xdb") != escaped.count(b"\xdb\xdc") + escaped.count(b"\xdb\xdd"):
        return None
    return escaped.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")


def _address(raw: bytes) -> Address:
    return Address(
        int.from_bytes(raw[:3], "little"),
        int.from_bytes(raw[3:5], "little"),
        int.from_bytes(raw[5:], "little"),
    )
