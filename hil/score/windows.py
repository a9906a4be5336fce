"""Ten-second windows of a run; one in which the host stalled says nothing about speed and is void."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WINDOW_S = 10.0
STALL_MS = 50.0


@dataclass(frozen=True)
class Windows:
    """Windows from t0 to t1, numbered from 0; the last may be short."""

    t0: float
    t1: float
    void: frozenset[int] = frozenset()

    @property
    def whole(self) -> int:
        """How many whole windows there are."""
        return int((self.t1 - self.t0) / WINDOW_S + 1e-6)

    @property
    def good_s(self) -> float:
        """Seconds that are not void."""
        return self.t1 - self.t0 - sum(min(WINDOW_S, self.t1 - self.t0 - n * WINDOW_S) for n in self.void)

    def good(self, t: float) -> bool:
        """Whether an instant of the run lies in a window that is not void."""
        return self.t0 <= t <= self.t1 and int((t - self.t0) / WINDOW_S) not in self.void

    def counts(self, times: Iterable[float]) -> list[int]:
        """How many of these fall into each whole window that is not void."""
        counts = [0] * self.whole
        for t in times:
            at = int((t - self.t0) / WINDOW_S) if t >= self.t0 else -1
            if 0 <= at < self.whole:
                counts[at] += 1
        return [count for n, count in enumerate(counts) if n not in self.void]


def windows_of(stalls: Iterable[Mapping[str, Any]], t0: float, t1: float) -> Windows:
    """The windows of a run with those void that a stall touches. stalls: {t: its end, late_ms}."""
    void: set[int] = set()
    for stall in stalls:
        began = stall["t"] - stall["late_ms"] / 1000
        if stall["late_ms"] <= STALL_MS or stall["t"] < t0 or began >= t1:
            continue
        first, last = max(began, t0) - t0, min(stall["t"], t1 - 1e-6) - t0
        void |= set(range(int(first / WINDOW_S), int(last / WINDOW_S) + 1))
    return Windows(t0, t1, frozenset(void))


def host_figures(stalls: Sequence[Mapping[str, Any]], windows: Windows, extended: int) -> dict[str, Any]:
    """`host.*`: the longest stall of the scored seconds, windows it cost, how often the run was extended.

    `stall_max_ms` is None when the probe wrote nothing: it did not run, and nothing is known.
    """
    late = [stall["late_ms"] for stall in stalls if windows.t0 <= stall["t"] <= windows.t1]
    return {
        "stall_max_ms": max(late, default=None),
        "windows_void": len(windows.void),
        "extended": extended,
    }
