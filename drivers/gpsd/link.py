"""What gpsd has said so far, and how far our UTC may be off by it. Sans-IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from drivers.gpsd.settings import Settings
from drivers.gpsd.wire import (
    PROTOCOL,
    Devices,
    Fix,
    Garbled,
    LineCutter,
    Pulse,
    Report,
    SerialTime,
    Sky,
    Version,
)
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.world.health import TimeQuality

SOURCE = "gpsd"
FRESH_S = 5.0  # a receiver tells its fix and its pulse every second
MOST_DEVICES = 8
SERIAL_LATENCY_S = (
    1.0  # gpsd_json(5): sentences come 10 to 700 ms late, with 100 to 300 ms of jitter and wander
)

HINTS = {
    "missing": "gpsd has no device: plug the receiver in, or name it in /etc/default/gpsd",
    "silent": "gpsd hears no receiver: check its cable and power with gpsmon",
    "garbled": "is it gpsd that listens on this port?",
    "refused": "this gpsd speaks another protocol; use chrony with a refclock instead",
}

Told = TypeVar("Told", Fix, Pulse, SerialTime)


@dataclass(frozen=True, slots=True)
class Heard(Generic[Told]):
    """A report and when it came, monotonic."""

    report: Told
    at_s: float


class Link:
    """Fed with what the connection brings."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self._settings = settings
        self._cutter = LineCutter()
        self._heard_s = now_s
        self._garbled_since = self._empty = False
        self._protocol = PROTOCOL
        self._fixes: dict[str, Heard[Fix]] = {}
        self._pulses: dict[str, Heard[Pulse]] = {}
        self._serial: dict[str, Heard[SerialTime]] = {}
        self.satellites_used: int | None = None
        self.counters: dict[str, int] = Counter()

    def receive(self, data: bytes, now_s: float) -> None:
        """Take bytes; rubbish is counted."""
        for report in self._cutter.receive(data):
            self.counters[type(report).__name__.lower()] += 1
            self._take(report, now_s)

    def quality(self, now_s: float) -> TimeQuality:
        """The worst fresh pulse of a receiver with a fix; without one the serial time, far too coarse.

        Its read_s is when the pulse was told, so that whoever coasts adds the drift since then.
        gpsd does not tell of a leap second to come: leap stays `none`.
        """
        fixed = {name for name, heard in self._fresh(self._fixes, now_s) if self._believed(heard.report)}
        found = [
            TimeQuality(SOURCE, True, pulse.report.offset_s, _bound_s(pulse.report), pulse.at_s)
            for name, pulse in self._fresh(self._pulses, now_s)
            if name in fixed or (fixed and name not in self._fixes)  # a bare PPS device has no fix of its own
        ] or [
            TimeQuality(
                SOURCE, True, told.report.offset_s, self._serial_bound_s(name, told.report), told.at_s
            )
            for name, told in self._fresh(self._serial, now_s)
            if name in fixed
        ]
        return max(
            found, key=lambda one: one.bound_s or 0.0, default=TimeQuality(SOURCE, False, 0.0, None, now_s)
        )

    def lost(self, now_s: float) -> DeviceLost | None:
        """Why this connection is of no use any more."""
        if self._protocol != PROTOCOL:
            return _lost("refused", f"protocol {self._protocol}, not {PROTOCOL}")
        if now_s - self._heard_s < self._settings.silence_s:
            return None
        reason = "garbled" if self._garbled_since else "missing" if self._empty else "silent"
        return _lost(reason, f"no report of a receiver for {self._settings.silence_s:g} s")

    def _take(self, report: Report | Garbled, now_s: float) -> None:
        match report:
            case Garbled():
                self._garbled_since = True
                return
            case Version():
                self._protocol = report.protocol
                return
            case Devices():
                self._empty = not report.paths
                return
        if self._settings.devices and report.device not in self._settings.devices:
            return
        self._heard_s, self._garbled_since = now_s, False
        match report:
            case Fix():
                _keep(self._fixes, report, now_s)
            case Pulse():
                _keep(self._pulses, report, now_s)
            case SerialTime():
                _keep(self._serial, report, now_s)
            case Sky() if report.used is not None:
                self.satellites_used = report.used

    def _believed(self, fix: Fix) -> bool:
        wanted = self._settings.leap_seconds
        return fix.gives_time and (wanted is None or fix.leap_seconds in (None, wanted))

    def _serial_bound_s(self, name: str, told: SerialTime) -> float:
        return abs(told.offset_s) + SERIAL_LATENCY_S + self._fixes[name].report.error_s

    @staticmethod
    def _fresh(kept: dict[str, Heard[Told]], now_s: float) -> Iterator[tuple[str, Heard[Told]]]:
        return ((name, heard) for name, heard in kept.items() if now_s - heard.at_s <= FRESH_S)


def _keep(kept: dict[str, Heard[Told]], report: Told, now_s: float) -> None:
    if report.device in kept or len(kept) < MOST_DEVICES:
        kept[report.device] = Heard(report, now_s)


def _bound_s(pulse: Pulse) -> float:
    return abs(pulse.offset_s) + pulse.error_s


def _lost(reason: str, detail: str) -> DeviceLost:
    return DeviceLost(reason, f"gpsd: {detail}", HINTS[reason])
