"""A MAP in as many frames as it needs, made once a minute: what the sets of Europe and America share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsu_agent.messages.dsrc.layers import layers
from rsu_agent.messages.dsrc.map import map_value
from rsu_agent.messages.moment import Instant
from rsu_agent.world.crossing import Crossing


class LayeredMap:
    """frames.MapFrames. wrap: a MapData value as the set's frame; revision: of this content.

    most_bytes: of a MapData before the set's own header. Raises ValueError for a lane that does not fit.
    """

    def __init__(
        self,
        kind: str,
        crossing: Crossing,
        revision: int,
        most_bytes: int,
        wrap: Callable[[dict[str, Any]], bytes],
    ) -> None:
        self.kind, self._crossing, self._revision = kind, crossing, revision
        self._most_bytes, self._wrap = most_bytes, wrap
        self._made: tuple[int | None, list[bytes]] | None = None

    def content(self) -> bytes:
        """The MAP without revision and time: what must stay the same for it to be the same MAP."""
        return self._wrap(map_value(self._crossing, None, 0, region=self._crossing.region))

    def frames(self, instant: Instant) -> list[bytes]:
        """One frame, or one a layer."""
        stamp = instant.stamp
        minute = None if stamp is None else stamp.minute_of_year
        if self._made is None or self._made[0] != minute:
            value = map_value(self._crossing, stamp, self._revision, region=self._crossing.region)
            self._made = minute, [self._wrap(part) for part in layers(value, self._most_bytes)]
        return self._made[1]
