"""Bytes to try: seeds cut, flipped, doubled and spliced, and pure noise. All from one seeded die."""

from __future__ import annotations

import random
from collections.abc import Sequence

LONGEST = 6000
EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF, 0x5C, 0x7D, 0x7E, 0x0A, 0x0D)


def any_input(dice: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One input: noise one time in five, else a seed with up to six faults."""
    if not seeds or dice.random() < 0.2:
        return dice.randbytes(dice.choice((0, 1, 2, 7, 30, 200, 1500)))
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.randrange(7)):
        dice.choice(FAULTS)(dice, data, seeds)
    return bytes(data[:LONGEST])


def _place(dice: random.Random, data: bytearray) -> int:
    return dice.randrange(len(data) + 1)


def _flip(dice: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _edge(dice: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = _place(dice, data)
    data[at : at + dice.choice((1, 2, 4))] = bytes([dice.choice(EDGES)]) * dice.choice((1, 2, 4))


def _cut(dice: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = _place(dice, data)
    del data[at : at + dice.choice((1, 2, 8, len(data)))]


def _noise(dice: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = _place(dice, data)
    data[at:at] = dice.randbytes(dice.randrange(20))


def _double(dice: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    at = _place(dice, data)
    part = data[at : at + dice.choice((1, 4, 40, 400))]
    data[at:at] = part * min(dice.choice((1, 2, 60)), 1 + LONGEST // (len(part) + 1))


def _splice(dice: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = dice.choice(seeds)
    data[_place(dice, data) :] = other[dice.randrange(len(other) + 1) :]


FAULTS = (_flip, _edge, _cut, _noise, _double, _splice)
