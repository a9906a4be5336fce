"""How a driver recognises its protocol on an unknown line: by listening, and by harmless questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

SILENT_S = 60.0  # field-rules 1.2


@dataclass(slots=True)
class Sign:
    """What has been recognised so far.

    frames, frame_bytes: whole frames that passed their checks. foreign: those only another master sends.
    settings: keys of the site file's section that were found out; notes: words for a technician.
    """

    frames: int = 0
    frame_bytes: int = 0
    foreign: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)


class Recogniser(Protocol):
    """One protocol in one variant. Sans-IO; it never sets anything."""

    sign: Sign

    def receive(self, data: bytes, now_s: float) -> None:
        """Take a chunk that was read at now_s."""
        ...

    def question(self) -> bytes | None:
        """A query whose answer would be recognised; None for protocols that are only heard."""
        ...


Recognisers = Callable[[float], Sequence[Recogniser]]  # of the seconds that a byte takes
