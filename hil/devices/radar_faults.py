"""What goes wrong with a virtual radar while it runs: its line, its clock, its weather (facts/radars 6)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from hil.devices.radar_model import Weather

Lie = Callable[[bytes, random.Random], bytes]

# fault -> its value where it is only said to be on
VALUES = {
    "drop_frame": 0.2,  # share of frames that never leave; the counter goes on
    "truncate": 9.0,  # bytes that a struck frame lacks at its end
    "bitflip": 0.001,  # share of bytes with one bit wrong
    "length_lie": 0.3,  # share of frames that say something untrue of their own length
    "cooked_tty": 1.0,  # carriage returns become line feeds
    "stall": 2.0,  # seconds that everything is held back, to come at once
    "reset": 1.0,  # power-cycle: counters, clock and tracks begin anew
    "clock_skew": 500.0,  # parts in a million that the radar's clock is fast
    "interference": 1.0,  # another radar: the floor rises, false returns come in number
    "blocked": 1.0,  # a cover over the antenna: next to nothing returns
    "reorder": 1.0,  # ARS408: the objects of one group in another order than those of the next
}
COMMON = ("silence", "garbage", "freeze")
TRUNCATED_SHARE, GARBAGE_SHARE = 0.3, 0.4
NOISE_BYTES, INSERTED_BYTES = 30, 9
HELD_BYTES = 65_536  # more is lost, as in the buffer of an adapter


@dataclass(slots=True)
class OwnClock:
    """The radar's own seconds since power on, fast by so many parts in a million."""

    on_s: float
    ppm: float = 0.0
    _since_s: float = 0.0
    _ahead_s: float = 0.0

    def own_s(self, now_s: float) -> float:
        """What it counts at this instant of the true clock."""
        return now_s - self.on_s + self.ahead_s(now_s)

    def ahead_s(self, now_s: float) -> float:
        """How far it has run ahead of the true clock."""
        return self._ahead_s + (now_s - self._since_s) * self.ppm * 1e-6

    def true_s(self, own_s: float) -> float:
        """How long its own seconds truly last."""
        return own_s / (1.0 + self.ppm * 1e-6)

    def skew(self, ppm: float, now_s: float) -> None:
        """Run at another rate from now on."""
        self._ahead_s, self._since_s, self.ppm = self.ahead_s(now_s), now_s, ppm

    def reset(self, now_s: float) -> None:
        """Power on again."""
        self.on_s = self._since_s = now_s
        self._ahead_s = 0.0


class RadarFaults:
    """Which faults are on, with their values; `spoil` is what they do to a frame."""

    def __init__(self, seed: int, now_s: float = 0.0) -> None:
        self.weather, self.clock = Weather(), OwnClock(now_s)
        self._random = random.Random(seed)
        self._on: dict[str, float] = {}
        self._stalled_s = now_s
        self._held: list[bytes] = []

    def obey(self, name: str, on: bool | float, now_s: float) -> bool:
        """Switch one on or off, or give its value; whether it is one. `reset` the caller sees to."""
        if name not in VALUES and name not in COMMON:
            return False
        value = VALUES.get(name, 1.0) if on is True else float(on)
        self._on[name] = value
        if not value:
            del self._on[name]
        self.weather.blocked, self.weather.interference = self.on("blocked"), self.on("interference")
        self.weather.frozen = self.on("freeze")
        if name == "clock_skew":
            self.clock.skew(value, now_s)
        elif name == "stall":
            self._stalled_s = now_s + value
        elif name == "reset":
            self._on.pop(name, None)
            if value:
                self.clock.reset(now_s)
        return True

    def on(self, name: str) -> bool:
        """Whether a fault is on."""
        return name in self._on

    def spoil(self, unit: bytes, lie: Lie, keep: int = 0) -> bytes:
        """What the line gets of a frame, nothing where it is lost; its first `keep` bytes stay whole."""
        dice = self._random
        if self.on("silence") or dice.random() < self._on.get("drop_frame", 0.0):
            return b""
        if dice.random() < self._on.get("length_lie", 0.0):
            unit = lie(unit, dice)
        head, data = unit[:keep], unit[keep:]
        if self.on("truncate") and dice.random() < TRUNCATED_SHARE:
            data = data[: max(0, len(data) - int(self._on["truncate"]))]
        if self.on("bitflip"):
            share = self._on["bitflip"]
            data = bytes(b ^ (1 << dice.randrange(8)) if dice.random() < share else b for b in data)
        if self.on("garbage") and not keep and dice.random() < GARBAGE_SHARE:
            at = dice.randrange(len(data) + 1)
            noise = dice.randbytes(NOISE_BYTES), dice.randbytes(INSERTED_BYTES)
            data = noise[0] + data[:at] + noise[1] + data[at:]
        return head + data

    def held(self, units: list[bytes], now_s: float) -> list[bytes]:
        """What leaves now: nothing while stalled, then all that was held back."""
        self._held += [unit for unit in units if unit]
        if now_s < self._stalled_s:
            while sum(map(len, self._held)) > HELD_BYTES:
                self._held.pop(0)
            return []
        self._on.pop("stall", None)
        gone, self._held = self._held, []
        return gone

    def stalled_until(self, now_s: float) -> float | None:
        """When a stall ends, None while there is none."""
        return self._stalled_s if now_s < self._stalled_s else None

    def cooked(self, data: bytes) -> bytes:
        """As a terminal left in cooked mode hands it on."""
        return data.replace(b"\r", b"\n") if self.on("cooked_tty") else data
