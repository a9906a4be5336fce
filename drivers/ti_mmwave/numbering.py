"""Frame numbers: how many are missing, when they begin anew, and which ones a cooked terminal has changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

NUMBERS = 1 << 32
MOST_MISSED = 1000  # at 20 Hz most of a minute: longer gaps are a restart of the radar


@dataclass(frozen=True, slots=True)
class Numbered:
    """number: the true count as far as it can be told; missed: frames lost before; anew: it began again."""

    number: int
    missed: int
    anew: bool = False


class Numbering:
    """Sans-IO. A number that leaps is believed when the next one follows it: a spoilt one is no restart."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._last: int | None = None
        self._leapt: int | None = None

    def take(self, told: int) -> Numbered:
        """The next frame's number. Steps of 0 are sub-frames of one frame."""
        if self._last is None:
            self._last = told
            return Numbered(told, 0)
        due = (self._last + 1) % NUMBERS
        if told != due and told.to_bytes(4) == due.to_bytes(4).replace(b"\r", b"\n"):
            self._counters["cooked_numbers"] += 1
            told = due
        step, from_leap = _step(self._last, told), _step(self._leapt, told)
        self._leapt = None
        if step is not None:
            self._last = told
            missed = max(0, step - 1)
            self._counters["missed"] += missed
            return Numbered(told, missed)
        if from_leap is not None:
            self._last = told
            self._counters["resets"] += 1
            return Numbered(told, max(0, from_leap - 1), anew=True)
        self._counters["odd_numbers"] += 1
        self._leapt, self._last = told, due
        return Numbered(due, 0)


def _step(last: int | None, told: int) -> int | None:
    """How far this number is ahead, None: it does not go on from there."""
    step = None if last is None else (told - last) % NUMBERS
    return step if step is not None and step <= MOST_MISSED else None
