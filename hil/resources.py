"""What the agent's processes use: resident memory and processor time, read from /proc."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
LOOP_TURNS = 200_000
NAMES = ("core", "senses", "uplink")


def agent_processes(agent: subprocess.Popen[bytes] | None) -> dict[str, int]:
    """Process ids by name: parent, core, senses, uplink."""
    assert agent is not None
    found = {"parent": agent.pid}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (path / "cmdline").read_bytes().decode()
        except (OSError, ValueError, IndexError):
            continue
        if parent == agent.pid:
            for name in NAMES:
                if f"compose_{name}" in command:
                    found[name] = int(path.name)
    return found


def loop_ns() -> float:
    """Nanoseconds of one turn of a plain Python loop, best of five: the fixed reference of a slow host."""
    best = min(_turns() for _ in range(5))
    return round(best * 1e9 / LOOP_TURNS, 2)


def _turns() -> float:
    began = time.perf_counter()
    total = 0
    for n in range(LOOP_TURNS):
        total += n & 7
    return time.perf_counter() - began


class ProcessWatch:
    """The largest resident sizes seen, and the core's share of a processor."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._largest: dict[str, int] = {}
        self._first: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None

    def look(self) -> None:
        """One reading of each."""
        for name, pid in self._pids.items():
            try:
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except (OSError, IndexError):
                continue
            self._largest[name] = max(self._largest.get(name, 0), pages * PAGE)
        used = self._core_seconds()
        if used is not None:
            self._last = time.monotonic(), used
            self._first = self._first or self._last

    def figures(self) -> dict[str, Any]:
        """`process.*`; what was not seen is None."""
        figures: dict[str, Any] = {
            f"{name}_rss_mb": round(self._largest[name] / 1e6, 1) if name in self._largest else None
            for name in ("parent", *NAMES)
        }
        figures["core_cpu_percent"] = None
        if self._first and self._last and self._last[0] > self._first[0]:
            share = (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])
            figures["core_cpu_percent"] = round(100 * share, 1)
        return figures

    def _core_seconds(self) -> float | None:
        try:
            fields = Path(f"/proc/{self._pids['core']}/stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, KeyError, IndexError):
            return None
        return (int(fields[11]) + int(fields[12])) / TICKS
