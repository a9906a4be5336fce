"""What one crossing says in one message set, as the outlets see it: the same questions for every set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from rsu_agent.messages.moment import Instant
from rsu_agent.wire.counter import counted, place
from rsu_agent.world.hazard import Hazard
from rsu_agent.world.road_user import RoadUser
from rsu_agent.world.signal import SignalOutlook

Sent = tuple[str, bytes]  # (kind of message, frame); the kind is what radios and metrics call it


@dataclass(frozen=True, slots=True)
class ReadyFrame:
    """A frame that needs no encoder. bits_behind: where its count stands (`wire.counter`), None: it has none.

    every_frame: the count goes up with every frame sent, else only when the content becomes another.
    """

    frame: bytes
    bits_behind: int | None = None
    every_frame: bool = False

    @classmethod
    def of(cls, encode: Callable[[int], bytes], *, every_frame: bool = False) -> ReadyFrame:
        """From an encoder of the frame with a count. Raises ValueError when more than the count differs."""
        zero, one = encode(0), encode(1)
        return cls(zero, place(zero, one), every_frame)

    def counted(self, count: int) -> bytes:
        """The frame with this count, if it has one."""
        return self.frame if self.bits_behind is None else counted(self.frame, self.bits_behind, count)


class SpatFrames(Protocol):
    """SPAT of one crossing. ends_silent: after telling a doubt for a while the set wants silence."""

    kind: str
    ends_silent: bool
    ready: ReadyFrame

    @property
    def count(self) -> int:
        """The count in the frame given last."""
        ...

    def said(
        self,
        outlook: SignalOutlook,
        instant: Instant,
        map_news: Collection[int],
        without_times: frozenset[int],
    ) -> bytes:
        """One frame. without_times: lamp groups whose times are held back. Raises Malformed, ValueError."""
        ...

    def unavailable(self) -> bytes:
        """The ready-made frame that says that nothing is known, counted."""
        ...


class MapFrames(Protocol):
    """MAP of one crossing."""

    kind: str

    def content(self) -> bytes:
        """The MAP without count, revision and time: what must stay the same for it to be the same MAP."""
        ...

    def frames(self, instant: Instant) -> list[bytes]:
        """What is sent in one second: one frame, or one a layer."""
        ...


class RoadFrames(Protocol):
    """Road users and hazards; a set that has no message for either gives none."""

    def users(self, users: Sequence[RoadUser], instant: Instant) -> list[Sent]:
        """The parts of one cycle. instant: the one that the states are for."""
        ...

    def hazards(self, active: Sequence[Hazard], instant: Instant) -> list[Sent]:
        """What is told once a second, and when something begins or ends; also that it has ended."""
        ...
