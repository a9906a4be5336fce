"""JPEG in RTP packets (RFC 2435), written from the RFC: a picture in, packets out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 26
LARGEST_PAYLOAD = 1400
LARGEST_SIDE = 255 * 8
IN_BAND_TABLES = 255  # Q: each picture brings its quantisation tables
SAMPLINGS = {0x21: 0, 0x22: 1}  # luma's factors -> type: 4:2:2 and 4:2:0
SOI, EOI, SOF0, DQT, SOS, DRI = 0xD8, 0xD9, 0xC0, 0xDB, 0xDA, 0xDD


@dataclass(frozen=True, slots=True)
class Parts:
    """What RTP carries of a picture: the receiver makes the head of the file itself."""

    kind: int
    width: int
    height: int
    tables: bytes
    scan: bytes


def parts_of(jpeg: bytes) -> Parts:
    """Take a baseline picture apart, with the standard Huffman tables. Raises ValueError."""
    if jpeg[:2] != bytes([0xFF, SOI]):
        raise ValueError("no JPEG")
    tables: dict[int, bytes] = {}
    at, shape = 2, None
    while True:
        mark, kind, length = struct.unpack_from(">BBH", jpeg, at)
        body, at = jpeg[at + 4 : at + 2 + length], at + 2 + length
        if mark != 0xFF:
            raise ValueError("no marker where one must be")
        if kind == DQT:
            tables.update(_tables(body))
        elif kind == SOF0:
            shape = _shape(body)
        elif kind == DRI and body != b"\0\0":
            raise ValueError("restart intervals are not carried")
        elif kind == SOS:
            break
    if shape is None or not {0, 1} <= set(tables):
        raise ValueError("no baseline picture of one scan")
    end = jpeg.rfind(bytes([0xFF, EOI]))
    return Parts(*shape, tables[0] + tables[1], jpeg[at : end if end > at else len(jpeg)])


def carried(width: int, height: int) -> bool:
    """Whether pictures of this size fit into RTP's JPEG: it counts sides in eights, in a byte."""
    return not (width % 8 or height % 8) and max(width, height) <= LARGEST_SIDE


def _tables(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        if body[0] >> 4:
            raise ValueError("tables of 16 bits are not carried here")
        yield body[0] & 15, body[1:65]
        body = body[65:]


def _shape(body: bytes) -> tuple[int, int, int]:
    """Type, width and height."""
    _, height, width, count = struct.unpack_from(">BHHB", body)
    kind = SAMPLINGS.get(body[7])
    if count != 3 or kind is None or not carried(width, height):
        raise ValueError("only 4:2:0 and 4:2:2, in sides that are multiples of 8 up to 2040")
    return kind, width, height


class Packer:
    """Numbers and stamps the packets of one stream."""

    def __init__(self, source: int) -> None:
        self._source, self._number = source, 0

    def packets(self, parts: Parts, at_s: float) -> Iterator[bytes]:
        """The packets of one picture sampled at at_s, the last one with the marker bit."""
        stamp = round(at_s * CLOCK_HZ) & 0xFFFF_FFFF
        offset = 0
        while offset < len(parts.scan):
            head = struct.pack(">I", offset) + bytes(
                [parts.kind, IN_BAND_TABLES, parts.width // 8, parts.height // 8]
            )
            if offset == 0:
                head += struct.pack(">BBH", 0, 0, len(parts.tables)) + parts.tables
            piece = parts.scan[offset : offset + LARGEST_PAYLOAD - len(head)]
            offset += len(piece)
            last = offset >= len(parts.scan)
            rtp = struct.pack(
                ">BBHII", 0x80, PAYLOAD_TYPE | (0x80 if last else 0), self._number, stamp, self._source
            )
            self._number = (self._number + 1) & 0xFFFF
            yield rtp + head + piece
