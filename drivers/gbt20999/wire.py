"""GB/T 20999-2017 frames: layout, addresses, checksums. Only what a reader may send can be encoded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import NamedTuple

from rsu_agent.wire.crc import Crc16
from rsu_agent.wire.rows import U8, U16, U32, Layout

START, END, ESCAPE = 0x7E, 0x7D, 0x5C
WRITING_CLASSES = frozenset({17, 18})  # centre control and command pipe: never addressed by us
MOST_VALUES = 255  # the count is one byte
ADDRESS_BYTES = 4
OVERHEAD_BYTES = 17  # start to count, checksum, end


class Kind(IntEnum):
    """Frame types that are understood (clause numbers unknown; facts 1.2). There is none for setting."""

    QUERY = 0x10
    REPLY = 0x20
    ERROR_REPLY = 0x21
    TRAP = 0x60
    HEARTBEAT_QUERY = 0x70
    HEARTBEAT_REPLY_OTHER = 0x71  # one public tool's reply
    HEARTBEAT_REPLY = 0x80


FOREIGN_KINDS = frozenset({0x10, 0x30, 0x40, 0x41})  # only another master asks, sets or is told of a set


class Sendable(IntEnum):
    """All that ever leaves us."""

    QUERY = Kind.QUERY
    HEARTBEAT_REPLY = Kind.HEARTBEAT_REPLY


class Checksum(Enum):
    """CRC variants seen; the first is verified on recorded frames (facts 1.1)."""

    X1005 = "1005"
    X1021 = "1021"

    @property
    def crc(self) -> Crc16:
        """The calculator."""
        return _CRCS[self]


_CRCS = {Checksum.X1005: Crc16(0x1005, 0x0000), Checksum.X1021: Crc16(0x1021, 0xFFFF)}


class Address(NamedTuple):
    """Where a value lives: class.object.attribute.element."""

    data_class: int
    item: int
    attribute: int = 0
    element: int = 0

    def __str__(self) -> str:
        return ".".join(str(part) for part in self)


class Value(NamedTuple):
    """One data value as it stands in a frame."""

    address: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame that passed its checks. kind may be a type we do not know.

    first_byte_s, last_byte_s: monotonic instants at which its first byte left the sender and its last
    byte was taken from the line.
    """

    kind: int
    version: int
    host: int
    controller: int
    crossing: int
    sequence: int
    values: tuple[Value, ...]
    first_byte_s: float = 0.0
    last_byte_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame. why: noise, cut, long, gap, length, checksum or values."""

    why: str
    size: int


@dataclass(frozen=True, slots=True)
class Dialect:
    """How this controller's frames are written (facts 1.1): checksum, escapes, what the length counts."""

    checksum: Checksum = Checksum.X1005
    escaped: bool = True
    length_counts_checksum: bool = True


@dataclass(frozen=True, slots=True)
class Head:
    """What follows the start byte."""

    length: U16
    version: U16
    host: U8
    controller: U32
    crossing: U8
    sequence: U8
    kind: U8


@dataclass(frozen=True, slots=True)
class Identity:
    """The addresses that a sender writes into each frame."""

    version: int = 0x0100
    host: int = 1
    controller: int = 0
    crossing: int = 0


HEAD = Layout(Head, ">")
CHECKSUM_BYTES = 2
_BODY_AFTER_LENGTH = HEAD.size - 2 + CHECKSUM_BYTES
_ESCAPED = re.compile(rb"\x5c(.)", re.DOTALL)
_SPECIAL = re.compile(rb"([\x5c\x7d\x7e])")


def query(identity: Identity, sequence: int, addresses: Iterable[Address], dialect: Dialect) -> bytes:
    """A query for 1 to 255 values, ready for the line.

    Raises ValueError for none or too many, and for classes that exist to command.
    """
    asked = tuple(addresses)
    if not 1 <= len(asked) <= MOST_VALUES:
        raise ValueError(f"a query holds 1 to {MOST_VALUES} values, not {len(asked)}")
    for address in asked:
        if address.data_class in WRITING_CLASSES:
            raise ValueError(f"{address}: class {address.data_class} commands; it is never addressed")
    values = b"".join(bytes([index, ADDRESS_BYTES, *address]) for index, address in enumerate(asked, start=1))
    return _frame(Sendable.QUERY, identity, sequence, bytes([len(asked)]) + values, dialect)


def heartbeat_reply(identity: Identity, sequence: int, dialect: Dialect) -> bytes:
    """The answer to a heartbeat query, without a count (facts 1.2)."""
    return _frame(Sendable.HEARTBEAT_REPLY, identity, sequence, b"", dialect)


def parse(escaped: bytes | bytearray, checksum: Checksum) -> Frame | Garbled:
    """What stands between a start and an end byte, still escaped."""
    read = parse_plain(_ESCAPED.sub(rb"\1", bytes(escaped)), checksum)
    return read if isinstance(read, Frame) else Garbled(read.why, len(escaped))


def parse_plain(body: bytes, checksum: Checksum) -> Frame | Garbled:
    """What stands between a start and an end byte where nothing is escaped."""
    if len(body) < HEAD.size + CHECKSUM_BYTES:
        return Garbled("length", len(body))
    head = HEAD.read(body)
    if head.length not in (len(body) - 2, len(body) - 2 - CHECKSUM_BYTES):  # without CRC: one public code
        return Garbled("length", len(body))
    if checksum.crc.of(body[:-CHECKSUM_BYTES]) != int.from_bytes(body[-CHECKSUM_BYTES:], "big"):
        return Garbled("checksum", len(body))
    values = _values(body[HEAD.size : -CHECKSUM_BYTES])
    if values is None:
        return Garbled("values", len(body))
    return Frame(head.kind, head.version, head.host, head.controller, head.crossing, head.sequence, values)


def _values(data: bytes) -> tuple[Value, ...] | None:
    """The data values behind the count; a heartbeat may lack the count itself."""
    if not data:
        return ()
    values, at = [], 1
    while at < len(data):
        if at + 2 > len(data) or data[at + 1] < ADDRESS_BYTES or at + 2 + data[at + 1] > len(data):
            return None
        end = at + 2 + data[at + 1]
        values.append(Value(Address(*data[at + 2 : at + 6]), data[at + 6 : end]))
        at = end
    return tuple(values) if len(values) == data[0] else None


def _frame(kind: Sendable, identity: Identity, sequence: int, rest: bytes, dialect: Dialect) -> bytes:
    counted = _BODY_AFTER_LENGTH if dialect.length_counts_checksum else _BODY_AFTER_LENGTH - CHECKSUM_BYTES
    head = Head(
        counted + len(rest),
        identity.version,
        identity.host,
        identity.controller,
        identity.crossing,
        sequence & 0xFF,
        kind,
    )
    body = HEAD.write(head) + rest
    body += dialect.checksum.crc.of(body).to_bytes(CHECKSUM_BYTES, "big")
    return bytes([START]) + (_SPECIAL.sub(rb"\\\1", body) if dialect.escaped else body) + bytes([END])
