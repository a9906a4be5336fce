"""As much of BER as an SNMPv1 reader needs (X.690, RFC 1157)."""

from __future__ import annotations

from collections.abc import Iterator

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
UNSIGNED = frozenset({0x41, 0x42, 0x43})  # Counter, Gauge, TimeTicks
LONGEST_LENGTH = 3  # bytes of a long length; a datagram needs two
MOST_ARCS = 128  # RFC 2578

Oid = tuple[int, ...]
Value = int | bytes | Oid | None


class Malformed(ValueError):
    """Bytes that are no BER of this kind."""


def encoded(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    """Two's complement in as few bytes as hold it."""
    return encoded(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(arcs: Oid) -> bytes:
    """An object identifier."""
    content = bytearray()
    for arc in (arcs[0] * 40 + arcs[1], *arcs[2:]):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return encoded(OID, bytes(content))


def items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(tag, content) of everything that stands here one after the other. Raises Malformed."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise Malformed("cut")
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= LONGEST_LENGTH or at + count > len(data):
                raise Malformed("length")
            size = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + size > len(data):
            raise Malformed("cut")
        yield tag, data[at : at + size]
        at += size


def expected(data: bytes, *tags: int) -> list[bytes]:
    """Contents of exactly these items. Raises Malformed."""
    found = list(items(data))
    if [tag for tag, _ in found] != list(tags):
        raise Malformed(f"tags {[hex(tag) for tag, _ in found]}")
    return [content for _, content in found]


def number(content: bytes) -> int:
    """An INTEGER's value. Raises Malformed."""
    if not 1 <= len(content) <= 8:
        raise Malformed("integer")
    return int.from_bytes(content, "big", signed=True)


def arcs(content: bytes) -> Oid:
    """An object identifier's arcs. Raises Malformed."""
    found, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if arc > 0xFFFFFFFF:
            raise Malformed("arc")
        if not byte & 0x80:
            found.append(arc)
            arc = 0
    if not found or len(found) > MOST_ARCS or content[-1] & 0x80:
        raise Malformed("object identifier")
    first = min(found[0] // 40, 2)
    return (first, found[0] - 40 * first, *found[1:])


def value(tag: int, content: bytes) -> Value:
    """A variable's value; of a type that is not known here its bytes. Raises Malformed."""
    if tag == INTEGER:
        return number(content)
    if tag in UNSIGNED:
        return int.from_bytes(content[-8:], "big")
    if tag == OID:
        return arcs(content)
    return None if tag == NULL else content
