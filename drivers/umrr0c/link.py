"""Cycles of a UMRR-0C: objects in the sensor's frame, stamps by its uptime, losses by its count. Sans-IO."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator

from drivers.umrr0c.deframer import Deframer, Frame, Garbled
from drivers.umrr0c.settings import Axes, Settings
from drivers.umrr0c.wire import CONTROL, OBJECTS, STATUS, Object, control, read_object, uptime_s
from rsu_agent.ports.devices import RadarFrame, RadarTarget
from rsu_agent.ports.radar_line import ListeningLink
from rsu_agent.ports.stamp_fit import StampFit
from rsu_agent.ports.target_epochs import TargetEpochs

CYCLES = 1 << 32
MOST_MISSED = 1000  # a larger step is a restart of the radar, not a loss
STEPS = 15  # cycles looked back on: some radars count by two
ENOUGH_STEPS = 5

SILENT_HINT = "check power, polarity and termination of the RS-485 pair, and that the radar is set to send"
GARBLED_HINT = "bytes come but no frames: check the baud rate; this protocol was never tried on real bytes"

# axes -> (forward, left) of a vector of the radar
TURNS: dict[Axes, Callable[[float, float], tuple[float, float]]] = {
    "x_forward_y_left": lambda x, y: (x, y),
    "x_forward_y_right": lambda x, y: (x, -y),
    "y_forward_x_right": lambda x, y: (y, -x),
    "y_forward_x_left": lambda x, y: (y, x),
}


class Link(ListeningLink):
    """Bytes and time in, radar frames out."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        super().__init__(settings.silence_s, now_s, SILENT_HINT, GARBLED_HINT)
        self._turn = TURNS[settings.axes]
        self._latency_s = settings.latency_ms / 1000
        self._deframer = Deframer(settings)
        self._fit = StampFit()
        self._epochs = TargetEpochs()
        self._cycle: int | None = None
        self._steps: deque[int] = deque(maxlen=STEPS)

    @property
    def kept_bytes(self) -> int:
        """Bytes that wait for the rest of a frame."""
        return self._deframer.kept_bytes

    def receive(self, data: bytes, now_s: float) -> Iterator[RadarFrame]:
        """Take a chunk read at now_s."""
        self.counters["bytes"] += len(data)
        for found in self._deframer.receive(data, now_s):
            if isinstance(found, Garbled):
                self._garbled(found.why, found.size)
                continue
            self._verdict.good(now_s)
            self.counters["frames"] += 1
            self.counters["crc_good" if found.checked else "crc_bad"] += 1
            frame = self._cycle_of(found)
            if frame is not None:
                yield frame

    def _cycle_of(self, frame: Frame) -> RadarFrame | None:
        """One cycle, an empty one too; None: a frame without cycle or objects."""
        told, objects = None, []
        at_s = frame.first_byte_s
        for message in frame.messages:
            if message.ident == STATUS and (up_s := uptime_s(message.data)) is not None:
                at_s = self._fit.at_s(up_s, frame.first_byte_s)
            elif message.ident == CONTROL and (cycle := control(message.data)) is not None:
                told = cycle
            elif message.ident in OBJECTS and (thing := read_object(message.data)) is not None:
                objects.append(thing)
            else:
                self.counters["other_messages"] += 1
        self.counters["clock_jumps"] = self._fit.jumps
        if told is None and not objects:
            return None
        missed = 0
        if told is None:
            self.counters["objects_without_cycle"] += 1
        else:
            missed = self._missed(told.cycle)
            self.counters["count_mismatch"] += told.targets != len(objects)
        self.counters["reports"] += 1
        at_s -= self._latency_s
        targets = tuple(self._target(thing, at_s) for thing in objects)
        return RadarFrame(self._cycle or 0, at_s, (), targets, missed)

    def _missed(self, cycle: int) -> int:
        """Cycles lost before this one, by the step that the radar mostly makes."""
        last, self._cycle = self._cycle, cycle
        step = 0 if last is None else (cycle - last) % CYCLES
        if not 0 < step <= MOST_MISSED:
            return 0
        self._steps.append(step)
        if len(self._steps) < ENOUGH_STEPS:
            return 0
        usual = Counter(self._steps).most_common(1)[0][0]
        missed = max(0, step // usual - 1)
        self.counters["missed"] += missed
        return missed

    def _target(self, thing: Object, at_s: float) -> RadarTarget:
        place = self._turn(thing.x_m, thing.y_m)
        velocity = self._turn(thing.vx_mps, thing.vy_mps)
        epoch = self._epochs.epoch(thing.number, place, velocity, at_s)
        return RadarTarget(
            thing.number,
            *place,
            *velocity,
            epoch=epoch,
            measured=thing.updated,
            kind=thing.kind,
            length_m=thing.length_m,
        )
