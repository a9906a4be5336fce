"""A radar's command line as facts/radars.md 1.4 tells it, with the trap that hangs it until a power cycle."""

from __future__ import annotations

from collections.abc import Iterable

PROMPT = "mmwDemo:/>"
FIXED = (
    "channelCfg",
    "adcCfg",
    "lowPower",
)  # other values after the first start: silence until a power cycle
NEEDED = (*FIXED, "profileCfg", "chirpCfg", "frameCfg")
NOT_RUNNING = ("analogMonitor", "CQRxSatMonitor")
KNOWN = (
    *NEEDED,
    *NOT_RUNNING,
    "flushCfg",
    "guiMonitor",
    "cfarCfg",
    "trackingCfg",
    "dfeDataOutputMode",
    "extendedMaxVelocity",
)


class Board:
    """Lines in, what it says out. deaf: so many commands are not heard."""

    def __init__(self, echo: bool = True, end: str = "\n\r", prompt: str = PROMPT) -> None:
        self._echo, self._end, self._prompt = echo, end, prompt
        self.deaf = 0
        self.heard: list[str] = []
        self.power_cycle()

    def power_cycle(self) -> None:
        """As new."""
        self.started = self.ever_started = self.hangs = False
        self._has: dict[str, str] = {}

    def say(self, line: str) -> str:
        """All that comes back, the echo and the prompt too."""
        self.heard.append(line)
        if self.deaf:
            self.deaf -= 1
            return ""
        name, _, rest = line.partition(" ")
        if name in FIXED and self.ever_started and self._has[name] != rest:
            self.hangs = True
        if self.hangs:
            return ""
        said = [*([line] if self._echo else []), *self._obey(line, name, rest)]
        return "".join(text + self._end for text in said) + self._end + self._prompt

    def _obey(self, line: str, name: str, rest: str) -> Iterable[str]:
        if line.startswith("%"):
            return ["Skipped"]
        if name == "sensorStop":
            was, self.started = self.started, False
            return ["Done"] if was else ["Ignored: Sensor is already stopped", "Done"]
        if name == "sensorStart":
            return self._start(rest)
        if name not in KNOWN:
            return [f"'{name}' is not recognized as a CLI command"]
        if "bad" in rest:
            return ["Error: Invalid usage of the CLI command", "Error -1"]
        if self.started and name in NOT_RUNNING:
            return ["Ignored: This command is not allowed after sensor has started"]
        self._has[name] = rest
        return ["Done"]

    def _start(self, rest: str) -> Iterable[str]:
        if self.started:
            return ["Ignored: Sensor is already started", "Done"]
        if not self.ever_started and any(name not in self._has for name in NEEDED):
            return [
                "Error: Full configuration must be provided before sensor can be started the first time",
                "Error -1",
            ]
        if rest == "1" and self.ever_started:
            return ["Error: Reconfig is not supported", "Error -1"]
        self.started = self.ever_started = True
        return ["Done"]


CONFIGURATION = """\
% a crossing, 20 frames a second
sensorStop
flushCfg
dfeDataOutputMode 1
channelCfg 15 7 0
adcCfg 2 1
profileCfg 0 60 7 3 29 0 0 54.71 1 96 2950 2 1 36
chirpCfg 0 0 0 0 0 0 0 1
chirpCfg 1 1 0 0 0 0 0 2
chirpCfg 2 2 0 0 0 0 0 4

frameCfg 0 2 16 0 50 1 0
lowPower 0 0
guiMonitor -1 1 0 0 0 0 0
extendedMaxVelocity -1 0
trackingCfg 1 2 800 20 37 33 120 1
sensorStart
"""
