"""When a line counts as lost: silent, or speaking what cannot be read."""

from __future__ import annotations

from collections import deque

from rsu_agent.ports.trouble import DeviceLost

OUTCOMES = 24  # frames looked back on; about two seconds of polling
MOSTLY = 20  # of them unreadable: no accident
ENOUGH_BYTES = 32  # rubbish beyond what a plug going in makes


class Verdict:
    """Remembers the last good frame and how many of the last were unreadable.

    The hints are for a technician.
    """

    def __init__(self, silent_after_s: float, now_s: float, silent_hint: str, garbled_hint: str) -> None:
        self._silent_after_s, self._good_s = silent_after_s, now_s
        self._silent_hint, self._garbled_hint = silent_hint, garbled_hint
        self._bad_bytes = 0
        self._outcomes: deque[bool] = deque(maxlen=OUTCOMES)

    def good(self, now_s: float) -> None:
        """A frame that could be read."""
        self._good_s, self._bad_bytes = now_s, 0
        self._outcomes.append(True)

    def bad(self, size: int) -> None:
        """A frame of so many bytes that could not."""
        self._bad_bytes += size
        self._outcomes.append(False)

    def garbled(self, why: str, size: int) -> None:
        """What a deframer could not read: bytes outside any frame ("noise") have cost no frame by themselves,
        in however many chunks they came."""
        if why == "noise":
            self._bad_bytes += size
        else:
            self.bad(size)

    @property
    def silent_at_s(self) -> float:
        """When silence becomes a loss if nothing good comes before."""
        return self._good_s + self._silent_after_s

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: garbled or silent."""
        if self._outcomes.count(False) >= MOSTLY:
            raise DeviceLost("garbled", f"{MOSTLY} of the last {OUTCOMES} frames", self._garbled_hint)
        silent_s = now_s - self._good_s
        if silent_s <= self._silent_after_s:
            return
        told = f"no frame for {silent_s:.1f} s"
        if self._bad_bytes >= ENOUGH_BYTES:
            raise DeviceLost("garbled", f"{told}, {self._bad_bytes} bytes", self._garbled_hint)
        raise DeviceLost("silent", told, self._silent_hint)
