"""A box of digital inputs on the lamp circuits: a Modbus RTU slave. Sans-IO."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from hil.devices.controller_view import ControllerView

READ_INPUTS, WRITES = 2, frozenset({5, 6, 15, 16})
COLOURS = ("red", "yellow", "green")
LIT = {
    "red": ("red",), "red_flash": ("red",), "red_yellow": ("red", "yellow"), "yellow": ("yellow",),
    "yellow_flash": ("yellow",), "green": ("green",), "green_flash": ("green",), "dark": (),
}  # fmt: skip
QUESTION_BYTES = 8


@dataclass(frozen=True)
class LampInputsManners:
    """How this box behaves. inputs: (group, colour) -> input; empty: red, yellow, green of each in turn."""

    address: int = 1
    inputs: Mapping[tuple[int, str], int] = field(default_factory=dict)
    count: int = 72
    reply_delay_s: tuple[float, float] = (0.002, 0.006)


def check(data: bytes) -> bytes:
    """CRC-16 of Modbus, low byte first, bit by bit."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register.to_bytes(2, "little")


class LampInputsFront:
    """Answers reads of its inputs; refuses everything else."""

    def __init__(self, view: ControllerView, manners: LampInputsManners, seed: int = 1) -> None:
        self._view, self._manners = view, manners
        self._random = random.Random(seed)
        self._inputs = dict(manners.inputs) or {
            (group, colour): 3 * (group - 1) + place
            for group in view.known
            for place, colour in enumerate(COLOURS)
        }
        self._held = bytearray()
        self._later: list[tuple[float, bytes]] = []
        self._since: dict[int, tuple[str, float]] = {}
        self._kept: list[bool] | None = None
        self.writes = 0

    @property
    def frozen(self) -> bool:
        """Whether the inputs stand still."""
        return self._kept is not None

    @frozen.setter
    def frozen(self, on: bool) -> None:
        self._kept = (
            self._states(max((at_s for _, at_s in self._since.values()), default=0.0)) if on else None
        )

    def opened(self, now_s: float) -> None:
        """The line is up."""

    def closed(self) -> None:
        """The line has gone."""
        self._held.clear()
        self._later.clear()

    def changed(self, groups: list[int], now_s: float) -> list[bytes]:
        """A lamp that begins to flash begins with its lit half. Nothing is said unasked."""
        for group in groups:
            self._since[group] = self._view.known[group], now_s
        return []

    def hear(self, data: bytes, now_s: float) -> None:
        """Questions; what is none is skipped byte by byte."""
        self._held += data[-256:]
        del self._held[:-512]
        while len(self._held) >= QUESTION_BYTES:
            question = bytes(self._held[:QUESTION_BYTES])
            if check(question[:-2]) != question[-2:]:
                del self._held[:1]
                continue
            del self._held[:QUESTION_BYTES]
            answer = self._answer(question, now_s)
            if answer:
                self._later.append((now_s + self._random.uniform(*self._manners.reply_delay_s), answer))

    def due(self, now_s: float) -> list[bytes]:
        """Answers whose time has come."""
        ready = [answer for at_s, answer in self._later if at_s <= now_s]
        self._later = [(at_s, answer) for at_s, answer in self._later if at_s > now_s]
        return ready

    def next_s(self) -> float | None:
        """When the next answer is due."""
        return min((at_s for at_s, _ in self._later), default=None)

    def _answer(self, question: bytes, now_s: float) -> bytes:
        address, function = question[0], question[1]
        if address != self._manners.address:
            return b""
        self.writes += function in WRITES
        first, count = int.from_bytes(question[2:4], "big"), int.from_bytes(question[4:6], "big")
        if function != READ_INPUTS or not 1 <= count <= 2000 or first + count > self._manners.count:
            code = 1 if function != READ_INPUTS else 2
            refusal = bytes([address, function | 0x80, code])
            return refusal + check(refusal)
        bits = (self._kept or self._states(now_s))[first : first + count]
        packed = bytearray((count + 7) // 8)
        for place, lit in enumerate(bits):
            packed[place // 8] |= lit << place % 8
        body = bytes([address, function, len(packed)]) + bytes(packed)
        return body + check(body)

    def _states(self, now_s: float) -> list[bool]:
        """Flashing circuits are on for half a second and off for half a second."""
        states = [False] * self._manners.count
        for (group, colour), number in self._inputs.items():
            known = self._view.known[group]
            began_s = self._since.get(group, (known, 0.0))[1]
            off = known.endswith("_flash") and (now_s - began_s) % 1.0 >= 0.5
            states[number] = colour in LIT[known] and not off
        return states
