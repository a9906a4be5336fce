"""CRC-16: check values and agreement with polynomial division done bit by bit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsu_agent.wire.crc import Crc16


@pytest.mark.parametrize(
    ("polynomial", "initial", "check"),
    [
        (0x1005, 0x0000, 0x5BB8),  # GB/T 20999-2017 as recorded; facts/controllers.md 1.1
        (0x1021, 0xFFFF, 0x29B1),  # the variant of one public implementation; same place
        (0x1021, 0x0000, 0x31C3),  # CRC-16/XMODEM in the public catalogue of CRC algorithms
    ],
)
def test_the_check_value_of_123456789(polynomial: int, initial: int, check: int) -> None:
    assert Crc16(polynomial, initial).of(b"123456789") == check


@given(st.binary(max_size=40))
def test_the_table_agrees_with_long_division(data: bytes) -> None:
    remainder = int.from_bytes(data, "big") << 16
    for shift in range(remainder.bit_length() - 17, -1, -1):
        if remainder >> (shift + 16) & 1:
            remainder ^= 0x11005 << shift
    assert Crc16(0x1005).of(data) == remainder


@given(st.binary(min_size=1, max_size=60), st.data())
def test_any_single_flipped_bit_is_seen(data: bytes, draw: st.DataObject) -> None:
    bit = draw.draw(st.integers(0, len(data) * 8 - 1))
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    assert Crc16(0x1005).of(bytes(flipped)) != Crc16(0x1005).of(data)
