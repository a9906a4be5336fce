"""Object bodies of GA/T 1743-2020, bounded by what is there; a tail is tolerated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MOST_LAMPS = 255


class Short(ValueError):
    """A body that ends before what it announces."""


@dataclass(frozen=True, slots=True)
class LampTold:
    """One lamp of 0x0103. countdown 0: not available."""

    direction: int
    lamp: int
    kind: int
    colour: int
    countdown: int


@dataclass(frozen=True, slots=True)
class StepsTold:
    """One lamp's colour steps of 0x0301 or 0x0302: (colour code, seconds)."""

    direction: int
    lamp: int
    kind: int
    steps: tuple[tuple[int, int], ...]


class _Bytes:
    """Takes little-endian numbers from the front."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self, size: int) -> int:
        """The next `size` bytes. Raises Short."""
        end = self._at + size
        if end > len(self._data):
            raise Short(f"{len(self._data)} bytes, more announced")
        value = int.from_bytes(self._data[self._at : end], "little")
        self._at = end
        return value


def lamps(body: bytes) -> tuple[LampTold, ...]:
    """0x0103: entries by direction, lamps in each. Raises Short."""
    data = _Bytes(body)
    return tuple(
        LampTold(direction, data.number(1), data.number(1), data.number(1), data.number(1))
        for direction in _entries(data, data.number(1))
    )


def steps(body: bytes) -> tuple[StepsTold, ...]:
    """0x0301, 0x0302: total of lamps, then entries as in 0x0103 with steps. Raises Short."""
    data = _Bytes(body)
    data.number(1)
    told = []
    for direction in _entries(data, data.number(1)):
        lamp, kind, count = data.number(1), data.number(1), data.number(1)
        told.append(
            StepsTold(direction, lamp, kind, tuple((data.number(1), data.number(2)) for _ in range(count)))
        )
    return tuple(told)


def _entries(data: _Bytes, count: int) -> Iterator[int]:
    """The direction once for each lamp of each entry; who takes it reads the lamp."""
    for _ in range(count):
        direction = data.number(2)
        for _ in range(data.number(1)):
            yield direction


def one_byte(body: bytes) -> int:
    """0x0101, 0x0102: the first byte alone; the meaning of the rest is not known. Raises Short."""
    return _Bytes(body).number(1)
