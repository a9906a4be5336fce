"""What a run of the fleet is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rsu_agent.ports.envelope import SCHEMA

DISTRICT = "simulated"
MOST_REAL = 300  # poles with files and a thread each; beyond, light ones
MIX = 3  # of so many poles one sends the next version, one a kind of tomorrow, the others what we know


@dataclass(frozen=True, slots=True)
class Plan:
    """for_s: seconds of life, outage not counted. pace: times the product's rate of records and envelopes.

    backlog: envelopes that each pole has at the start. light: None = by the number of poles.
    """

    sites: int
    for_s: float
    seed: int = 1
    outage_s: float = 0.0
    storm: bool = False
    versions: bool = False
    backlog: int = 0
    pace: float = 1.0
    light: bool | None = None
    postgres: bool = False
    drain_s: float = 600.0

    @property
    def is_light(self) -> bool:
        """Whether the poles have no files of their own."""
        return self.sites > MOST_REAL if self.light is None else self.light

    def version_of(self, number: int) -> tuple[int, bool]:
        """(version of a pole's envelopes, whether it sends a kind that is unknown as yet)."""
        if not self.versions:
            return SCHEMA, False
        return SCHEMA + (number % MIX == 1), number % MIX == 2


class HasEpochs(Protocol):
    """An outbox."""

    def epoch(self, lane: str) -> int: ...


def site_of(number: int) -> str:
    """A pole's name."""
    return f"sim-{number:05d}"


def epoch_key(outbox: HasEpochs, lane: str) -> tuple[int, str]:
    """By which the district's tables know a lane of this outbox."""
    return outbox.epoch(lane), lane
