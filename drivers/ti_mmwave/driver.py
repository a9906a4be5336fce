"""Opens a TI mmWave radar's data port and yields its frames."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.ti_mmwave.link import Deframer, RawFrame, read_frame
from drivers.ti_mmwave.settings import Settings
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.line import Line, LineSettings, open_line
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost

NUMBERS = 1 << 32
MOST_MISSED = 1000  # a larger step is a restart of the radar, not a loss


class Radar:
    """ports.devices.Radar over an open line."""

    def __init__(self, line: Line, settings: Settings, clock: Clock) -> None:
        self._line, self._settings, self._clock = line, settings, clock
        self._deframer = Deframer(settings.baud, settings.profile)
        self._ready: deque[RawFrame] = deque()
        self._last: int | None = None
        self.counters = self._deframer.counters

    def __aiter__(self) -> AsyncIterator[RadarFrame]:
        return self

    async def __anext__(self) -> RadarFrame:
        quiet_since_s = self._clock.now_s()
        while not self._ready:
            with self._clock.move_on_after(self._settings.silence_s) as scope:
                received = await self._line.read()
                self._ready.extend(self._deframer.receive(received.data, received.arrived_s))
            quiet_s = self._clock.now_s() - quiet_since_s
            if scope.cancelled_caught or (not self._ready and quiet_s > self._settings.silence_s):
                raise DeviceLost(
                    "silent", f"no frame for {quiet_s:.1f} s", "is the sensor started? check its power"
                )
        raw = self._ready.popleft()
        measured_s = raw.first_byte_s - self._settings.latency_ms / 1000
        return read_frame(raw, measured_s, self._missed(raw.number), self.counters)

    def _missed(self, number: int) -> int:
        last, self._last = self._last, number
        step = 1 if last is None else (number - last) % NUMBERS
        missed = step - 1 if 1 <= step <= MOST_MISSED else 0
        self.counters["missed"] = self.counters.get("missed", 0) + missed
        return missed


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[Radar]:
    """The radar on this port. Raises DeviceLost."""
    async with open_line(LineSettings(settings.data_port, settings.baud, role="listener"), clock) as line:
        yield Radar(line, settings, clock)


PLUGIN = Plugin("ti_mmwave", Kind.RADAR, Settings, open_radar)
