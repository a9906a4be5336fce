"""Records on their way to the uplink process: numbered, kept until it has committed them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from rsu_agent.runtime.hub import Hub

MOST_KEPT = 20_000  # hours of a busy crossing; beyond, the oldest go and are counted
ROLE = "uplink"


class Post:
    """`put` never waits; what the uplink process had not committed when it died is sent to its successor."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._number = 0
        self.dropped = 0

    def put(self, record: dict[str, Any], lane: str) -> None:
        """One record for `hi` or `lo`."""
        self._number += 1
        letter = {"id": self._number, "lane": lane, "record": record}
        self._kept[self._number] = letter
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
            self.dropped += 1
        self._hub.send(ROLE, "record", letter)

    def committed(self, numbers: list[int]) -> None:
        """The uplink process has these on disk."""
        for number in numbers:
            self._kept.pop(number, None)

    def connected(self) -> None:
        """An uplink process has joined: everything not committed goes to it."""
        for letter in self._kept.values():
            self._hub.send(ROLE, "record", letter)

    @property
    def waiting(self) -> int:
        """Records not yet on disk."""
        return len(self._kept)
