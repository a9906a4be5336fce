"""A live stream's own time stamps against our clock: what goes back, and what falls behind. Sans-IO."""

from __future__ import annotations

import math

from rsu_agent.ports.trouble import DeviceLost

BEHIND_S = 1.0  # pictures this much later than the quickest one lie in a buffer that grows
PATIENCE_S = 2.0  # a burst after a hiccup of the network is caught up within this
CLOCKS_APART = 500e-6  # two quartz clocks differ by less: slower growth is no buffer
MOST_BACK = 25  # so many pictures in a row that go back: the camera counts anew


class StreamTime:
    """Fed with every picture of one life of a stream.

    Time stamps count from any origin; streams that tell none (0, or no number) are not judged.
    """

    def __init__(self) -> None:
        self._newest_ms: float | None = None
        self._quickest_s: float | None = None
        self._took_s = 0.0
        self._behind_since_s: float | None = None
        self._back = 0

    def took(self, stamp_ms: float, at_s: float) -> bool:
        """Whether the picture that came at at_s is newer than those before.

        Raises DeviceLost: `garbled` where the stamps stay behind one seen before, `late` where they fall
        behind our clock; opening anew mends both.
        """
        if not math.isfinite(stamp_ms) or stamp_ms <= 0.0:
            return True
        if self._newest_ms is not None and stamp_ms <= self._newest_ms:
            self._back += 1
            if self._back > MOST_BACK:
                raise DeviceLost("garbled", "the stream's time stamps went back and stay behind")
            return False
        self._newest_ms, self._back = stamp_ms, 0
        self._check_pace(at_s - stamp_ms / 1000, at_s)
        return True

    def _check_pace(self, offset_s: float, at_s: float) -> None:
        """offset_s: our clock less the stream's. It grows by what waits in buffers."""
        if self._quickest_s is None:
            self._quickest_s = offset_s
        else:
            allowed_s = (at_s - self._took_s) * CLOCKS_APART
            self._quickest_s = min(self._quickest_s + allowed_s, offset_s)
        self._took_s = at_s
        behind_s = offset_s - self._quickest_s
        if behind_s <= BEHIND_S:
            self._behind_since_s = None
            return
        if self._behind_since_s is None:
            self._behind_since_s = at_s
        if at_s - self._behind_since_s > PATIENCE_S:
            raise DeviceLost("late", f"the stream runs {behind_s:.1f} s behind", "too much for this machine?")


class Thinning:
    """Takes most_fps pictures a second of a stream that has more, evenly, and all of one that has not."""

    def __init__(self, most_fps: float) -> None:
        self._gap_s = 1 / most_fps
        self._due_s = float("-inf")

    def takes(self, at_s: float) -> bool:
        """Whether the picture of at_s is one of them."""
        if at_s < self._due_s - self._gap_s / 2:
            return False
        late = at_s - self._due_s >= self._gap_s
        self._due_s = (at_s if late else self._due_s) + self._gap_s
        return True
