"""The virtual controller's own BER: just what an SNMPv1 message is made of."""

from __future__ import annotations

from dataclasses import dataclass

INTEGER, OCTETS, NULL, OID, SEQUENCE, TICKS = 0x02, 0x04, 0x05, 0x06, 0x30, 0x43
GET, GET_NEXT, RESPONSE, SET = 0xA0, 0xA1, 0xA2, 0xA3
PDUS = frozenset({GET, GET_NEXT, RESPONSE, SET})
MOST_ARC = 0xFFFFFFFF
Oid = tuple[int, ...]


class UnreadableError(Exception):
    """These bytes are not what they should be; never leaves `read_message`."""


@dataclass(frozen=True, slots=True)
class Varbind:
    """An object's name and its value as encoded, tag and all: whatever was asked can be said back."""

    oid: Oid
    value: bytes


@dataclass(frozen=True, slots=True)
class SnmpMessage:
    """version counts from 0 (SNMPv1); error and index are 0 in requests."""

    version: int
    community: bytes
    pdu: int  # one of PDUS
    request: int
    error: int
    index: int
    varbinds: tuple[Varbind, ...]


def element(tag: int, content: bytes) -> bytes:
    """Tag, length in its shortest form, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    long = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(long))) + long + content


def integer(number: int, tag: int = INTEGER) -> bytes:
    """Two's complement in the fewest octets: 0xDD takes two."""
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return element(tag, number.to_bytes(size, "big", signed=True))


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return element(OCTETS, content)


def ticks(hundredths: int) -> bytes:
    """TimeTicks: hundredths of a second, wrapping at 32 bits."""
    return integer(hundredths & 0xFFFFFFFF, TICKS)


def null() -> bytes:
    """What stands for the value in a request."""
    return element(NULL, b"")


def oid(arcs: Oid) -> bytes:
    """An OBJECT IDENTIFIER of at least two arcs."""
    return element(OID, b"".join(_arc(arc) for arc in (arcs[0] * 40 + arcs[1], *arcs[2:])))


def _arc(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(0x80 | (number & 0x7F))
    return bytes(reversed(groups))


def build_message(message: SnmpMessage) -> bytes:
    """The bytes of one message."""
    rows = b"".join(element(SEQUENCE, oid(row.oid) + row.value) for row in message.varbinds)
    body = integer(message.request) + integer(message.error) + integer(message.index)
    pdu = element(message.pdu, body + element(SEQUENCE, rows))
    return element(SEQUENCE, integer(message.version) + octets(message.community) + pdu)


def read_message(data: bytes) -> SnmpMessage | None:
    """The message that these bytes are, whole and alone, of any version; None: they are no such thing."""
    try:
        outer = _Cursor(data)
        inner = _Cursor(outer.content(SEQUENCE))
        outer.ended()
        version, community = inner.integer(), inner.content(OCTETS)
        pdu, content = inner.element()
        inner.ended()
        if pdu not in PDUS:
            return None
        fields = _Cursor(content)
        request, error, index = fields.integer(), fields.integer(), fields.integer()
        rows = _Cursor(fields.content(SEQUENCE))
        fields.ended()
        varbinds = []
        while rows.left():
            varbinds.append(_varbind(_Cursor(rows.content(SEQUENCE))))
    except UnreadableError:
        return None
    return SnmpMessage(version, community, pdu, request, error, index, tuple(varbinds))


def _varbind(row: _Cursor) -> Varbind:
    name = read_oid(row.content(OID))
    value = element(*row.element())
    row.ended()
    return Varbind(name, value)


def read_oid(content: bytes) -> Oid:
    """Arcs of an OID's content. Raises UnreadableError."""
    arcs: list[int] = []
    arc = 0
    for octet in content:
        if arc == 0 and octet == 0x80:  # padding
            raise UnreadableError
        arc = arc << 7 | octet & 0x7F
        if arc > MOST_ARC:
            raise UnreadableError
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    if not content or content[-1] & 0x80:
        raise UnreadableError
    first = min(arcs[0] // 40, 2)
    return (first, arcs[0] - 40 * first, *arcs[1:])


class _Cursor:
    """Reads elements one after another out of bytes; definite lengths only."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def left(self) -> bool:
        return self._at < len(self._data)

    def ended(self) -> None:
        if self.left():
            raise UnreadableError

    def take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise UnreadableError
        self._at += count
        return taken

    def element(self) -> tuple[int, bytes]:
        tag, size = self.take(2)
        if size >= 0x80:
            if not 0x81 <= size <= 0x84:  # 0x80 is the indefinite length
                raise UnreadableError
            size = int.from_bytes(self.take(size & 0x7F), "big")
        return tag, self.take(size)

    def content(self, tag: int) -> bytes:
        found, content = self.element()
        if found != tag:
            raise UnreadableError
        return content

    def integer(self) -> int:
        content = self.content(INTEGER)
        if not 1 <= len(content) <= 5:
            raise UnreadableError
        return int.from_bytes(content, "big", signed=True)
