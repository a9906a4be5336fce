"""Listening to a dialogue between the centre and a controller: values describe themselves. Sans-IO."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from drivers.gbt20999 import ids
from drivers.gbt20999.link import deframer
from drivers.gbt20999.programme import compiled
from drivers.gbt20999.reports import report
from drivers.gbt20999.settings import Settings
from drivers.gbt20999.wire import Address, Frame, Garbled, Kind
from rsu_agent.ports.sweep import Sweep
from rsu_agent.ports.trouble import DeviceLost
from rsu_agent.ports.verdict import Verdict
from rsu_agent.world.signal import Programme, SignalReport

TELLING = frozenset({Kind.REPLY, Kind.TRAP})
ASKING = {0x10: "centre_queries", 0x30: "centre_sets", 0x70: "heartbeats"}
LEAST_SILENCE_S = 10.0  # a centre may poll as slowly as that
SETTLED_S = 5.0  # groups and configuration are told on once nothing new has been heard for so long
MOST_VALUES = 4096  # of configuration that are kept; a large controller has some 2,000

SILENT_HINT = "nobody speaks: check that the tap is on the controller's transmit wire, and the baud rate"
GARBLED_HINT = "bytes come but no frames: check baud rate, parity, polarity and the checksum setting"


class Listener:
    """Never writes. The controller is the one that answers first, unless the site file names it."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        wire = settings.line("listener")
        self._settings = settings
        self._deframer = deframer(settings.dialect(), wire.byte_s, datagrams=wire.keeps_bounds)
        silent_s = max(settings.silent_after_s, LEAST_SILENCE_S)
        self._verdict = Verdict(silent_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._sweep = Sweep()
        self._known: dict[Address, bytes | None] = {}
        self._groups: set[int] = set(range(1, settings.groups + 1)) if settings.groups else set()
        self._news_s: float | None = None  # when something new was heard that has not been told on
        self._programme: Programme | None = None
        self._controller = settings.controller_id
        self.counters: Counter[str] = Counter()

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: silent or garbled."""
        self._verdict.check(now_s)

    def next_bytes(self, now_s: float) -> bytes | None:  # noqa: ARG002
        """Nothing, ever."""
        return None

    def wake_s(self, now_s: float) -> float:  # noqa: ARG002
        """When silence becomes a loss."""
        return self._verdict.silent_at_s

    def receive(self, data: bytes, now_s: float) -> Iterator[SignalReport | Programme]:
        """Take bytes of either direction. Raises DeviceLost for another controller."""
        self.counters["bytes"] += len(data)
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Garbled):
                self.counters["garbled"] += 1
                self.counters[f"garbled_{found.why}"] += 1
                self._verdict.garbled(found.why, found.size)
            else:
                self._verdict.good(now_s)
                self.counters["frames"] += 1
                yield from self._frame(found, now_s)

    def _frame(self, frame: Frame, now_s: float) -> Iterator[SignalReport | Programme]:
        if frame.kind not in TELLING:
            self.counters[ASKING.get(frame.kind, "other_frames")] += 1
            return
        self._same_controller(frame)
        if self._programme is None and self._news_s is None:
            self._news_s = now_s
        self._learn(frame, now_s)
        yield from self._told(now_s)
        groups = self._programme.groups if self._programme else ()
        made = report(frame, groups, self._settings.crossing)
        if made is not None:
            self.counters["reports"] += 1
            yield from self._sweep.take(made, groups)

    def _learn(self, frame: Frame, now_s: float) -> None:
        for address, data in frame.values:
            if address[:3] == ids.LAMP(1)[:3] and data and address.element:
                if not self._settings.groups and address.element not in self._groups:
                    self._groups.add(address.element)
                    self._news_s = now_s
            elif ids.is_configuration(address) and self._is_news(address, data):
                self._known[address] = data
                self._news_s = now_s

    def _is_news(self, address: Address, data: bytes) -> bool:
        """Whether this is not known yet, and there is room for it."""
        room = address in self._known or len(self._known) < MOST_VALUES
        return room and self._known.get(address, b"") != data

    def _told(self, now_s: float) -> Iterator[Programme]:
        """The programme as far as it has been heard, whenever more of it is known."""
        at_once = self._programme is None and self._settings.groups is not None
        waits = self._news_s is None or now_s - self._news_s < SETTLED_S
        if not self._groups or (waits and not at_once):
            return
        known = self._known | {ids.GROUP_COUNT: bytes([max(self._groups)])}
        known |= {
            ids.LAMP(group): None for group in range(1, max(self._groups) + 1) if group not in self._groups
        }
        made = compiled(known, self._controller or 0, self._settings.crossing)
        self._news_s = None
        if self._programme is None or made.fingerprint != self._programme.fingerprint:
            self._programme = made
            yield made

    def _same_controller(self, frame: Frame) -> None:
        if self._controller is None:
            self._controller = frame.controller
        if frame.controller != self._controller:
            raise DeviceLost(
                "refused",
                f"controller {frame.controller} answers instead of {self._controller}",
                "on a line with several controllers name ours: controller_id",
            )
