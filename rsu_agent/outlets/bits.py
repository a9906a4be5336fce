"""Bits of a frame one field after the other: what the guard's own readers are made of."""

from __future__ import annotations


class NotSpat(ValueError):
    """Bytes that are no SPAT frame of the kind that we send; cause: its row in the guard's table."""

    def __init__(self, text: str, cause: str = "unreadable") -> None:
        super().__init__(text)
        self.cause = cause


class Bits:
    """Fields from the first bit on. Raises NotSpat when they end too early."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, width: int) -> int:
        """The next `width` bits."""
        self._left -= width
        if self._left < 0:
            raise NotSpat("ends too early")
        return self._value >> self._left & ((1 << width) - 1)

    def end(self) -> None:
        """Only padding may follow."""
        if self._left >= 8 or self._value & ((1 << self._left) - 1):
            raise NotSpat("more follows")
