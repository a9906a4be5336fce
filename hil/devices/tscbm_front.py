"""The virtual controller as a US unit that sends TSCBM blobs by UDP. Sans-IO."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hil.devices.controller_view import ControllerView, Span

VEHICLES = {group: group for group in range(1, 17)}  # lamp group -> phase
WALKS = {group: group - 16 for group in range(17, 21)}
OVERLAPS = {group: group - 20 for group in range(21, 25)}
NOT_KNOWN = 0xFFFF
RED, YELLOW, GREEN = "red", "yellow", "green"


@dataclass(frozen=True)
class TscbmManners:
    """How this unit behaves."""

    version: int = 1
    period_s: float = 0.1


def _tenths(seconds: float | None, otherwise: int) -> int:
    return otherwise if seconds is None else max(0, min(0xFFFE, int(seconds * 10)))


def _pair(span: Span) -> tuple[int, int]:
    """(least, most); rounded so that the truth lies between."""
    most = NOT_KNOWN if span.most is None else min(0xFFFE, int(max(0.0, span.most) * 10) + 1)
    return _tenths(span.least, 0), most


def blob(view: ControllerView, now_s: float, version: int, sequence: int) -> bytes:
    """One blob of this instant."""
    spans = {group: _pair(view.span(group, now_s)) for group in view.known}
    blocks = b""
    for number in range(1, 17):
        fields = [number]
        for table in (VEHICLES, WALKS, OVERLAPS):
            group = next((g for g, own in table.items() if own == number and g in view.known), None)
            fields += (0, 0) if group is None else spans[group]
        blocks += struct.pack(">B6H", *fields)
    flash = 0x80 if view.mode == "flash" and not view.faults else 0x04 if view.mode == "flash" else 0
    status = flash | (0x01 if view.mode == "manual" else 0)
    status |= (0x08 if view.preempt else 0) | (0x10 if view.priority else 0)
    status |= 0x20 if view.mode == "coordinated" else 0
    day_ms = int(view.utc_s(now_s) * 1000) % 86_400_000
    head = bytes([0xCD, 16]) + blocks + b"".join(m.to_bytes(2, "big") for m in _bitmaps(view.known))
    tail = bytes([status, 0, version << 3, sequence & 0xFF])
    tail += (day_ms // 1000).to_bytes(3, "big") + (day_ms % 1000).to_bytes(2, "big")
    calls = sum(1 << n - 1 for group, n in WALKS.items() if view.called(group))
    return head + tail + (calls.to_bytes(2, "big") + bytes(2) if version == 2 else b"")


def _bitmaps(known: dict[int, str]) -> list[int]:
    """Reds, yellows, greens; don't walk, clear, walk; the overlaps' three; what flashes of either."""

    def lit(table: dict[int, int], *colours: str) -> int:
        return sum(1 << n - 1 for group, n in table.items() if known.get(group) in colours)

    maps = [lit(VEHICLES, c, f"{c}_flash", *_with(c)) for c in (RED, YELLOW, GREEN)]
    maps += [lit(WALKS, "red", "red_flash"), lit(WALKS, "green_flash"), lit(WALKS, "green")]
    maps += [lit(OVERLAPS, c, f"{c}_flash", *_with(c)) for c in (RED, YELLOW, GREEN)]
    flashing = [f"{c}_flash" for c in (RED, YELLOW, GREEN)]
    return [*maps, lit(VEHICLES, *flashing), lit(OVERLAPS, *flashing)]


def _with(colour: str) -> tuple[str, ...]:
    return ("red_yellow",) if colour in (RED, YELLOW) else ()


class TscbmFront:
    """Talks and never listens."""

    def __init__(self, view: ControllerView, manners: TscbmManners, _seed: int = 1) -> None:
        self._view, self._manners = view, manners
        self._due_s: float | None = None
        self._booted_s: float | None = None
        self._now_s = 0.0
        self._kept: bytes | None = None
        self.writes = self.unexpected = 0

    @property
    def frozen(self) -> bool:
        """Whether one blob is sent again and again."""
        return self._kept is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        if on != self.frozen:
            self._kept = self._blob(self._now_s) if on else None

    def opened(self, now_s: float) -> None:
        """From now on, ten times a second."""
        self._due_s = self._now_s = now_s
        self._booted_s = now_s if self._booted_s is None else self._booted_s

    def closed(self) -> None:
        """No more."""
        self._due_s = None

    def hear(self, _data: bytes, _now_s: float) -> None:
        """Nobody should speak to it."""
        self.unexpected += 1

    def changed(self, _groups: list[int], _now_s: float) -> list[bytes]:
        """Changes wait for the next blob."""
        return []

    def due(self, now_s: float) -> list[bytes]:
        """The blob of this tick."""
        if self._due_s is None or now_s < self._due_s:
            return []
        late = now_s >= self._due_s + self._manners.period_s
        self._due_s = (now_s if late else self._due_s) + self._manners.period_s
        self._now_s = now_s
        return [self._kept or self._blob(now_s)]

    def _blob(self, now_s: float) -> bytes:
        """The sequence is the uptime in tenths of a second."""
        booted_s = now_s if self._booted_s is None else self._booted_s
        return blob(self._view, now_s, self._manners.version, round((now_s - booted_s) * 10))

    def next_s(self) -> float | None:
        """The next tick."""
        return self._due_s
