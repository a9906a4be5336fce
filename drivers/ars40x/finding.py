"""Which radar of the bus is ours: a scan of all eight numbers, and what to say when it is not there."""

from __future__ import annotations

from drivers.ars40x.codes import DIALECTS
from drivers.ars40x.settings import Settings
from drivers.ars40x.wire import CLUSTER_STATUS, HEARD, OBJECT_STATUS, STATE, RadarState, split
from rsu_agent.ports.can_line import CanFrame
from rsu_agent.ports.trouble import DeviceLost

SCAN_S = 1.5  # each radar tells its state once a second
SIGNS = (STATE, CLUSTER_STATUS, OBJECT_STATUS)
OUTPUTS = {0: "nothing", 1: "objects", 2: "clusters", 3: "nothing that is known"}

SILENT_HINT = "check power, CAN-H and CAN-L, 120 ohm at both ends, 500 kbit/s"
NO_CYCLE_HINT = "set `wanted: {output: objects}`"


class Finder:
    """Takes the radar named in the settings, or the only one heard while scanning."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self._silence_s = settings.silence_s
        self._bytes = DIALECTS[settings.dialect].message_bytes
        self._scanned_s = now_s + SCAN_S
        self._cycle_s = now_s
        self._heard: dict[int, float] = {}  # sensor -> when
        self._outputs: dict[int, int] = {}
        self.sensor: int | None = settings.sensor_id

    def ours(self, frame: CanFrame) -> bool:
        """Whether this message is of our radar; the scan learns from it."""
        message, sensor = split(frame.id)
        if message in SIGNS and self._is_sign(message, sensor, frame.data):
            self._heard[sensor] = frame.arrived_s
        if self.sensor is None and frame.arrived_s >= self._scanned_s and len(self._heard) == 1:
            (self.sensor,) = self._heard
        return sensor == self.sensor

    def cycle(self, begun_s: float) -> None:
        """Our radar has measured."""
        self._cycle_s = begun_s

    def wake_s(self, now_s: float) -> float:
        """When `check` may have something to say."""
        if self.sensor is None and now_s < self._scanned_s:
            return self._scanned_s
        return self._cycle_s + self._silence_s

    def check(self, now_s: float) -> None:
        """Raises DeviceLost: refused where there are several, missing, silent."""
        if self.sensor is None and now_s >= self._scanned_s and len(self._heard) > 1:
            raise DeviceLost("refused", f"several radars: {self._names(now_s)}", "name one: `sensor_id`")
        silent_s = now_s - self._cycle_s
        if silent_s <= self._silence_s:
            return
        names = self._names(now_s)
        if not names:
            raise DeviceLost("silent", f"no radar of any number for {silent_s:.1f} s", SILENT_HINT)
        if self.sensor is not None and now_s - self._heard.get(self.sensor, -1e9) > self._silence_s:
            raise DeviceLost("missing", f"no radar {self.sensor}; heard: {names}", "check `sensor_id`")
        raise DeviceLost("silent", f"no cycle for {silent_s:.1f} s; heard: {names}", NO_CYCLE_HINT)

    def _names(self, now_s: float) -> str:
        """The radars heard of late and what they say that they send."""
        fresh = sorted(sensor for sensor, at_s in self._heard.items() if now_s - at_s <= self._silence_s)
        return ", ".join(
            f"{sensor} (sends {OUTPUTS[self._outputs[sensor]]})" if sensor in self._outputs else str(sensor)
            for sensor in fresh
        )

    def _is_sign(self, message: int, sensor: int, data: bytes) -> bool:
        """A state that names its own number, or the beginning of a cycle."""
        layout = HEARD[message]
        if len(data) != (self._bytes or layout.size):
            return False
        if message == STATE:
            state: RadarState = layout.read(data)
            if state.sensor != sensor:
                return False
            self._outputs[sensor] = state.output
        return True
