"""How SNMP messages travel: bare in a datagram, or in PMPP frames on a line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.ntcip1202 import pmpp


@dataclass(frozen=True, slots=True)
class Carried:
    """A message as it came."""

    payload: bytes
    first_byte_s: float
    last_byte_s: float


class Datagrams:
    """One message a datagram."""

    def wrapped(self, message: bytes) -> bytes:
        """As it is."""
        return message

    def receive(self, data: bytes, now_s: float) -> Iterator[Carried | pmpp.Garbled]:
        """One datagram."""
        yield Carried(data, now_s, now_s)


class Pmpp:
    """Frames of one station; those of others are passed over."""

    def __init__(self, address: int, byte_s: float) -> None:
        self._address, self._deframer = address, pmpp.Deframer(byte_s)

    def wrapped(self, message: bytes) -> bytes:
        """The frame."""
        return pmpp.framed(self._address, message)

    def receive(self, data: bytes, now_s: float) -> Iterator[Carried | pmpp.Garbled]:
        """Whole messages that this chunk completes."""
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, pmpp.Garbled):
                yield found
            elif found.address == self._address:
                yield Carried(found.payload, found.first_byte_s, found.last_byte_s)
