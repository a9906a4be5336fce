"""Records on their way to the uplink process: numbered, kept until it has committed them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from rsu_agent.outlets.summary_kinds import LANE_OF
from rsu_agent.runtime.hub import Hub

MOST_KEPT = (
    9_000  # an hour of a busy crossing, less than a link queues; beyond, the oldest go and are counted
)
ROLE = "uplink"


class Post:
    """`put` never waits; what the uplink process had not committed when it died is sent to its successor."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: OrderedDict[int, dict[str, Any]] = OrderedDict()
        # Random: what is committed of an earlier core's letters says nothing about this one's.
        self._number = secrets.randbits(30) << 32
        self.dropped = 0

    def put(self, records: Iterable[dict[str, Any]]) -> None:
        """Records of the kinds of `summary_kinds`; the kind gives the lane."""
        for record in records:
            self._put(record)

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

    def _put(self, record: dict[str, Any]) -> None:
        self._number += 1
        letter = {"id": self._number, "lane": LANE_OF[record["k"]], "record": record}
        self._kept[self._number] = letter
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
            self.dropped += 1
        self._hub.send(ROLE, "record", letter)
