"""A seven-bit count in a ready-made frame: found once by its last bit, patched before each sending."""

from __future__ import annotations

HIGHEST = 127


def place(with_zero: bytes, with_one: bytes) -> int:
    """How many bits follow the count, from two frames that differ in nothing else. Raises ValueError."""
    moved = int.from_bytes(with_zero, "big") ^ int.from_bytes(with_one, "big")
    if len(with_zero) != len(with_one) or moved.bit_count() != 1:
        raise ValueError("the frames differ in more than the last bit of a count")
    return moved.bit_length() - 1


def counted(frame: bytes, bits_behind: int, count: int) -> bytes:
    """The frame with another count. It stands as far from the end also when something is put before it."""
    bits = int.from_bytes(frame, "big") & ~(HIGHEST << bits_behind)
    return (bits | (count & HIGHEST) << bits_behind).to_bytes(len(frame), "big")
