"""The controller's clock beside ours: compared, named by its offset, never followed (field-rules 3.6)."""

from __future__ import annotations

from collections import deque
from statistics import median

from prometheus_client import Gauge

from rsu_agent.runtime.time_names import BEIJING_S, name_offset
from rsu_agent.world.signal import SignalReport

KEPT = 15  # readings; a controller tells whole seconds, and a report takes its time
DAY_S = 86_400.0
OFFSET = Gauge(
    "rsu_controller_clock_offset_seconds", "The controller's clock less UTC, while ours can be trusted."
)


class ControllerClock:
    """Fed with reports; knows the offset once a report has told the controller's time."""

    def __init__(self) -> None:
        self._offsets: deque[float] = deque(maxlen=KEPT)

    def saw(self, report: SignalReport, utc_less_s: float | None) -> None:
        """utc_less_s: UTC less monotonic time, None while our own clock is not trusted."""
        if utc_less_s is None:
            return
        utc_s = report.first_byte_s + utc_less_s
        if report.controller_utc_ms is not None:
            self._take(report.controller_utc_ms / 1000 - utc_s)
        elif report.controller_day_ms is not None:  # a time of day is one of the crossing's place
            apart_s = (report.controller_day_ms / 1000 - (utc_s + BEIJING_S)) % DAY_S
            self._take(apart_s - DAY_S if apart_s > DAY_S / 2 else apart_s)

    @property
    def offset_s(self) -> float | None:
        """The middle one of the last readings; None: the controller tells no time, or ours is not trusted."""
        return median(self._offsets) if self._offsets else None

    @property
    def named(self) -> str | None:
        """What a clock that is off by so much shows instead of UTC; None: nothing known."""
        return None if self.offset_s is None else name_offset(self.offset_s)

    def _take(self, offset_s: float) -> None:
        self._offsets.append(offset_s)
        OFFSET.set(median(self._offsets))
