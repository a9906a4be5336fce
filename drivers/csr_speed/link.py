"""Speeds of a simple radar: lone bytes doubted, another format recognised. Sans-IO."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.csr_speed.configuring import Configuring
from drivers.csr_speed.reader import GAP_S, NETWORK_GAP_S, Found, Reader
from drivers.csr_speed.settings import Settings
from drivers.csr_speed.wire import ANSWER, IDLE, KMH, WAYS, Garbled, Kmh, PowerOn, Reply
from drivers.csr_speed.wrong_format import WrongFormat
from rsu_agent.ports.devices import RadarFrame, SpeedReading
from rsu_agent.ports.radar_line import ListeningLink
from rsu_agent.ports.trouble import DeviceLost

IDLE_EVERY_S = 0.2  # nothing moves: said so often, not every 26 ms
SECOND_S = 0.1  # without framing a speed counts when another confirms it within so long ...
SECOND_KMH = 15  # ... and so near: 26 ms of hard braking are 1 km/h, two vehicles differ by more
MOST_BYTES = 1024  # more than a second at 9600 baud in one chunk: only the newest are worth reading
WRONG = 8  # chunks that look like another format: no accident

SILENT_HINT = "check cable and power; a radar in trigger or answer mode says nothing by itself: set `mode`"
GARBLED_HINT = "check baud rate and `format`"


class Link(ListeningLink):
    """Bytes and time in, radar frames, questions and configuration out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        super().__init__(settings.lost_after_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._settings = settings
        on_network = settings.line("listener").on_network
        self._reader = Reader(settings.format, NETWORK_GAP_S if on_network else GAP_S)
        self._looks = WrongFormat(settings.format)
        self._wrong: dict[str, int] = {}
        self._unframed = settings.format == "byte" and settings.mode == "continuous"
        self._last: Kmh | None = None
        self._idle_s = float("-inf")
        self._number = 0
        self._ask_s = now_s
        self._asked = False
        self._configuring: Configuring | None = None
        self._configure()

    @property
    def kept_bytes(self) -> int:
        """Bytes that wait for the rest of a word."""
        return self._reader.kept_bytes

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled, and garbled for another format than the site file says."""
        for form, seen in self._wrong.items():
            if seen >= WRONG:
                raise DeviceLost("garbled", f"the radar sends the format {form}", f"set format: {form}")
        super().check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:
        """The next step of configuration, else the question of answer mode."""
        if (own := self._configuring) is not None:
            step = own.next_bytes(now_s)
            if own.running:
                return step
            self.counters["configuration_refused" if own.refused else "configured"] += 1
            self._configuring = None
        if self._settings.mode != "answer" or now_s < self._ask_s:
            return None
        self._ask_s = max(self._ask_s + 1 / self._settings.ask_hz, now_s)
        self._asked = True
        self.counters["questions"] += 1
        return ANSWER

    def wake_s(self, now_s: float) -> float:
        """When something is to be sent or silence becomes a loss."""
        due_s = super().wake_s(now_s)
        if self._configuring is not None:
            return min(due_s, max(now_s, self._configuring.due_s))
        return min(due_s, self._ask_s) if self._settings.mode == "answer" else due_s

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        """Take a chunk read at now_s."""
        self.counters["bytes"] += len(data)
        self.counters["overrun_bytes"] += max(0, len(data) - MOST_BYTES)
        data = self._without_echo(data)[-MOST_BYTES:]
        if form := self._looks.see(data):
            self._wrong[form] = self._wrong.get(form, 0) + 1
            self.counters[f"looks_like_{form}"] += 1
        for found in self._reader.receive(data, now_s):
            if (frame := self._take(found, now_s)) is not None:
                yield frame

    def _without_echo(self, data: bytes) -> bytes:
        """An adapter may hear our own question; in the two-byte format it could be a direction too."""
        asked, self._asked = self._asked, False
        if not asked or not data.startswith(ANSWER):
            return data
        if self._settings.format == "two_bytes" and not (len(data) > 1 and data[1] in WAYS):
            return data
        self.counters["echoes"] += 1
        return data[1:]

    def _take(self, found: Found, now_s: float) -> RadarFrame | None:
        match found:
            case Garbled():
                self._garbled(found.why, found.size)
            case Reply():
                self.counters["replies"] += 1
                self._verdict.good(now_s)
                if self._configuring is not None:
                    self._configuring.take(found)
            case PowerOn():
                self.counters["power_on"] += 1
                self._configure()
            case Kmh():
                self._verdict.good(now_s)
                self.counters["words"] += 1
                return self._heard(found)
        return None

    def _heard(self, said: Kmh) -> RadarFrame | None:
        """A frame with a speed, or an empty one now and then while nothing moves."""
        last, self._last = self._last, said
        if said.speed == IDLE:
            if said.at_s - self._idle_s < IDLE_EVERY_S:
                return None
            self._idle_s = said.at_s
            return self._frame(said.at_s, ())
        if self._unframed and not _confirms(last, said):
            self.counters["unconfirmed"] += 1
            return None
        mps = said.speed * KMH
        return self._frame(said.at_s, (SpeedReading(mps if said.away is not False else -mps, said.away),))

    def _frame(self, at_s: float, speeds: tuple[SpeedReading, ...]) -> RadarFrame:
        self._number += 1
        self.counters["reports"] += 1
        return RadarFrame(self._number, at_s - self._settings.latency_ms / 1000, (), speeds=speeds)

    def _configure(self) -> None:
        if self._settings.low_limit_kmh is not None:
            self._configuring = Configuring(self._settings.low_limit_kmh)


def _confirms(last: Kmh | None, said: Kmh) -> bool:
    """Whether the word before tells nearly the same speed."""
    if last is None or last.speed == IDLE:
        return False
    return said.at_s - last.at_s <= SECOND_S and abs(said.speed - last.speed) <= SECOND_KMH
