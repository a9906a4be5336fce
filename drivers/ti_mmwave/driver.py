"""Opens a TI mmWave radar, starts it where the site file says how, and yields its frames."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drivers.ti_mmwave.configuration import Configuration
from drivers.ti_mmwave.frames import FrameReader
from drivers.ti_mmwave.link import END_S, Deframer, RawFrame
from drivers.ti_mmwave.numbering import Numbering
from drivers.ti_mmwave.radar_time import RadarTime, Timing
from drivers.ti_mmwave.settings import Settings
from drivers.ti_mmwave.start import start
from rsu_agent.ports.clock import Clock
from rsu_agent.ports.devices import RadarFrame
from rsu_agent.ports.line import Line, LineSettings, open_line
from rsu_agent.ports.line_faults import diagnosis
from rsu_agent.ports.plugins import Kind, Plugin
from rsu_agent.ports.trouble import DeviceLost

SILENT_HINT = "is the sensor started? check its power"
GARBLED_HINT = "bytes come but no frames: check baud rate, profile, and that this is the data port"
COOKED_HINT = "the terminal is not raw: another program has changed it (stty), carriage returns are lost"


class Radar:
    """ports.devices.Radar over an open line.

    doppler_limit_mps: the speed at which doppler wraps, m/s, where it is known: an oncoming user that is a
    little faster seems to go away.
    """

    def __init__(
        self, line: Line, settings: Settings, clock: Clock, configuration: Configuration | None = None
    ) -> None:
        self._line, self._settings, self._clock = line, settings, clock
        self._deframer = Deframer(settings.baud, settings.profile)
        self._ready: deque[RawFrame] = deque()
        counted = self._deframer.counters
        self.counters: dict[str, int] = counted
        self.doppler_limit_mps = settings.doppler_limit_mps
        if self.doppler_limit_mps is None and configuration is not None:
            self.doppler_limit_mps = configuration.doppler_limit_mps
        self._reader = FrameReader(
            counted, settings.target_bytes, settings.lateral_sign, self.doppler_limit_mps
        )
        self._numbering, self._time = Numbering(counted), RadarTime()

    @property
    def variant(self) -> str | None:
        """The header that is settled, by the site file or by what came."""
        return self._deframer.variant

    @property
    def timing(self) -> Timing:
        """The radar's clock against ours."""
        return self._time.timing

    def __aiter__(self) -> AsyncIterator[RadarFrame]:
        return self

    async def __anext__(self) -> RadarFrame:
        quiet_since_s, heard = self._clock.now_s(), self.counters["bytes"]
        while not self._ready:
            wait_s = END_S if self._deframer.open_end else self._settings.silence_s
            with self._clock.move_on_after(wait_s) as scope:
                received = await self._line.read()
                self.counters["bytes"] += len(received.data)
                self._ready.extend(self._deframer.receive(received.data, received.arrived_s))
            if scope.cancelled_caught:
                self._ready.extend(self._deframer.pause())
            quiet_s = self._clock.now_s() - quiet_since_s
            if not self._ready and quiet_s >= self._settings.silence_s:
                raise self._lost(quiet_s, self.counters["bytes"] > heard)
        return self._read(self._ready.popleft())

    def _read(self, raw: RawFrame) -> RadarFrame:
        numbered = self._numbering.take(raw.number)
        if numbered.anew:
            self._time.reset()
        measured_s = self._time.measured_s(numbered.number, raw.header.cycles, raw.first_byte_s)
        return self._reader.read(raw, numbered, measured_s - self._settings.latency_ms / 1000)

    def _lost(self, quiet_s: float, bytes_came: bool) -> DeviceLost:
        wire = diagnosis(self._line.errors())
        if not bytes_came:
            return DeviceLost("silent", f"no byte for {quiet_s:.1f} s", wire or SILENT_HINT)
        hint = COOKED_HINT if self.counters["cooked_tty_suspected"] else wire or GARBLED_HINT
        return DeviceLost("garbled", f"no frame for {quiet_s:.1f} s", hint)


@asynccontextmanager
async def open_radar(settings: Settings, clock: Clock) -> AsyncIterator[Radar]:
    """The radar on these ports, started. Raises DeviceLost.

    The data port is opened last: what it sent before would be stamped when it is taken, not when it came.
    """
    counted: Counter[str] = Counter()
    configuration = await start(settings, clock, counted)
    async with open_line(LineSettings(settings.data_port, settings.baud, role="listener"), clock) as line:
        radar = Radar(line, settings, clock, configuration)
        radar.counters.update(counted)
        yield radar


PLUGIN = Plugin("ti_mmwave", Kind.RADAR, Settings, open_radar)
