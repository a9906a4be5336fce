"""The one clock: it owns now, sleep and timeout, so that tests and replay run on a fake one."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from typing import Protocol

import anyio


class Clock(Protocol):
    """Monotonic seconds, UTC, sleep. Processes of one machine share the monotonic scale."""

    def now_s(self) -> float:
        """Monotonic seconds (CLOCK_MONOTONIC on the real clock)."""
        ...

    def utc_s(self) -> float:
        """Seconds since the Unix epoch, UTC, as this machine believes."""
        ...

    async def sleep_until(self, at_s: float) -> None:
        """Return at or after the monotonic instant at_s."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...

    def move_on_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        """A context that ends its body after so many seconds; `.cancelled_caught` tells."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_s(self) -> float:
        """CLOCK_MONOTONIC in seconds."""
        return time.monotonic()

    def utc_s(self) -> float:
        """CLOCK_REALTIME in seconds."""
        return time.time()

    async def sleep_until(self, at_s: float) -> None:
        """Sleep to a monotonic instant."""
        await anyio.sleep(max(0.0, at_s - time.monotonic()))

    async def sleep(self, seconds: float) -> None:
        """Sleep so many seconds."""
        await anyio.sleep(seconds)

    def move_on_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        """anyio's scope of the same name."""
        return anyio.move_on_after(seconds)
