"""Cyclic redundancy checks, table driven, most significant bit first."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


@cache
def crc16_table(polynomial: int) -> tuple[int, ...]:
    """The 256 remainders of a 16-bit polynomial without reflection."""
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & 0x8000 else value << 1) & 0xFFFF
        table.append(value)
    return tuple(table)


def crc16(polynomial: int, initial: int) -> Callable[[bytes], int]:
    """A function that computes this CRC-16 (no reflection, no final exclusive-or)."""
    table = crc16_table(polynomial)

    def compute(data: bytes) -> int:
        value = initial
        for byte in data:
            value = (value << 8) & 0xFFFF ^ table[value >> 8 ^ byte]
        return value

    return compute
