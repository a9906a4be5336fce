"""SNMPv1 messages (RFC 1157): a GetRequest out, a GetResponse in. No other request can be encoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.ntcip1202 import ber
from drivers.ntcip1202.ber import Malformed, Oid, Value

VERSION_1 = 0
GET_REQUEST, GET_RESPONSE = 0xA0, 0xA2
REQUESTS = frozenset({0xA0, 0xA1, 0xA3})  # get, get-next and set of somebody else
TOO_BIG, NO_SUCH_NAME = 1, 2  # error-status


@dataclass(frozen=True, slots=True)
class Message:
    """A message of any kind. error_index counts from 1; values in the order of the message."""

    kind: int
    request: int
    error: int
    error_index: int
    values: tuple[tuple[Oid, Value], ...]


def get(community: str, request: int, oids: Sequence[Oid]) -> bytes:
    """A GetRequest for these objects."""
    variables = b"".join(ber.encoded(ber.SEQUENCE, ber.oid(each) + bytes([ber.NULL, 0])) for each in oids)
    pdu = ber.integer(request) + ber.integer(0) + ber.integer(0) + ber.encoded(ber.SEQUENCE, variables)
    body = ber.integer(VERSION_1) + ber.encoded(ber.OCTETS, community.encode("latin-1"))
    return ber.encoded(ber.SEQUENCE, body + ber.encoded(GET_REQUEST, pdu))


def parse(data: bytes) -> Message:
    """A whole message. Raises Malformed for anything else, other versions among it."""
    (body,) = ber.expected(data, ber.SEQUENCE)
    parts = list(ber.items(body))
    if [tag for tag, _ in parts[:2]] != [ber.INTEGER, ber.OCTETS] or len(parts) != 3:
        raise Malformed("message")
    if ber.number(parts[0][1]) != VERSION_1:
        raise Malformed("version")
    kind, pdu = parts[2]
    if kind != GET_RESPONSE and kind not in REQUESTS:
        raise Malformed(f"kind {kind:#04x}")
    fields = ber.expected(pdu, ber.INTEGER, ber.INTEGER, ber.INTEGER, ber.SEQUENCE)
    request, error, index = (ber.number(field) for field in fields[:3])
    return Message(kind, request, error, index, tuple(_variable(*item) for item in ber.items(fields[3])))


def _variable(tag: int, content: bytes) -> tuple[Oid, Value]:
    pair = list(ber.items(content))
    if tag != ber.SEQUENCE or len(pair) != 2 or pair[0][0] != ber.OID:
        raise Malformed("variable")
    return ber.arcs(pair[0][1]), ber.value(*pair[1])
