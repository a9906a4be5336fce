"""What an OPS243 says, as speeds away from it in m/s; what it is told, where the site asks. Sans-IO."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from drivers.ops243.settings import Settings
from drivers.ops243.sign_check import SignCheck
from drivers.ops243.wire import COMMANDS, FASTEST_MPS, Data, Garbled, LineCutter, Said, Speed, read_line
from rsu_agent.ports.devices import RadarFrame, SpeedReading
from rsu_agent.ports.radar_line import ListeningLink

BETWEEN_S = 0.1  # commands have no acknowledgement that is sure: one at a time, with a rest
RANGE_FRESH_S = 0.25  # a range line belongs to the speed line beside it
CLOCK_OFF_S = 5.0  # a clock that was set and is off by more was lost with a reset
AGAIN_S = 10.0  # at most so often is a reset answered

SILENT_HINT = "check cable and power; does it report zeros (BZ)? else leave silence_s away"
GARBLED_HINT = "lines come that are no reports: check the baud rate, and that raw output (OR, OF) is off"


class Link(ListeningLink):
    """Bytes and time in, radar frames and commands out. utc_ahead_s: UTC minus the monotonic clock."""

    def __init__(self, settings: Settings, now_s: float, utc_ahead_s: float) -> None:
        super().__init__(settings.silence_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._settings, self._utc_ahead_s = settings, utc_ahead_s
        self._units = settings.units
        self._cutter = LineCutter()
        self._check = SignCheck()
        self._range: tuple[float, float] | None = None  # (metres, instant)
        self._clock_s: float | None = None
        self._number = 0
        self._due: deque[str] = deque()
        self._due_s = self._told_s = now_s
        self._tell(now_s)

    @property
    def kept_bytes(self) -> int:
        """Bytes that wait for a line's end."""
        return self._cutter.kept_bytes

    @property
    def sign_mismatch(self) -> bool:
        """The range moves against the speed's sign: directions are not told while it does."""
        return self._check.mismatch

    def next_bytes(self, now_s: float) -> bytes | None:
        """The next command, if one is due."""
        if not self._due or now_s < self._due_s:
            return None
        self._due_s = now_s + BETWEEN_S
        self.counters["commands"] += 1
        command = self._due.popleft()
        if command == "clock":
            return b"C=%d\r\n" % round(now_s + self._utc_ahead_s)
        return COMMANDS[self._settings.units] if command == "units" else command.encode()

    def wake_s(self, now_s: float) -> float:
        """When a command is due or silence becomes a loss."""
        return min(self._due_s, super().wake_s(now_s)) if self._due else super().wake_s(now_s)

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        """Take a chunk read at now_s."""
        self.counters["bytes"] += len(data)
        for line in self._cutter.receive(data):
            read = line if isinstance(line, Garbled) else read_line(line)
            if isinstance(read, Garbled):
                self._garbled(read.why, read.size)
                continue
            self._verdict.good(now_s)
            self.counters["lines"] += 1
            if isinstance(read, Said):
                self._said(read, now_s)
            elif (frame := self._reported(read, now_s)) is not None:
                yield frame

    def _said(self, said: Said, now_s: float) -> None:
        self.counters["echoes"] += 1
        self._units = said.units or self._units
        if said.started and now_s - self._told_s > AGAIN_S:
            self._was_reset(now_s)

    def _reported(self, data: Data, now_s: float) -> RadarFrame | None:
        """A frame for a line of speeds, an empty one where nothing moves; ranges are kept for the speeds."""
        self._watch_clock(data.clock_s, now_s)
        if data.ranges_m:
            self._range = data.ranges_m[0], now_s
        if not data.speeds:
            return None
        if self._range is not None and now_s - self._range[1] > RANGE_FRESH_S:
            self._range = None
        self._number += 1
        self.counters["reports"] += 1
        at_s = now_s - self._settings.latency_ms / 1000
        speeds = [reading for n, each in enumerate(data.speeds) if (reading := self._reading(each, n, now_s))]
        return RadarFrame(self._number, at_s, (), speeds=tuple(speeds))

    def _reading(self, speed: Speed, place: int, now_s: float) -> SpeedReading | None:
        """Away positive; only the first report of a line has the range beside it."""
        mps = speed.mps(self._units)
        if mps == 0.0 or abs(mps) > FASTEST_MPS:
            self.counters["too_fast"] += mps != 0.0
            return None
        inbound = speed.inbound
        if inbound is None:
            inbound = (mps > 0) == (self._settings.positive == "inbound")
        away_mps = -abs(mps) if inbound else abs(mps)
        range_m = self._range[0] if self._range is not None and place == 0 else None
        if range_m is not None:
            self._check.see(away_mps, range_m, now_s)
        if self._check.mismatch:
            self.counters["sign_mismatch"] += 1
            return SpeedReading(abs(mps), None, range_m)
        return SpeedReading(away_mps, not inbound, range_m)

    def _watch_clock(self, clock_s: float | None, now_s: float) -> None:
        """A reset shows in the sensor's clock: it falls back to seconds since boot."""
        if clock_s is None:
            return
        last, self._clock_s = self._clock_s, clock_s
        back = last is not None and clock_s < last - CLOCK_OFF_S
        lost = self._settings.set_clock and abs(clock_s - now_s - self._utc_ahead_s) > CLOCK_OFF_S
        if (back or lost) and now_s - self._told_s > AGAIN_S:
            self._was_reset(now_s)

    def _was_reset(self, now_s: float) -> None:
        self.counters["resets"] += 1
        self._units = self._settings.units
        self._tell(now_s)

    def _tell(self, now_s: float) -> None:
        """What the site asks for; the clock last, when the rest no longer delays it."""
        self._told_s = now_s
        self._due.clear()
        self._due.extend(("units", "OJ", "OS", "OU", "BZ") if self._settings.configure else ())
        self._due.extend(("clock",) if self._settings.set_clock else ())
