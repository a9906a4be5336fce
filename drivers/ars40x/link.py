"""Joining a radar's messages to cycles: a status announces so many, the others follow by number. Sans-IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from drivers.ars40x.codes import Dialect
from drivers.ars40x.wire import (
    CLUSTER_STATUS,
    HEARD,
    OBJECT_STATUS,
    ClusterGeneral,
    ClusterQuality,
    ClusterStatus,
    ObjectExtended,
    ObjectGeneral,
    ObjectQuality,
    ObjectStatus,
    RadarState,
    Version,
    split,
)
from rsu_agent.ports.can_line import CanFrame

# status -> the messages that follow it, each as often as announced; the first one must be there
FOLLOWERS = {OBJECT_STATUS: (0x60B, 0x60C, 0x60D), CLUSTER_STATUS: (0x701, 0x702)}
STATUS_OF = {follower: status for status, followers in FOLLOWERS.items() for follower in followers}
CLOSE_S = 0.1  # a hundred objects with all they have take 77 ms on the bus


@dataclass(frozen=True, slots=True)
class Member:
    """One object or cluster; what was not sent of it is None."""

    general: ObjectGeneral | ClusterGeneral
    quality: ObjectQuality | ClusterQuality | None = None
    extended: ObjectExtended | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """One measurement. begun_s: arrival of its status; whole: all that was announced has come."""

    status: int
    number: int
    begun_s: float
    members: tuple[Member, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Garbled:
    """A message that is not as long as its layout, or belongs to no cycle."""

    why: str
    message: int


Event = Cycle | RadarState | Version | Garbled


class Link:
    """Messages of one sensor in, cycles and states out."""

    def __init__(self, dialect: Dialect, counters: Counter[str]) -> None:
        self._dialect, self.counters = dialect, counters
        self._open: _Open | None = None
        self._expected: dict[
            int, set[int]
        ] = {}  # status -> followers seen in the last cycle that had members

    def receive(self, frame: CanFrame) -> Iterator[Event]:
        """What this message completes. Its sensor number is not looked at."""
        yield from self.tick(frame.arrived_s)
        message, _ = split(frame.id)
        layout = HEARD.get(message)
        if layout is None:
            self.counters["other_frames"] += 1
            return
        if len(frame.data) != (self._dialect.message_bytes or layout.size):
            self.counters["bad_length"] += 1
            yield Garbled("bad_length", message)
            return
        row = layout.read(frame.data)
        if message in FOLLOWERS:
            yield from self._close()
            self._open = _begun(message, row, frame.arrived_s)
        elif message in STATUS_OF:
            if not self._add(message, row):
                yield Garbled("late", message)
        else:
            yield row
        if self._open is not None and self._all_there(self._open):
            yield from self._close()

    @property
    def due_s(self) -> float | None:
        """When the open cycle is given up waiting for."""
        return None if self._open is None else self._open.begun_s + CLOSE_S

    def tick(self, now_s: float) -> Iterator[Cycle]:
        """The cycle whose time is over."""
        if self.due_s is not None and now_s >= self.due_s:
            yield from self._close()

    def _add(self, message: int, row: Any) -> bool:
        """Put a row to its cycle; False when that one is closed, or was of the other kind."""
        status = STATUS_OF[message]
        if self._open is None or self._open.status != status:
            self.counters["late"] += 1
            self._expected.setdefault(status, set()).add(message)
            return False
        rows = self._open.rows[message]
        self.counters["repeated"] += row.number in rows
        rows[row.number] = row
        return True

    def _all_there(self, cycle: _Open) -> bool:
        """Whether nothing more is expected; while it is not known what follows, only the next cycle tells."""
        if cycle.announced == 0:
            return True
        expected = self._expected.get(cycle.status)
        return expected is not None and all(
            len(cycle.rows[follower]) >= cycle.announced
            for follower in (FOLLOWERS[cycle.status][0], *expected)
        )

    def _close(self) -> Iterator[Cycle]:
        cycle, self._open = self._open, None
        if cycle is None:
            return
        first, *others = FOLLOWERS[cycle.status]
        found = cycle.rows[first]
        usual = self._expected.get(cycle.status, set())
        whole = len(found) == cycle.announced and all(
            cycle.rows[other].keys() == found.keys() or not (cycle.rows[other] or other in usual)
            for other in others
        )
        if found:
            self._expected[cycle.status] = {message for message, rows in cycle.rows.items() if rows}
        self.counters["cycles"] += 1
        self.counters["incomplete"] += not whole
        quality, extended = [*(cycle.rows[other] for other in others), {}][:2]
        members = tuple(Member(row, quality.get(n), extended.get(n)) for n, row in found.items())
        yield Cycle(cycle.status, cycle.number, cycle.begun_s, members, whole)


@dataclass(slots=True)
class _Open:
    status: int
    number: int
    announced: int
    begun_s: float
    rows: dict[int, dict[int, Any]]  # message -> number of the object -> row; at most 256 each


def _begun(message: int, row: ObjectStatus | ClusterStatus, begun_s: float) -> _Open:
    announced = row.count if isinstance(row, ObjectStatus) else row.near + row.far
    return _Open(message, row.cycle, announced, begun_s, {f: {} for f in FOLLOWERS[message]})
