"""The virtual controller's own reading of GA/T 1743-2020: frames and object bodies."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

EVERYBODY = 0xFFFF
LONGEST = 4096
_FIXED = struct.Struct("<H3sHH3sHHIHBBBHB3s")  # from the link code on, 31 bytes


def check(data: bytes) -> int:
    """x^16 + x^15 + x^2 + 1 from FFFF, bit by bit, most significant first."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1 ^ 0x8005) & 0xFFFF if register & 0x8000 else register << 1
    return register


@dataclass(frozen=True)
class Told:
    """A frame's content. Regions as integers, types by their bit, numbers."""

    from_type: int
    from_number: int
    to_type: int
    to_number: int
    operation: int
    item: int
    utc_s: int = 0
    rest: int = 0
    region: int = 440310
    body: bytes | None = None  # None: nothing follows the head, as in a question


def build(told: Told, *, link: int = 8) -> bytes:
    """The bytes of one frame."""
    region = told.region.to_bytes(3, "little")
    data = _FIXED.pack(
        link, region, told.from_type, told.from_number, region, told.to_type, told.to_number,
        told.utc_s, told.rest, 60, 0x10, told.operation, told.item, 0, b"\0\0\0",
    )  # fmt: skip
    if told.body is not None:
        place = struct.pack("<iiH", 1_143_400_000, 226_900_000, 20)
        data += struct.pack("<H", len(place) + len(told.body)) + place + told.body
    data += struct.pack("<H", check(data))
    escaped = b"".join({0xC0: b"\xdb\xdc", 0xDB: b"\xdb\xdd"}.get(b, bytes([b])) for b in data)
    return b"\xc0" + escaped + b"\xc0"


class Reader:
    """Takes bytes as they come, gives whole frames; counts what it cannot read."""

    def __init__(self) -> None:
        self._held = bytearray()
        self.bad = 0

    def feed(self, data: bytes) -> Iterator[Told]:
        """Frames that these bytes complete."""
        for byte in data:
            if byte != 0xC0:
                if len(self._held) < LONGEST:
                    self._held.append(byte)
                continue
            raw, self._held = bytes(self._held), bytearray()
            if raw:
                told = _read(raw)
                self.bad += told is None
                if told is not None:
                    yield told


def _read(raw: bytes) -> Told | None:
    plain = bytearray()
    following = iter(raw)
    for byte in following:
        if byte == 0xDB:
            byte = {0xDC: 0xC0, 0xDD: 0xDB}.get(next(following, 0), -1)
            if byte < 0:
                return None
        plain.append(byte)
    if len(plain) < _FIXED.size + 2 or check(bytes(plain[:-2])) != int.from_bytes(plain[-2:], "little"):
        return None
    (_, region, from_type, from_number, _, to_type, to_number, utc_s, rest, _, _, operation, item, _, _) = (
        _FIXED.unpack_from(plain)
    )
    body = bytes(plain[_FIXED.size + 12 : -2]) if len(plain) > _FIXED.size + 14 else None
    number = int.from_bytes(region, "little")
    return Told(from_type, from_number, to_type, to_number, operation, item, utc_s, rest, number, body)
