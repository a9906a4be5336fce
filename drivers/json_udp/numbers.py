"""Numbers for the names that a unit gives its targets, which may be words of any kind."""

from __future__ import annotations

MOST_NAMES = 1024
LARGEST_NUMBER = (1 << 31) - 1
WORDS_FROM = 1 << 31  # so that a word's number is never that of a number


class Numbers:
    """A whole number is itself; any other name gets one of its own, kept while it is among the newest."""

    def __init__(self) -> None:
        self._of: dict[str, int] = {}
        self._next = WORDS_FROM

    def of(self, name: str) -> int:
        """The number of this name."""
        if name.isascii() and name.isdecimal() and len(name) <= 10 and int(name) <= LARGEST_NUMBER:
            return int(name)
        number = self._of.pop(name, None)
        if number is None:
            number, self._next = self._next, self._next + 1
        self._of[name] = number
        if len(self._of) > MOST_NAMES:
            del self._of[next(iter(self._of))]
        return number
