"""CRC-16, most significant bit first, by table."""

from __future__ import annotations


class Crc16:
    """One variant: polynomial without its x^16, initial value; no reflection, no final exclusive-or.

    >>> hex(Crc16(0x1005).of(b"123456789"))
    '0x5bb8'
    """

    def __init__(self, polynomial: int, initial: int = 0x0000) -> None:
        self._initial = initial
        self._table = tuple(_shifted(byte << 8, polynomial) for byte in range(256))

    def of(self, data: bytes) -> int:
        """The check value of these bytes, 0..65535."""
        crc, table = self._initial, self._table
        for byte in data:
            crc = ((crc << 8) & 0xFFFF) ^ table[(crc >> 8) ^ byte]
        return crc


def _shifted(value: int, polynomial: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ polynomial if value & 0x8000 else value << 1
    return value & 0xFFFF
