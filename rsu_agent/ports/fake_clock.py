"""A clock that moves only when told: replay, fake-speed scenarios and tests run on it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import anyio

SETTLE_ROUNDS = 30  # a woken task may wake others, through queues, before all of them sleep again
QUIET_ROUNDS = 2  # of them in which nobody else had anything to do: all sleep


class FakeClock:
    """Starts at start_s and utc_start_s; `advance` wakes every sleeper in order of its instant."""

    def __init__(self, start_s: float = 1000.0, utc_start_s: float = 1_790_000_000.0) -> None:
        self._now_s = start_s
        self._utc_offset_s = utc_start_s - start_s
        self._sleepers: list[tuple[float, int, anyio.Event | anyio.CancelScope]] = []
        self._order = itertools.count()

    def now_s(self) -> float:
        """The fake monotonic instant."""
        return self._now_s

    def utc_s(self) -> float:
        """The fake UTC instant."""
        return self._now_s + self._utc_offset_s

    def step_utc(self, seconds: float) -> None:
        """Jump UTC, as a clock step does; monotonic time stays."""
        self._utc_offset_s += seconds

    async def sleep_until(self, at_s: float) -> None:
        """Wait until `advance` passes at_s."""
        if at_s <= self._now_s:
            await anyio.lowlevel.checkpoint()
            return
        event = anyio.Event()
        self._push(at_s, event)
        await event.wait()

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved so many seconds."""
        await self.sleep_until(self._now_s + seconds)

    def move_on_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        """A scope that `advance` cancels once its time has come."""
        return self._scope(seconds)

    @contextmanager
    def _scope(self, seconds: float) -> Iterator[anyio.CancelScope]:
        with anyio.CancelScope() as scope:
            entry = self._push(self._now_s + seconds, scope)
            try:
                yield scope
            finally:
                if entry in self._sleepers:
                    self._sleepers.remove(entry)
                    heapq.heapify(self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Move time forward, waking sleepers one instant after the other and letting them run."""
        end_s = self._now_s + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end_s:
            self._now_s = max(self._now_s, self._sleepers[0][0])
            while self._sleepers and self._sleepers[0][0] <= self._now_s:
                _wake(heapq.heappop(self._sleepers)[2])
            await self._settle()
        self._now_s = end_s

    async def _settle(self) -> None:
        """Let everybody run until all sleep; an event loop that does not tell gets all its rounds."""
        waiting = getattr(asyncio.get_running_loop(), "_ready", None)
        quiet = 0
        for _ in range(SETTLE_ROUNDS):
            await anyio.lowlevel.checkpoint()
            quiet = quiet + 1 if waiting is not None and not waiting else 0
            if quiet == QUIET_ROUNDS:
                return

    def _push(
        self, at_s: float, waiter: anyio.Event | anyio.CancelScope
    ) -> tuple[float, int, anyio.Event | anyio.CancelScope]:
        entry = (at_s, next(self._order), waiter)
        heapq.heappush(self._sleepers, entry)
        return entry


def _wake(waiter: anyio.Event | anyio.CancelScope) -> None:
    if isinstance(waiter, anyio.Event):
        waiter.set()
    else:
        waiter.cancel()
