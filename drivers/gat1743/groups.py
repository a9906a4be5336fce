"""Which lamp group a lamp is: as the site file says, else its own number where unique, else in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Key = tuple[int, int]  # direction in degrees, the lamp's number


class Groups:
    """Numbers for lamps; `named` is the site file's table, lamp group -> `direction/number`."""

    def __init__(self, named: Mapping[int, str]) -> None:
        self._number = {_key(name): group for group, name in named.items()}
        self._fixed = bool(named)

    def learn(self, lamps: Iterable[Key]) -> bool:
        """Lamps of a whole report. True when that gave numbers that were not known."""
        lamps = list(lamps)
        if self._fixed or set(lamps) <= self._number.keys():
            return False
        everyone = sorted({*self._number, *lamps})
        numbers = [number for _, number in everyone]
        unique = len(set(numbers)) == len(numbers)
        self._number = {key: key[1] if unique else place for place, key in enumerate(everyone, start=1)}
        return True

    def of(self, direction: int, lamp: int) -> int | None:
        """The lamp group, None for a lamp that the site file leaves out."""
        return self._number.get((direction, lamp))

    @property
    def known(self) -> dict[int, Key]:
        """Lamp group -> (direction, number)."""
        return {group: key for key, group in sorted(self._number.items(), key=lambda pair: pair[1])}


def _key(name: str) -> Key:
    direction, _, lamp = name.partition("/")
    return int(direction), int(lamp)
