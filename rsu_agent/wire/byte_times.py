"""When each byte of a stream left its sender: arrival of the chunk less the bits still to pass."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

CHUNKS_KEPT = 512  # 64 kB at the small chunks of a slow line: more than any frame


class _Chunk(NamedTuple):
    end: int  # stream position after the chunk's last byte
    arrived_s: float
    earliest_s: float  # the chunk before was taken then: none of these bytes was there yet


class ByteTimes:
    """Positions count bytes from the opening of the line.

    The estimate for the byte at position p in a chunk that ended at e, taken at t: its first bit left
    (e - p) byte times before t, but not before the chunk ahead of it was taken.
    """

    def __init__(self, byte_s: float) -> None:
        self._byte_s = byte_s
        self._chunks: deque[_Chunk] = deque(maxlen=CHUNKS_KEPT)
        self.position = 0

    def add(self, count: int, arrived_s: float) -> None:
        """A chunk of so many bytes was taken from the line."""
        earliest_s = self._chunks[-1].arrived_s - self._byte_s if self._chunks else float("-inf")
        self.position += count
        self._chunks.append(_Chunk(self.position, arrived_s, earliest_s))

    def left_s(self, position: int) -> float:
        """Monotonic instant at which this byte began to leave its sender."""
        for chunk in self._chunks:
            if position < chunk.end:
                return max(chunk.arrived_s - (chunk.end - position) * self._byte_s, chunk.earliest_s)
        return self._chunks[-1].arrived_s if self._chunks else 0.0

    def forget(self, position: int) -> None:
        """Positions before this one are not asked for any more."""
        while self._chunks and len(self._chunks) > 1 and self._chunks[0].end <= position:
            self._chunks.popleft()
