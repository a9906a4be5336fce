"""The witness: signal lamps as a camera sees them, beside what the controller says of them."""

from __future__ import annotations

from dataclasses import dataclass

from rsu_agent.world.signal import Colour


@dataclass(frozen=True, slots=True)
class HeadSeen:
    """One signal head in one camera's picture. colour UNKNOWN: the camera has no opinion now.

    since_s: since when this colour has been seen, None: since the camera began to look;
    seen_s: capture instant of the newest picture that the opinion rests on. Monotonic seconds.
    """

    group: int
    colour: Colour
    since_s: float | None
    seen_s: float


@dataclass(frozen=True, slots=True)
class HeadsSeen:
    """All heads that one camera watches, after one picture taken at captured_s (monotonic)."""

    camera: str
    captured_s: float
    heads: tuple[HeadSeen, ...]
