"""Messages heard and not yet taken: bounded in bytes, and what is let go beyond that is counted.

An MQTT library answers for a message (PUBACK) before we see it, and goes on reading while we are busy: the
connection gives no back-pressure. So what comes while too much waits is let go. It costs nothing: who sent it
has no word of ours that we hold it, and sends it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any

log = logging.getLogger(__name__)
PLAIN_BYTES, WITH_PROPERTIES_BYTES = 400, 6_200  # of a message beside its payload: 3.1.1, and 5 (measured)
DISCARDED = "discarded"


class Incoming(asyncio.Queue[Any]):
    """A queue of messages with a `payload`. counts: of the whole process; `discarded` is counted there."""

    def __init__(self, most_bytes: int, counts: Counter[str]) -> None:
        super().__init__()
        self._most, self._counts, self._full = most_bytes, counts, False
        self.held_bytes = 0

    def put_nowait(self, item: Any) -> None:
        """Take a message, or let it go."""
        if self.held_bytes < self._most:
            super().put_nowait(item)
            return
        self._counts[DISCARDED] += 1
        if not self._full:
            log.warning("messages come faster than they are taken: %d bytes wait", self.held_bytes)
        self._full = True

    def _put(self, item: Any) -> None:
        self.held_bytes += _bytes_of(item)
        super()._put(item)

    def _get(self) -> Any:
        item = super()._get()
        self.held_bytes -= _bytes_of(item)
        self._full = self._full and self.held_bytes > 0
        return item


def _bytes_of(message: Any) -> int:
    beside = PLAIN_BYTES if message.properties is None else WITH_PROPERTIES_BYTES
    return beside + len(message.payload)
