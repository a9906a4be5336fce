"""A radar's configuration file: its commands, its fingerprint, and what they say of periods and speeds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST_LINE = 255  # the radar's input buffer holds 256
MOST_LINES = 500  # shipped files have 30 to 60
COMMENT = "%"
SPEED_OF_LIGHT_MPS = 299_792_458.0
EXTENDED = 3  # extendedMaxVelocity widens the speeds told by so much
MICRO, GIGA, MILLI = 1e-6, 1e9, 1e-3


class BadConfiguration(Exception):
    """The file cannot be sent; the text names line and fault."""


@dataclass(frozen=True, slots=True)
class Command:
    """One line for the radar; line: where it stands in the file, 0 for those of our own."""

    text: str
    line: int = 0

    @property
    def name(self) -> str:
        """Its first word."""
        return self.text.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class Configuration:
    """digest: of the commands alone, so that comments and spaces change nothing."""

    commands: tuple[Command, ...]
    digest: str

    @property
    def doppler_limit_mps(self) -> float | None:
        """The speed at which doppler wraps: wavelength / (4 * time from chirp to chirp of one antenna).

        From the only profileCfg and frameCfg; None where there are several or they are no numbers.
        """
        profile, frame = self._numbers("profileCfg"), self._numbers("frameCfg")
        if profile is None or frame is None or len(profile) < 5 or len(frame) < 2:
            return None
        _, start_ghz, idle_us, _, ramp_us = profile[:5]
        repeat_s = (idle_us + ramp_us) * MICRO * (frame[1] - frame[0] + 1)
        if start_ghz <= 0 or repeat_s <= 0:
            return None
        extended = self._numbers("extendedMaxVelocity")
        factor = EXTENDED if extended and extended[-1] else 1
        return factor * SPEED_OF_LIGHT_MPS / (start_ghz * GIGA) / (4 * repeat_s)

    @property
    def period_s(self) -> float | None:
        """The frame period asked for."""
        frame = self._numbers("frameCfg")
        return frame[4] * MILLI if frame is not None and len(frame) > 4 and frame[4] > 0 else None

    def _numbers(self, name: str) -> list[float] | None:
        found = [command for command in self.commands if command.name == name]
        try:
            return [float(word) for word in found[0].text.split()[1:]] if len(found) == 1 else None
        except ValueError:
            return None


def read_configuration(text: str) -> Configuration:
    """Comments and empty lines left out. Raises BadConfiguration."""
    commands = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = " ".join(raw.split())
        if not line or line.startswith(COMMENT):
            continue
        if not line.isascii() or not line.isprintable():
            raise BadConfiguration(f"line {number}: not plain text")
        if len(line) > LONGEST_LINE:
            raise BadConfiguration(f"line {number}: {len(line)} bytes, the radar takes {LONGEST_LINE}")
        commands.append(Command(line, number))
    _refuse_unfit(commands)
    joined = "\n".join(command.text for command in commands)
    return Configuration(tuple(commands), hashlib.sha256(joined.encode()).hexdigest())


def _refuse_unfit(commands: Sequence[Command]) -> None:
    if len(commands) > MOST_LINES:
        raise BadConfiguration(f"{len(commands)} commands: this is no radar's configuration")
    starts = [command for command in commands if command.name == "sensorStart"]
    if len(starts) != 1 or starts[0] is not commands[-1]:
        raise BadConfiguration("sensorStart must stand once, at the end")
    if starts[0].text not in ("sensorStart", "sensorStart 1"):
        raise BadConfiguration(f"line {starts[0].line}: `sensorStart 0` starts without configuring")
