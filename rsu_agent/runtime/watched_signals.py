"""What a controller has said so far, put together for people who watch it. Sans-IO."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from rsu_agent.runtime.watch_signals import Event, Lost, Opened, Raw, RawLog
from rsu_agent.world.signal import Colour, Control, GroupTimes, Programme, SignalReport, StageReport

PERIODS = 20  # reports over which their period is averaged
OLD_PERIODS = 5.0  # so many missed reports are no hiccup
OLDEST_FRESH_S = 2.0  # and what is younger than this is not called old


@dataclass(slots=True)
class Shining:
    """One group. since_s: when its colour was first told; begun: it was seen to begin then.

    times: what the controller said last of this colour's end, counted from times_s.
    """

    colour: Colour
    since_s: float
    begun: bool
    times: GroupTimes | None = None
    times_s: float = 0.0

    def left_s(self, now_s: float) -> tuple[float, float] | None:
        """Least and most seconds until the end, equal where one end is likely; None: not told."""
        if self.times is None:
            return None
        told = self.times
        least = told.least_s if told.likely_s is None else told.likely_s
        most = told.most_s if told.likely_s is None else told.likely_s
        if least is None and most is None:
            return None
        passed_s = now_s - self.times_s
        low = 0.0 if least is None else least
        return max(0.0, low - passed_s), float("inf") if most is None else max(0.0, most - passed_s)


class WatchedSignals:
    """Takes every event of `watch_signals`; all times are monotonic seconds."""

    def __init__(self) -> None:
        self.raw = RawLog()
        self.opened: Opened | None = None
        self.lost: Lost | None = None
        self.counters: Mapping[str, int] = {}
        self.reports = 0
        self._forget()

    def _forget(self) -> None:
        """Nothing that was true before the line was lost is shown as if it were true now."""
        self.groups: dict[int, Shining] = {}
        self.programme: Programme | None = None
        self.control: Control | None = None
        self.plan: int | None = None
        self.stage: StageReport | None = None
        self.stage_s = 0.0
        self.faults: tuple[str, ...] | None = None
        self.alarms: tuple[str, ...] | None = None
        self.flags: dict[str, bool] = {}
        self._heard: deque[float] = deque(maxlen=PERIODS + 1)

    def take(self, event: Event) -> None:
        """One event, in the order they come."""
        match event:
            case Raw():
                self.raw.add(event)
            case Opened():
                self.opened, self.lost, self.counters = event, None, event.counters
                self._forget()
            case Lost():
                self.opened, self.lost = None, event
                self._forget()
            case Programme():
                self.programme = event
            case SignalReport():
                self.reports += 1
                self._report(event)
            case _:
                assert_never(event)

    def _report(self, report: SignalReport) -> None:
        times = {each.group: each for each in report.times}
        for lamp in report.lamps:
            known = self.groups.get(lamp.group)
            if known is None or known.colour is not lamp.colour:
                self.groups[lamp.group] = Shining(lamp.colour, report.first_byte_s, begun=known is not None)
        for group, told in times.items():
            if group in self.groups:
                self.groups[group].times, self.groups[group].times_s = told, report.first_byte_s
        if report.lamps and (not self._heard or report.last_byte_s > self._heard[-1]):
            self._heard.append(report.last_byte_s)
        self.control = report.control or self.control
        self.plan = self.plan if report.plan is None else report.plan
        if report.stage is not None:
            self.stage, self.stage_s = report.stage, report.first_byte_s
        self.faults = self.faults if report.faults is None else report.faults
        self.alarms = self.alarms if report.alarms is None else report.alarms
        for name in ("preempt", "priority", "fault_flash"):
            if (told_so := getattr(report, name)) is not None:
                self.flags[name] = told_so

    def stage_left_s(self, now_s: float) -> float | None:
        """Seconds of the running stage that are left; None: not told."""
        if self.stage is None or self.stage.remaining_s is None:
            return None
        return max(0.0, round(self.stage.remaining_s - (now_s - self.stage_s), 3))

    def period_s(self) -> float | None:
        """Mean seconds between reports of colours, of the last ones; None: too few yet."""
        if len(self._heard) < 2:
            return None
        return (self._heard[-1] - self._heard[0]) / (len(self._heard) - 1)

    def age_s(self, now_s: float) -> float | None:
        """Seconds since colours were told; None: never."""
        return now_s - self._heard[-1] if self._heard else None

    def old(self, now_s: float) -> bool:
        """Whether colours have not been told for so long that they may be others by now."""
        age_s = self.age_s(now_s)
        return age_s is not None and age_s > max(OLDEST_FRESH_S, OLD_PERIODS * (self.period_s() or 0.0))
