"""Bytes onto a line at its baud rate: a pseudo-terminal would take them all at once. Sans-IO."""

from __future__ import annotations

from collections import deque

BURST_S = 0.002


class Pacer:
    """Holds what is to be sent; `due` gives what the line would have carried by now."""

    def __init__(self, baud: int) -> None:
        self._byte_s = 10 / baud
        self._queue: deque[int] = deque()
        self._marks: deque[tuple[int, object]] = deque()
        self._put = self._gone = 0
        self._free_s = 0.0

    def put(self, data: bytes, now_s: float, mark: object = None) -> None:
        """Queue bytes; an idle line starts now. `mark` comes out of `passed` once their last bit has gone."""
        if not self._queue:
            self._free_s = max(self._free_s, now_s)
        self._queue.extend(data)
        self._put += len(data)
        if mark is not None:
            self._marks.append((self._put, mark))

    def due(self, now_s: float) -> bytes:
        """Bytes whose last bit has passed by now."""
        count = min(len(self._queue), int((now_s - self._free_s) / self._byte_s + 1e-6))
        if count <= 0:
            return b""
        self._free_s += count * self._byte_s
        self._gone += count
        return bytes(self._queue.popleft() for _ in range(count))

    def next_s(self) -> float | None:
        """When to ask again, in bursts of at most 2 ms; None when idle."""
        if not self._queue:
            return None
        return self._free_s + min(BURST_S, len(self._queue) * self._byte_s)

    def passed(self) -> list[object]:
        """Marks of what has gone entirely."""
        gone = []
        while self._marks and self._marks[0][0] <= self._gone:
            gone.append(self._marks.popleft()[1])
        return gone

    def clear(self) -> None:
        """Forget what is queued."""
        self._queue.clear()
        self._marks.clear()
        self._gone = self._put
