"""A signal controller on a byte line: a sans-IO session says what to write and when, and reads what comes."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.line import Line
from rsu_agent.ports.line_faults import diagnosis
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.signal import Programme, SignalReport

SHORTEST_WAIT_S = 0.001  # so that a due time in the past never spins

Item = SignalReport | Programme
Tap = Callable[[str, bytes, float], None]  # "in" or "out", the bytes, the monotonic instant


class Session(Protocol):
    """One controller while the line is open. Sans-IO; all times are monotonic seconds.

    A session that knows how long the frame under way still takes has `rest_s` too: seconds, or None.
    """

    @property
    def counters(self) -> dict[str, int]:
        """What happened on the line, by stable names."""
        ...

    def check(self, now_s: float) -> None:
        """Raises DeviceLost when the controller counts as lost."""
        ...

    def next_bytes(self, now_s: float) -> bytes | None:
        """What to write now, if anything."""
        ...

    def wake_s(self, now_s: float) -> float:
        """When `check` and `next_bytes` should be asked again if nothing arrives before."""
        ...

    def receive(self, data: bytes, now_s: float) -> Iterator[Item]:
        """Take bytes read at now_s. Raises DeviceLost."""
        ...


class Dialogue:
    """Iterating writes what is due, listens and gives what was heard; ends in DeviceLost.

    `tap`, where set, is shown every byte of the line in both directions.
    """

    def __init__(self, line: Line, session: Session, clock: Clock) -> None:
        self._line, self._session, self._clock = line, session, clock
        self._ready: deque[Item] = deque()
        self.counters: dict[str, int] = session.counters
        self.tap: Tap | None = None

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        while not self._ready:
            await self._turn()
        return self._ready.popleft()

    async def _turn(self) -> None:
        now_s = self._clock.now_s()
        try:
            self._session.check(now_s)
        except DeviceLost as lost:
            raise DeviceLost(lost.reason, lost.detail, diagnosis(self._line.errors()) or lost.hint) from None
        if data := self._session.next_bytes(now_s):
            await self._line.write(data)
            if self.tap is not None:
                self.tap("out", data, now_s)
        wait_s = self._session.wake_s(now_s) - self._clock.now_s()
        with self._clock.move_on_after(max(SHORTEST_WAIT_S, wait_s)):
            received = await self._line.read()
            if self.tap is not None:
                self.tap("in", received.data, received.arrived_s)
            self._ready.extend(self._session.receive(received.data, received.arrived_s))
            self._line.expect(getattr(self._session, "rest_s", None))
