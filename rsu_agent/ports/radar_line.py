"""A radar on a byte line or a datagram port: a sans-IO link reads what comes and says what to write."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

import anyio

from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.line import Line
from rsu_agent.ports.line_faults import diagnosis
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict

SHORTEST_WAIT_S = 0.001  # so that a due time in the past never spins
LONGEST_WAIT_S = 60.0  # for links whose silence is no loss


class RadarLink(Protocol):
    """One radar while its line is open. Sans-IO; all times are monotonic seconds."""

    @property
    def counters(self) -> dict[str, int]:
        """What happened on the line, by stable names."""
        ...

    def check(self, now_s: float) -> None:
        """Raises DeviceLost when the radar counts as lost."""
        ...

    def next_bytes(self, now_s: float) -> bytes | None:
        """What to write now, if anything."""
        ...

    def wake_s(self, now_s: float) -> float:
        """When `check` and `next_bytes` should be asked again if nothing arrives before."""
        ...

    def receive(self, data: bytes, now_s: float) -> Iterable[RadarFrame]:
        """Take bytes read at now_s. Never raises."""
        ...


class ListeningLink:
    """What links share: silence and noise become a loss, and nothing is written.

    silent_after_s None: a radar that speaks of vehicles only; its silence is no loss.
    """

    def __init__(
        self, silent_after_s: float | None, now_s: float, silent_hint: str, garbled_hint: str
    ) -> None:
        after_s = math.inf if silent_after_s is None else silent_after_s
        self._verdict = Verdict(after_s, now_s, silent_hint, garbled_hint)
        self.counters: Counter[str] = Counter()

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:  # noqa: ARG002
        """Nothing."""
        return None

    def wake_s(self, now_s: float) -> float:  # noqa: ARG002
        """When silence becomes a loss."""
        return self._verdict.silent_at_s

    def _garbled(self, why: str, size: int) -> None:
        """Count bytes that could not be read."""
        self.counters["garbled"] += 1
        self.counters[f"garbled_{why}"] += 1
        self._verdict.garbled(why, size)


class LineRadar:
    """ports.devices.Radar over an open line: writes what is due, listens, gives what was heard."""

    def __init__(self, line: Line, link: RadarLink, clock: Clock) -> None:
        self._line, self._link, self._clock = line, link, clock
        self._ready: deque[RadarFrame] = deque()
        self.counters: dict[str, int] = link.counters

    def __aiter__(self) -> AsyncIterator[RadarFrame]:
        return self

    async def __anext__(self) -> RadarFrame:
        while not self._ready:
            await self._turn()
        return self._ready.popleft()

    async def _turn(self) -> None:
        now_s = self._clock.now_s()
        try:
            self._link.check(now_s)
        except DeviceLost as lost:
            raise DeviceLost(lost.reason, lost.detail, diagnosis(self._line.errors()) or lost.hint) from None
        if data := self._link.next_bytes(now_s):
            await self._line.write(data)
        wait_s = self._link.wake_s(now_s) - self._clock.now_s()
        with self._clock.move_on_after(min(max(SHORTEST_WAIT_S, wait_s), LONGEST_WAIT_S)):
            received = await self._line.read()
            self._ready.extend(self._link.receive(received.data, received.arrived_s))
        await anyio.lowlevel.checkpoint()  # a flood of noise must not keep others from running
