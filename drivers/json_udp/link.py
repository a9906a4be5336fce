"""Datagrams of a radar-video unit into radar frames, stamped by its own clock laid onto ours. Sans-IO."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.json_udp.numbers import Numbers
from drivers.json_udp.settings import Settings
from drivers.json_udp.wire import Document, Reader, Told
from rsu_agent.ports.devices import RadarFrame, RadarTarget
from rsu_agent.ports.radar_line import ListeningLink
from rsu_agent.ports.stamp_fit import StampFit
from rsu_agent.ports.target_epochs import TargetEpochs

MOST_MISSED = 1000  # a larger step is a restart of the unit, not a loss

SILENT_HINT = "check that the unit sends to this machine's address and port"
GARBLED_HINT = (
    "datagrams come but no targets can be read: compare one with `targets` and `fields`; "
    "places farther than 500 m mean GCJ-02, or a wrong lat_deg, lon_deg or position_unit"
)


class Link(ListeningLink):
    """Datagrams and time in, radar frames out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        super().__init__(settings.silence_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._latency_s = settings.latency_ms / 1000
        self._reader = Reader(settings)
        self._fit = StampFit()
        self._numbers = Numbers()
        self._epochs = TargetEpochs()
        self._count = 0
        self._last_frame: int | None = None

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        """Take one datagram."""
        self.counters["bytes"] += len(data)
        read = self._reader.read(data)
        if isinstance(read, str):
            self._garbled(read, len(data))
            return
        for fault in read.faults:
            self.counters[f"left_out_{fault}"] += 1
        if read.faults and not read.targets:
            self._garbled("targets", len(data))
            return
        self._verdict.good(now_s)
        self.counters["frames"] += 1
        self._count += 1
        at_s = self._measured_s(read, now_s)
        targets = tuple(self._target(told, at_s) for told in read.targets)
        number = self._count if read.frame is None else read.frame
        yield RadarFrame(number, at_s, (), targets, self._missed(read.frame))

    def _measured_s(self, read: Document, now_s: float) -> float:
        if read.stamp_s is None:
            return now_s - self._latency_s
        at_s = self._fit.at_s(read.stamp_s, now_s)
        self.counters["clock_jumps"] = self._fit.jumps
        return at_s - self._latency_s

    def _missed(self, frame: int | None) -> int:
        last, self._last_frame = self._last_frame, frame
        if last is None or frame is None or not 1 < frame - last <= MOST_MISSED:
            return 0
        self.counters["missed"] += frame - last - 1
        return frame - last - 1

    def _target(self, told: Told, at_s: float) -> RadarTarget:
        number = self._numbers.of(told.name)
        return RadarTarget(
            number,
            *told.place_m,
            *told.velocity_mps,
            epoch=self._epochs.epoch(number, told.place_m, told.velocity_mps, at_s),
            exists=told.exists,
            kind=told.kind,
            length_m=told.length_m,
            width_m=told.width_m,
        )
