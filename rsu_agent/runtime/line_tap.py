"""What passes on the controller's line, kept for whoever looks: bounded, and never in the way of the line."""

from __future__ import annotations

from typing import Any

from rsu_agent.runtime.watch_signals import Raw, RawLog

MOST_AT_ONCE = 200  # pieces in one answer; a slow reader gets the rest with the next


class LineTap:
    """Called by a driver with each piece of bytes; `after` gives a reader what is new to it."""

    def __init__(self) -> None:
        self._log, self._count = RawLog(), 0

    def __call__(self, direction: str, data: bytes, at_s: float) -> None:
        self._log.add(Raw(at_s, direction, data))
        self._count += 1

    def after(self, number: int | None) -> tuple[int, list[dict[str, Any]]]:
        """(the number to ask with next, pieces that came after `number`: `t` monotonic s, `dir`, `hex`).

        None begins with the next piece. Pieces that are kept no longer are told as `missed`.
        """
        if number is None or number > self._count:
            return self._count, []
        kept = list(self._log.newest_first())[: self._count - number][::-1]
        missed = self._count - number - len(kept)
        told = [{"t": round(raw.at_s, 3), "dir": raw.direction, "hex": raw.data.hex()} for raw in kept]
        if missed:
            told[:0] = [{"missed": missed}]
        return number + missed + min(len(kept), MOST_AT_ONCE), told[: MOST_AT_ONCE + bool(missed)]
