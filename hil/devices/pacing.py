"""Bytes onto a line at its baud rate: a pseudo-terminal would take them all at once. Sans-IO."""

from __future__ import annotations

from collections import deque

BURST_S = 0.002


class Pacer:
    """Holds what is to be sent; `due` gives what the line would have carried by now."""

    def __init__(self, baud: int) -> None:
        self._byte_s = 10 / baud
        self._queue: deque[int] = deque()
        self._free_s = 0.0

    def put(self, data: bytes, now_s: float) -> None:
        """Queue bytes; an idle line starts now."""
        if not self._queue:
            self._free_s = max(self._free_s, now_s)
        self._queue.extend(data)

    def due(self, now_s: float) -> bytes:
        """Bytes whose last bit has passed by now."""
        count = min(len(self._queue), int((now_s - self._free_s) / self._byte_s + 1e-6))
        if count <= 0:
            return b""
        self._free_s += count * self._byte_s
        return bytes(self._queue.popleft() for _ in range(count))

    def next_s(self) -> float | None:
        """When to ask again, in bursts of at most 2 ms; None when idle."""
        if not self._queue:
            return None
        return self._free_s + min(BURST_S, len(self._queue) * self._byte_s)

    def clear(self) -> None:
        """Forget what is queued."""
        self._queue.clear()
