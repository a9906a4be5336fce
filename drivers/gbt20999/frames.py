"""GB/T 20999-2017 frames: bytes and time in, frames out. Only queries can be made here, never a setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drivers.gbt20999.values import QUERY, Ident
from rsu_agent.wire.crc import Crc16

START, END, ESCAPE = 0x7E, 0x7D, 0x5C
LARGEST_FRAME = 2048
LONGEST_GAP_S = 0.2  # between two bytes of one frame
HEAD = 12  # length, version, host, controller, crossing, sequence, type
CRC_VARIANTS = {"1005": Crc16(0x1005).of, "1021": Crc16(0x1021, 0xFFFF).of}
MOST_VALUES = 255


@dataclass(frozen=True, slots=True)
class Value:
    """One data value."""

    ident: Ident
    data: bytes


@dataclass(frozen=True, slots=True)
class Frame:
    """One good frame; first_byte_s and last_byte_s as in SignalReport."""

    type: int
    host: int
    controller: int
    crossing: int
    sequence: int
    values: tuple[Value, ...]
    first_byte_s: float
    last_byte_s: float


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes that are no frame, and why."""

    reason: str
    size: int


class Deframer:
    """Finds frames in any split of the bytes; noise never costs the next good frame."""

    def __init__(self, baud: int, crc: str = "1005") -> None:
        self._byte_s = 10 / baud
        self._crc = CRC_VARIANTS[crc]
        self._body: bytearray | None = None
        self._escaped = False
        self._start_s = 0.0
        self._last_s = 0.0
        self._noise = 0

    def receive(self, data: bytes, first_byte_s: float, arrived_s: float) -> Iterator[Frame | Garbled]:
        """Frames completed by these bytes."""
        if self._body is not None and first_byte_s - self._last_s > LONGEST_GAP_S:
            yield self._drop("gap")
        self._last_s = arrived_s
        for index, byte in enumerate(data):
            event = self._byte(byte, first_byte_s + index * self._byte_s, arrived_s)
            if event is not None:
                yield event

    def _byte(self, byte: int, at_s: float, arrived_s: float) -> Frame | Garbled | None:
        body = self._body
        if body is None:
            if byte != START:
                self._noise += 1
                return None
            return self._begin(at_s)
        if self._escaped:
            self._escaped = False
            body.append(byte)
        elif byte == ESCAPE:
            self._escaped = True
        elif byte == START:
            dropped = self._drop("cut") if body else None
            self._begin(at_s)
            return dropped
        elif byte == END:
            self._body = None
            return self._frame(bytes(body), arrived_s)
        else:
            body.append(byte)
        return self._drop("too_long") if len(body) > LARGEST_FRAME else None

    def _begin(self, at_s: float) -> Garbled | None:
        self._body, self._escaped, self._start_s = bytearray(), False, at_s
        noise, self._noise = self._noise, 0
        return Garbled("noise", noise) if noise else None

    def _drop(self, reason: str) -> Garbled:
        size = len(self._body or b"")
        self._body = None
        return Garbled(reason, size)

    def _frame(self, body: bytes, arrived_s: float) -> Frame | Garbled:
        size = len(body)
        if size < HEAD + 2:
            return Garbled("short", size)
        if int.from_bytes(body[:2], "big") not in (size - 2, size - 4):
            return Garbled("length", size)
        if self._crc(body[:-2]) != int.from_bytes(body[-2:], "big"):
            return Garbled("crc", size)
        try:
            values = tuple(_values(body[HEAD:-2]))
        except ValueError as error:
            return Garbled(str(error), size)
        return Frame(
            type=body[11],
            host=body[4],
            controller=int.from_bytes(body[5:9], "big"),
            crossing=body[9],
            sequence=body[10],
            values=values,
            first_byte_s=self._start_s,
            last_byte_s=arrived_s,
        )


def _values(data: bytes) -> Iterator[Value]:
    """Data values after the type byte; a heartbeat may have no count at all."""
    if not data:
        return
    at = 1
    for _ in range(data[0]):
        if at + 6 > len(data):
            raise ValueError("values")
        size = data[at + 1]
        end = at + 2 + size
        if size < 4 or end > len(data):
            raise ValueError("values")
        yield Value(Ident(*data[at + 2 : at + 6]), data[at + 6 : end])
        at = end
    if at != len(data):
        raise ValueError("values")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Who speaks to whom."""

    version: int = 0x0100
    host: int = 5
    controller: int = 0
    crossing: int = 0


def query(idents: Sequence[Ident], addresses: Addresses, sequence: int, crc: str = "1005") -> bytes:
    """A query frame for these values, escaped for a serial line."""
    if not 0 < len(idents) <= MOST_VALUES:
        raise ValueError(f"{len(idents)} values in one query; 1 to {MOST_VALUES} are possible")
    values = b"".join(bytes([index, 4, *ident]) for index, ident in enumerate(idents, 1))
    rest = (
        addresses.version.to_bytes(2, "big")
        + bytes([addresses.host])
        + addresses.controller.to_bytes(4, "big")
        + bytes([addresses.crossing, sequence & 0xFF, QUERY, len(idents)])
        + values
    )
    body = (len(rest) + 2).to_bytes(2, "big") + rest
    body += CRC_VARIANTS[crc](body).to_bytes(2, "big")
    return bytes([START]) + escape(body) + bytes([END])


def escape(body: bytes) -> bytes:
    """0x5C before any 0x7E, 0x7D or 0x5C; the byte itself stays."""
    return b"".join(bytes([ESCAPE, b]) if b in (START, END, ESCAPE) else bytes([b]) for b in body)
