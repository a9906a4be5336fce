"""One finding of the self-check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result. `good` None: could not be checked. reason: the agent's own word, if it has one."""

    id: str
    good: bool | None
    found: str
    next: str = ""
    reason: str = ""
