"""The virtual controller's countdown displays on RS-485 (GA/T 508), both generations. Sans-IO."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.devices.controller_view import ControllerView
from hil.devices.gat1743_front import _behind

CODES = {
    "green": 1,
    "green_flash": 1,
    "yellow": 2,
    "yellow_flash": 2,
    "red": 3,
    "red_flash": 3,
    "red_yellow": 3,
}


@dataclass(frozen=True)
class Gat508Manners:
    """How these displays behave. blank_over: seconds above which a display shows nothing."""

    generation: int = 2014
    count: int = 32
    period_s: float = 1.0
    blank_over: int = 255


def frame_2014(entries: list[tuple[int, int, int]], count: int) -> bytes:
    """entries: (address, colour code, seconds); the others are black."""
    cells = [bytes([address << 3, 0]) for address in range(count)]
    for address, code, seconds in entries:
        cells[address] = bytes([address << 3 | code, seconds])
    body = bytes([count]) + b"".join(cells)
    folded = 0
    for byte in body:
        folded ^= byte
    return b"\x55\xaa" + body + bytes([folded])


def frame_2004(direction: int, code: int, seconds: int) -> bytes:
    """One direction."""
    first = code | direction << 2 | 0x20
    high, low = divmod(seconds, 100)
    digits = [high // 10 << 4 | high % 10, low // 10 << 4 | low % 10]
    return bytes([0xFE, first, *digits, 0x7F & (first ^ digits[0] ^ digits[1])])


class Gat508Front:
    """Talks and never listens; group n hangs at address n - 1."""

    def __init__(self, view: ControllerView, manners: Gat508Manners, _seed: int = 1) -> None:
        self._view, self._manners = view, manners
        self._due_s: float | None = None
        self._kept: list[bytes] | None = None
        self.writes = self.unexpected = 0

    @property
    def frozen(self) -> bool:
        """Whether the displays stand still."""
        return self._kept is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._kept = self._frames(self._due_s or 0.0) if on else None

    def opened(self, now_s: float) -> None:
        """From now on."""
        self._due_s = now_s

    def closed(self) -> None:
        """No more."""
        self._due_s = None

    def hear(self, _data: bytes, _now_s: float) -> None:
        """Nobody should speak here."""
        self.unexpected += 1

    def changed(self, _groups: list[int], _now_s: float) -> list[bytes]:
        """Displays wait for their second."""
        return []

    def due(self, now_s: float) -> list[bytes]:
        """Every display, once a period."""
        if self._due_s is None or now_s < self._due_s:
            return []
        self._due_s = max(self._due_s + self._manners.period_s, now_s)
        return self._kept if self._kept is not None else self._frames(now_s)

    def next_s(self) -> float | None:
        """The next period."""
        return self._due_s

    def _frames(self, now_s: float) -> list[bytes]:
        shown = [(group - 1, *self._shown(group, now_s)) for group in sorted(self._view.known)]
        if self._manners.generation == 2004:
            return [frame_2004(*cell) for cell in shown if cell[0] < 4]
        return [frame_2014([cell for cell in shown if cell[0] < self._manners.count], self._manners.count)]

    def _shown(self, group: int, now_s: float) -> tuple[int, int]:
        colour = self._view.known[group]
        likely = self._view.span(group, now_s).likely
        if likely is None:
            return CODES.get(colour, 0), 0
        left = math.ceil(likely + _behind(colour, self._view.steps(group, 0, now_s)))
        return (CODES.get(colour, 0), left) if 0 < left <= self._manners.blank_over else (0, 0)
