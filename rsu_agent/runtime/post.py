"""Records on their way to the uplink process: numbered, kept until it has committed them."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter

from rsu_agent.outlets.summary_kinds import LANE_OF
from rsu_agent.runtime.hub import Hub

MOST_KEPT = (
    9_000  # an hour of a busy crossing, less than a link queues; beyond, the oldest go and are declared
)
ROOM_AGAIN = 2  # what was lost is declared once so many times fewer wait
ROLE = "uplink"
LOST = Counter("rsu_post_lost_records", "Records that went before the uplink process took them.", ["lane"])


@dataclass(slots=True)
class Losses:
    """Records of a lane that are gone and not yet declared. Times in UTC microseconds."""

    count: int = 0
    kinds: set[str] = field(default_factory=set)
    first_us: int | None = None
    last_us: int | None = None

    def add(self, record: dict[str, Any]) -> None:
        """One more; of a declaration that is lost itself, all that it declared."""
        if record.get("k") == "lost":
            self._more(record["n"], record["kd"].split("+"), record["ta"], record["tb"])
        else:
            self._more(1, [str(record.get("k"))], record.get("t"), record.get("t"))

    def _more(self, count: int, kinds: Iterable[str], first_us: int | None, last_us: int | None) -> None:
        self.count += count
        self.kinds.update(kinds)
        self.first_us = min((at for at in (self.first_us, first_us) if at is not None), default=None)
        self.last_us = max((at for at in (self.last_us, last_us) if at is not None), default=None)

    def record(self, lane: str, why: str, now_us: int) -> dict[str, Any]:
        """The record that declares them."""
        told = {"k": "lost", "t": now_us, "l": lane, "kd": "+".join(sorted(self.kinds)), "n": self.count}
        return {**told, "ta": self.first_us, "tb": self.last_us, "why": why}


class Post:
    """`put` never waits; what the uplink process had not committed when it died is sent to its successor."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._kept: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._losses: dict[str, Losses] = {}
        # Random: what is committed of an earlier core's letters says nothing about this one's.
        self._number = secrets.randbits(30) << 32
        self.dropped = 0

    def put(self, records: Iterable[dict[str, Any]]) -> None:
        """Records of the kinds of `summary_kinds`; the kind gives the lane."""
        for record in records:
            self._put(record)
            if self._losses and len(self._kept) * ROOM_AGAIN <= MOST_KEPT:
                self._declare(record.get("t", 0))

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
            self._lose(self._kept.popitem(last=False)[1])
        self._hub.send(ROLE, "record", letter)

    def _lose(self, letter: dict[str, Any]) -> None:
        record, lane = letter["record"], letter["lane"]
        if record["k"] == "lost":
            lane = record["l"]
        else:
            self.dropped += 1
            LOST.labels(lane).inc()
        self._losses.setdefault(lane, Losses()).add(record)

    def _declare(self, now_us: int) -> None:
        losses, self._losses = self._losses, {}
        for lane, lost in losses.items():
            self._put(lost.record(lane, "overflow", now_us))
