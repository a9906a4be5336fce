"""A message whose shape stays and whose numbers change: its bits are encoded once, the numbers patched in."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from operator import gt, lshift
from typing import Any

from rsu_agent.wire.uper import Malformed

Path = tuple[str | int, ...]
GROUP_BITS = 200  # of neighbours that are put together before they join the message


class Template:
    """Made from any value of the shape; `fill` gives what the full encoder would give for other numbers.

    encode: the full encoder. paths: where each number stands in the value, in wire order.
    ranges: (lowest, highest) of each number, as in the schema.
    """

    def __init__(
        self,
        encode: Callable[[Any], bytes],
        value: Any,
        paths: Sequence[Path],
        ranges: Sequence[tuple[int, int]],
    ) -> None:
        self._lows = [low for low, _ in ranges]
        self._spans = [high - low for low, high in ranges]
        still = encode(_with(value, paths, self._lows))
        stirred = encode(_with(value, paths, [low + 1 for low in self._lows]))
        self._still, self._size = int.from_bytes(still, "big"), len(still)
        moved = int.from_bytes(stirred, "big") ^ self._still  # the last bit of every number, in wire order
        shifts = [at for at in range(8 * self._size - 1, -1, -1) if moved >> at & 1]
        if len(shifts) != len(paths):
            raise ValueError(f"{len(paths)} numbers move {len(shifts)} bits: is one of them in two places?")
        self._groups = _groups(shifts)
        self._plain = not any(self._lows)

    def fill(self, numbers: Sequence[int]) -> bytes:
        """The message with these numbers. Raises Malformed for one outside its range."""
        if not self._plain:
            numbers = [number - low for number, low in zip(numbers, self._lows, strict=True)]
        if len(numbers) != len(self._spans) or min(numbers) < 0 or any(map(gt, numbers, self._spans)):
            raise Malformed("template", "a number is missing or outside its range")
        bits = self._still
        for first, behind, shifts, base in self._groups:
            bits += sum(map(lshift, numbers[first:behind], shifts)) << base
        return bits.to_bytes(self._size, "big")


def _groups(shifts: Sequence[int]) -> list[tuple[int, int, list[int], int]]:
    """Neighbours (first, behind, shifts above the last one, its shift): short numbers add faster."""
    groups = []
    first = 0
    for behind in range(1, len(shifts) + 1):
        if behind == len(shifts) or shifts[first] - shifts[behind] > GROUP_BITS:
            base = shifts[behind - 1]
            groups.append((first, behind, [shift - base for shift in shifts[first:behind]], base))
            first = behind
    return groups


def _with(value: Any, paths: Sequence[Path], numbers: Sequence[int]) -> Any:
    """A copy of the value with other numbers at the paths; a step into a choice is 1."""
    value = copy.deepcopy(value)
    for path, number in zip(paths, numbers, strict=True):
        place = value
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = number
    return value
