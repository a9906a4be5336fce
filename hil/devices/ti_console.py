"""The command line of a TI mmWave demo: its answers, its refusals, its silence (facts/radars 1.4)."""

from __future__ import annotations

PROMPT = "mmwDemo:/>"
LINE_BYTES = 256
FRONT_END = (
    "dfeDataOutputMode",
    "channelCfg",
    "adcCfg",
    "adcbufCfg",
    "profileCfg",
    "chirpCfg",
    "frameCfg",
    "lowPower",
    "guiMonitor",
)
PROCESSING = (
    "cfarCfg",
    "multiObjBeamForming",
    "clutterRemoval",
    "calibDcRangeSig",
    "extendedMaxVelocity",
    "bpmCfg",
    "lvdsStreamCfg",
    "compRangeBiasAndRxChanPhase",
    "measureRangeBiasAndRxChanPhase",
    "CQRxSatMonitor",
    "CQSigImgMonitor",
    "analogMonitor",
    "aoaFovCfg",
    "cfarFovCfg",
)
TRACKING = (
    "staticBoundaryBox",
    "boundaryBox",
    "gatingParam",
    "stateParam",
    "allocationParam",
    "maxAcceleration",
    "trackingCfg",
    "sensorPosition",
    "presenceBoundaryBox",
)
PEOPLE = (  # of the 3D people counting demo; names recalled, not in the facts
    "dynamicRACfarCfg",
    "staticRACfarCfg",
    "dynamicRangeAngleCfg",
    "dynamic2DAngleCfg",
    "staticRangeAngleCfg",
    "antGeometry0",
    "antGeometry1",
    "antPhaseRot",
    "fovCfg",
)
KNOWN = frozenset((*FRONT_END, *PROCESSING, *TRACKING, *PEOPLE, "flushCfg", "sensorStart", "sensorStop"))
MONITORS = frozenset({"CQRxSatMonitor", "CQSigImgMonitor", "analogMonitor"})  # not once it runs
FROZEN = frozenset({"channelCfg", "adcCfg", "lowPower"})  # another value after the first start hangs the chip
DEMANDED = {  # by profile: what must have been said before the first start
    "sdk": frozenset(FRONT_END + PROCESSING),
    "traffic_monitoring": frozenset(FRONT_END + PROCESSING),
}
INCOMPLETE = "Full configuration must be provided before sensor can be started the first time"


class TiConsole:
    """Sans-IO. running: frames leave. hung: an assertion failed, nothing is answered until power comes anew.

    warm: configured and started by what it holds in its flash, as a radar on a pole is.
    """

    def __init__(self, profile: str, warm: bool) -> None:
        self._demanded, self._warm = DEMANDED.get(profile, frozenset(FRONT_END)), warm
        self.commands = 0
        self.reset()

    def reset(self) -> None:
        """Power on again."""
        self.running = self._started_once = self._warm
        self.hung = False
        self._given: set[str] = set()
        self._first: dict[str, str] = {}
        self._line = b""

    def hear(self, data: bytes) -> bytes:
        """The echo of what is typed, and the answers."""
        answer = b""
        for byte in data:
            if self.hung:
                return answer
            if byte in b"\r\n":
                line, self._line = self._line, b""
                answer += b"\n\r"
                if line.strip():
                    answer += self._answer(line.decode("latin-1").strip()).encode()
            elif len(self._line) < LINE_BYTES:
                self._line += bytes([byte])
                answer += bytes([byte])
        return answer

    def _answer(self, line: str) -> str:
        self.commands += 1
        if line.startswith("%"):
            return f"Skipped\n\r{PROMPT}"
        name, *values = line.split()
        if name not in KNOWN:
            return f"'{name}' is not recognized as a CLI command\r\n{PROMPT}"
        told, failed = self._obey(name, values)
        if self.hung:
            return ""
        if failed:
            return f"Error: {told}\r\nError -1\r\n{PROMPT}"
        return f"{told}\r\nDone\n\r{PROMPT}" if told else f"Done\n\r{PROMPT}"

    def _obey(self, name: str, values: list[str]) -> tuple[str, bool]:
        """(what it says, whether it failed)."""
        match name:
            case "sensorStart":
                return self._start(values)
            case "sensorStop":
                was, self.running = self.running, False
                return ("" if was else "Ignored: Sensor is already stopped"), False
            case "flushCfg":
                self._given.clear()
                return "", False
        if name in MONITORS and self.running:
            return "Ignored: This command is not allowed after sensor has started", False
        if name in FROZEN:
            value = " ".join(values)
            if self._started_once and self._first.get(name, value) != value:
                self.hung, self.running = True, False
                return "", True
            self._first[name] = value
        self._given.add(name)
        return "", False

    def _start(self, values: list[str]) -> tuple[str, bool]:
        if self.running:
            return "Ignored: Sensor is already started", False
        if values[:1] == ["1"]:
            return "Reconfig is not supported", True
        if not self._started_once and not self._demanded <= self._given:
            return INCOMPLETE, True
        self.running = self._started_once = True
        return "", False
