"""What a receiver hands to its database, and what the database must answer: the contract of every sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rsu_agent.ports.envelope import Ack, Envelope

LaneKey = tuple[str, int, str]  # site, epoch, lane


@dataclass(frozen=True, slots=True)
class Taken:
    """An envelope that may be stored. `bodies`: its records as JSON; `raw`: of a version that is not ours."""

    prefix: str  # of the topics of its site: rsu/1/{district}/{site}
    envelope: Envelope
    bodies: tuple[str, ...] = ()
    raw: bytes | None = None

    @property
    def key(self) -> LaneKey:
        """The lane whose number it has."""
        return self.envelope.site, self.envelope.epoch, self.envelope.lane


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is refused. `identity`: (epoch, lane, seq) where they could be read; `size` before it was cut."""

    topic: str
    reason: str
    detail: str
    payload: bytes
    size: int
    prefix: str | None = None  # where the refusal is told; None under a topic that is none of ours
    identity: tuple[int, str, int] | None = None

    @property
    def site(self) -> str:
        """The site whose topic it came under: the broker knows who may use it, the envelope may lie."""
        return self.prefix.rsplit("/", 1)[1] if self.prefix else ""


@dataclass(frozen=True, slots=True)
class SiteState:
    """The retained birth or will of a site; `body` is what it says, {} where that cannot be read."""

    district: str
    site: str
    body: Mapping[str, Any]


@dataclass(slots=True)
class Batch:
    """Everything of one transaction."""

    taken: list[Taken] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    states: list[SiteState] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.taken) + len(self.dead) + len(self.states)


@dataclass(frozen=True, slots=True)
class Committed:
    """What is in the database now: the acknowledgement of every lane that the batch touched."""

    acks: Mapping[LaneKey, Ack]
    fresh: int  # envelopes that were new
    refused: Sequence[DeadLetter] = ()  # that the database itself would not have


class Sink(Protocol):
    """A database. `take` commits all or nothing: what it raises, nothing of the batch is acknowledged."""

    async def take(self, batch: Batch, now_us: int) -> Committed: ...

    async def sweep(self, now_us: int) -> int: ...

    async def aclose(self) -> None: ...
