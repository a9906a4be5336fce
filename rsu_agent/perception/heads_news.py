"""Which pictures of the signal heads are worth telling: changes at once, else a few a second."""

from __future__ import annotations

from rsu_agent.world.signal import Colour
from rsu_agent.world.witness import HeadsSeen

EVERY_S = 0.3  # an opinion is fresh for a second


class HeadsNews:
    """Remembers what was told of each camera."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, tuple[Colour, ...]]] = {}

    def news(self, seen: HeadsSeen) -> bool:
        """Whether this is to be told; takes note of it."""
        colours = tuple(head.colour for head in seen.heads)
        told = self._told.get(seen.camera)
        if told is not None and told[1] == colours and 0.0 <= seen.captured_s - told[0] < EVERY_S:
            return False
        self._told[seen.camera] = seen.captured_s, colours
        return True
