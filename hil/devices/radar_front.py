"""What every kind of virtual radar offers to the process that runs it."""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field
from typing import Protocol

from hil.devices.radar_faults import RadarFaults
from hil.devices.radar_model import Mount, Rows


@dataclass(frozen=True)
class Fitting:
    """What a kind of radar is made from; options: what the command line chose of it."""

    mount: Mount
    faults: RadarFaults
    seed: int = 1
    now_s: float = 0.0
    utc_less_now_s: float = 0.0
    options: dict[str, str] = field(default_factory=dict)


class Console(Protocol):
    """A second port, for commands."""

    def hear(self, data: bytes) -> bytes:
        """What it answers."""
        ...


class RadarFront(Protocol):
    """Sans-IO: road users and time in, frames out.

    keep: bytes at the head of a frame that the line cannot damage (a CAN frame's identifier).
    """

    keep: int

    @property
    def console(self) -> Console | None:
        """Its second port, None where it has none."""
        ...

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """Frames that leave now."""
        ...

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        """What it answers at once to what came in on its line."""
        ...

    def next_s(self) -> float:
        """When `due` has something to do."""
        ...

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """The frame with an untrue length in it; unchanged where the format has none."""
        ...

    def reset(self) -> None:
        """Power on again."""
        ...


def after(due_s: float, period_s: float, now_s: float) -> float:
    """When the next is due: on the beat, or a period from now where the beat was missed by a quarter."""
    return (due_s if now_s - due_s < period_s / 4 else now_s) + period_s


@dataclass(slots=True)
class Outgoing:
    """Frames that are ready and leave at their time."""

    _heap: list[tuple[float, int, bytes]] = field(default_factory=list)
    _serial: itertools.count[int] = field(default_factory=itertools.count)

    def put(self, at_s: float, frame: bytes) -> None:
        """To leave then; those of the same instant leave in the order they were put."""
        heapq.heappush(self._heap, (at_s, next(self._serial), frame))

    def due(self, now_s: float) -> list[bytes]:
        """Those whose time has come."""
        gone = []
        while self._heap and self._heap[0][0] <= now_s:
            gone.append(heapq.heappop(self._heap)[2])
        return gone

    def next_s(self, otherwise_s: float) -> float:
        """The next one's time, or another that comes before it."""
        return min(self._heap[0][0], otherwise_s) if self._heap else otherwise_s

    def clear(self) -> None:
        """Nothing leaves any more."""
        self._heap.clear()
