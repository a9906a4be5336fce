"""TI mmWave frames: the four header variants as data. All numbers little endian."""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = bytes((2, 1, 4, 3, 6, 5, 8, 7))
LARGEST_FRAME = 65_536
MOST_TLVS = 32
TLV_HEAD = 8
ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Variant:
    """One header: byte offsets of what is needed.

    cycles_at: the processor's cycle counter, counted_at: the number of points; None where a header has none.
    checked: with a checksum. own: TLV lengths count their own eight bytes. padded: to a multiple of 32.
    """

    name: str
    size: int
    total_at: int
    number_at: int
    tlvs_at: int
    tlvs_bytes: int
    cycles_at: int | None
    counted_at: int | None
    checked: bool
    own: bool
    padded: bool


VARIANTS: tuple[Variant, ...] = (
    Variant("pc3d_4x", 48, 12, 20, 44, 2, None, None, checked=True, own=True, padded=False),
    Variant("traffic_monitoring", 52, 20, 24, 48, 2, 16, None, checked=True, own=False, padded=True),
    Variant("sdk", 40, 12, 20, 32, 4, 24, 28, checked=False, own=False, padded=True),
    Variant("area", 44, 12, 20, 32, 4, 24, 28, checked=False, own=False, padded=True),
)
BY_NAME = {variant.name: variant for variant in VARIANTS}


@dataclass(frozen=True, slots=True)
class Tlv:
    """One type-length-value."""

    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """What a header announces. cycles, counted: None where the variant has no such field."""

    total: int
    number: int
    tlvs: int
    cycles: int | None
    counted: int | None


def read_header(variant: Variant, head: bytes) -> Header | str:
    """The header in the variant's first `size` bytes, or which lie it tells (a counter's name)."""
    if variant.checked and not header_good(head):
        return "bad_checksum"
    total = _number(head, variant.total_at)
    tlvs = _number(head, variant.tlvs_at, variant.tlvs_bytes)
    if total < variant.size:
        return "total_too_small"
    if total > LARGEST_FRAME:
        return "total_too_large"
    if variant.padded and total % ALIGNMENT:
        return "total_unaligned"
    if tlvs > MOST_TLVS:
        return "too_many_tlvs"
    cycles = None if variant.cycles_at is None else _number(head, variant.cycles_at)
    counted = None if variant.counted_at is None else _number(head, variant.counted_at)
    return Header(total, _number(head, variant.number_at), tlvs, cycles, counted)


def header_good(head: bytes) -> bool:
    """The folded sum of all 16-bit words of the header is 0xFFFF (covers the header only)."""
    total: int = sum(struct.unpack(f"<{len(head) // 2}H", head))
    return (total >> 16) + (total & 0xFFFF) == 0xFFFF


def walk(body: bytes, count: int, variant: Variant) -> tuple[Tlv, ...] | str:
    """The TLVs of a frame's body, or the lie (a counter's name) when they do not end where the frame does."""
    tlvs, at = [], 0
    for _ in range(count):
        if at + TLV_HEAD > len(body):
            return "tlv_beyond_total"
        kind, length = struct.unpack_from("<II", body, at)
        size = length - TLV_HEAD if variant.own else length
        if size < 0:
            return "tlv_too_small"
        if at + TLV_HEAD + size > len(body):
            return "tlv_beyond_total"
        tlvs.append(Tlv(kind, body[at + TLV_HEAD : at + TLV_HEAD + size]))
        at += TLV_HEAD + size
    rest = len(body) - at
    return tuple(tlvs) if rest < (ALIGNMENT if variant.padded else 1) else "tlvs_end_early"


def _number(data: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "little")
