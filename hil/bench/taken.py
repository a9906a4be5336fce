"""Durations: taken one by one, told as median and percentile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Taken:
    """Seconds that a piece of work took, each time."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    @contextmanager
    def once(self) -> Iterator[None]:
        """Time what is inside."""
        began_s = time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - began_s)

    def ms(self, share: float = 0.5) -> float:
        """The nearest-rank percentile, in milliseconds."""
        return round(percentile(self.seconds, share) * 1000, 3)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
