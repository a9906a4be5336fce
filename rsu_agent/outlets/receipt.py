"""A receipt for a record handed to the outbox: it resolves when the record is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import Future


class NotStored(Exception):
    """The record is not in the outbox and will not be.

    reason: `overflow` (handed over faster than the disk takes it), `refused` (no msgpack map with a kind),
    `too_big`, `full` (larger than what the lane may hold), `broken` (the outbox has given up).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Receipt:
    """`tag` is the producer's own number. False in a condition when the record was refused at the door."""

    __slots__ = ("_future", "tag")

    def __init__(self, tag: int = 0) -> None:
        self.tag = tag
        self._future: Future[None] = Future()
        self._future.set_running_or_notify_cancel()  # whoever stops waiting does not take it from the writer

    def __bool__(self) -> bool:
        return not (self._future.done() and self._future.exception())

    def __await__(self) -> Generator[None, None, None]:
        return asyncio.wrap_future(self._future).__await__()

    @property
    def committed(self) -> bool:
        """Whether the record is on disk."""
        return self._future.done() and not self._future.exception()

    @property
    def settled(self) -> bool:
        """Whether it is on disk or never will be."""
        return self._future.done()

    @property
    def reason(self) -> str | None:
        """Why it never will be on disk; None where it is, or may yet be."""
        error = self._future.exception() if self._future.done() else None
        return error.reason if isinstance(error, NotStored) else None

    def wait(self, timeout_s: float | None = None) -> None:
        """Until the record is on disk. Raises NotStored, or TimeoutError after `timeout_s`."""
        self._future.result(timeout_s)

    def commit(self) -> None:
        """The outbox: it is on disk."""
        self._future.set_result(None)

    def fail(self, reason: str, detail: str = "") -> Receipt:
        """The outbox: it never will be."""
        self._future.set_exception(NotStored(reason, detail))
        return self
