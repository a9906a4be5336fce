"""What is known of a controller's programme: being read, read, and remembered by its fingerprint."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from drivers.gbt20999 import ids
from drivers.gbt20999.programme import (
    COUNTS,
    IDENTITY,
    compiled,
    fingerprint_probe,
    first_wanted,
    lamp_groups,
    speaks,
    wanted,
)
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Address, Frame
from rsu_agent.world.signal import Programme

Values = dict[Address, bytes | None]
Key = tuple[object, ...]
REMEMBERED = 4  # controllers; a box serves one, and a replaced one is worth keeping


class Shelf:
    """Programmes read since this process began, so that a replugged controller is known at once."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[Programme, Values]] = {}
        self.controller: int | None = None  # the number that answered first: another unit is not this one

    def keep(self, key: Key, programme: Programme, values: Values) -> None:
        """Remember; the oldest is forgotten."""
        self._kept.pop(key, None)
        self._kept[key] = (programme, values)
        while len(self._kept) > REMEMBERED:
            self._kept.pop(next(iter(self._kept)))

    def find(self, key: Key) -> tuple[Programme, Values] | None:
        """What was read of a controller that says the same of itself."""
        return self._kept.get(key)


class Memory:
    """One session's knowledge. `groups` are the lamp groups to poll, empty until known."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._read: Values = {}
        self._reading: Values | None = {}
        self._programme: Programme | None = None
        self._controller = 0
        self.groups: tuple[int, ...] = ()

    def owner(self, controller: int) -> int:
        """The number of the unit that this process has read first; this one, when there was none."""
        if self._shelf.controller is None:
            self._shelf.controller = controller
        return self._shelf.controller

    def wanted(self, absent: Collection[Address], plan: int | None, settings: Settings) -> list[Address]:
        """What is still to be asked for; empty when nothing is."""
        if self._reading is None:
            return []
        self.absent(absent)
        if not self._reading:
            first = first_wanted(settings.crossing)
            return [address for address in first if address not in absent]
        return wanted(self._reading, plan, settings.plans)

    def probe(self, plan: int | None) -> tuple[Address, ...]:
        """Values whose change tells that another programme runs."""
        return fingerprint_probe(plan)

    def take(self, frame: Frame, controller: int) -> bool:
        """Keep configuration from a frame. True when it contradicts what was read: all is read again."""
        self._controller = controller
        changed = False
        for address, data in frame.values:
            if not ids.is_configuration(address):
                continue
            if self._reading is not None:
                self._reading[address] = data
            elif self._read.get(address) != data:
                changed = True
        if changed:
            self.read_again()
        if self._reading and not self._programme:
            self.groups = lamp_groups(self._reading)
        return changed

    def absent(self, addresses: Collection[Address]) -> None:
        """These values do not exist."""
        if self._reading is not None:
            for address in addresses:
                if ids.is_configuration(address) or address[:3] == ids.LAMP(1)[:3]:
                    self._reading.setdefault(address, None)
            if not self._programme:
                self.groups = lamp_groups(self._reading)

    def read_again(self) -> None:
        """Ask for everything once more; what was read stays in use meanwhile."""
        self._reading = {}

    def finished(
        self, absent: Collection[Address], plan: int | None, settings: Settings
    ) -> Iterator[Programme]:
        """The programme: from the shelf when its owner is recognised, when SPaT's part is read, and all."""
        if self._reading is None or not self._reading:
            return
        if self._programme is None and all(address in self._reading for address in (*IDENTITY, *COUNTS)):
            yield from self._recognised()
        if self._programme is None and speaks(self._reading, plan):
            self._programme = compiled(self._reading, self._controller, settings.crossing)
            self.groups = self._programme.groups
            self._shelf.keep(self._key(self._reading), self._programme, dict(self._reading))
            yield self._programme
        if not self.wanted(absent, plan, settings):
            yield from self._complete(settings.crossing)

    def _recognised(self) -> Iterator[Programme]:
        kept = self._shelf.find(self._key(self._reading or {}))
        if kept:
            self._programme, self._read = kept
            self.groups = self._programme.groups
            yield self._programme

    def _complete(self, crossing: int) -> Iterator[Programme]:
        self._read, self._reading = self._reading or {}, None
        before = self._programme
        self._programme = compiled(self._read, self._controller, crossing)
        self.groups = self._programme.groups
        self._shelf.keep(self._key(self._read), self._programme, self._read)
        if before is None or before.fingerprint != self._programme.fingerprint:
            yield self._programme

    def _key(self, values: Values) -> Key:
        return (self._controller, *(values.get(address) for address in (*IDENTITY, *COUNTS)))
