"""One radar on a bus: found, heard, set and told that it stands. Bytes and time in, frames out; sans-IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from drivers.ars40x.codes import DIALECTS
from drivers.ars40x.configuring import Configurator
from drivers.ars40x.counting import MissedCycles
from drivers.ars40x.finding import Finder
from drivers.ars40x.link import Cycle, Link
from drivers.ars40x.reading import Reader
from drivers.ars40x.settings import Settings
from drivers.ars40x.wire import (
    CONFIGURATION,
    SPEED,
    TOLD,
    YAW_RATE,
    RadarState,
    Speed,
    Version,
    YawRate,
    joined,
)
from rsu_agent.ports.can_line import CanFrame
from rsu_agent.ports.devices import RadarFrame

STILL_S = 0.04  # a vehicle tells its motion every 20 to 50 ms
# what the radar says of itself -> word
WORDS = {
    "interference": "interference",
    "temperature_error": "temperature",
    "voltage_error": "voltage",
    "temporary_error": "temporary_error",
    "persistent_error": "persistent_error",
}


class Session:
    """`words`: what the radar complains of, by its last state; the same in `counters`, states each."""

    def __init__(self, settings: Settings, now_s: float, counters: Counter[str]) -> None:
        self._settings, self.counters = settings, counters
        self._dialect = DIALECTS[settings.dialect]
        self._finder = Finder(settings, now_s)
        self._link = Link(self._dialect, counters)
        self._missed = MissedCycles(counters)
        self._reader = Reader(settings, now_s, counters)
        self._configurator = Configurator(settings.wanted)
        self._to_send: list[tuple[int, bytes]] = []
        self._still_s = now_s
        self.state: RadarState | None = None
        self.version: Version | None = None
        self.words: tuple[str, ...] = ()

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent, missing or refused."""
        self._finder.check(now_s)

    def receive(self, frame: CanFrame) -> Iterator[RadarFrame]:
        """Take one message."""
        self.counters["frames"] += 1
        if not self._finder.ours(frame):
            self.counters["others"] += 1
            return
        for event in self._link.receive(frame):
            match event:
                case Cycle():
                    yield self._measured(event)
                case RadarState():
                    self._told(event)
                case Version():
                    self.version = event

    def tick(self, now_s: float) -> Iterator[RadarFrame]:
        """A cycle whose end did not come."""
        for cycle in self._link.tick(now_s):
            yield self._measured(cycle)

    def next_frames(self, now_s: float) -> list[tuple[int, bytes]]:
        """(identifier, data) of what to send now."""
        sensor = self._finder.sensor
        if sensor is None:
            return []
        due, self._to_send = self._to_send, []
        if self._settings.still and now_s >= self._still_s:
            self._still_s = max(self._still_s + STILL_S, now_s)
            due += [self._message(SPEED, Speed()), self._message(YAW_RATE, YawRate())]
        return due

    def wake_s(self, now_s: float) -> float:
        """When something is due if nothing comes before."""
        due = [self._finder.wake_s(now_s), self._link.due_s]
        if self._settings.still and self._finder.sensor is not None:
            due.append(self._still_s)
        return min(at_s for at_s in due if at_s is not None)

    def _measured(self, cycle: Cycle) -> RadarFrame:
        self._finder.cycle(cycle.begun_s)
        return self._reader.frame(cycle, self._missed.before(cycle.number))

    def _told(self, state: RadarState) -> None:
        self.state = state
        self.counters["states"] += 1
        if (change := self._configurator.next(state)) is not None:
            self.counters["configurations"] += 1
            self.counters["stores"] += change.store
            self._to_send = [self._message(CONFIGURATION, change)]
        words = [word for name, word in WORDS.items() if getattr(state, name)]
        if self._configurator.refused:
            words.append("configuration_refused")
        if self._settings.still and state.motion:
            words.append("motion_not_heard")
        for word in words:
            self.counters[word] += 1
        self.words = tuple(words)

    def _message(self, message: int, row: Speed | YawRate | object) -> tuple[int, bytes]:
        data = TOLD[message].write(row)
        sensor = self._finder.sensor or 0
        return joined(message, sensor), data.ljust(self._dialect.message_bytes or 0, b"\0")
