"""The virtual radar as a process: one kind of radar, its line, its command port, its faults."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from hil.bus import Bus
from hil.devices.can_wires import CanWire, Slcan, Socketcand
from hil.devices.fault_table import FORMER
from hil.devices.radar_faults import RadarFaults
from hil.devices.radar_front import RadarFront
from hil.devices.wires import PtyWire, TcpWire, UdpWire, Wire, readable
from hil.truth import TruthLog

DEVICE = "radar"
CONSOLE_BAUD = 115200
IDLE_S = 0.1
STALE_S = 0.5  # users older than this stand still


class RadarProcess:
    """One loop; `console` is the line of the front's command port, where it has one."""

    def __init__(
        self, run_dir: Path, front: RadarFront, faults: RadarFaults, wire: Wire, console: Wire | None = None
    ) -> None:
        self.front, self.faults, self.wire, self.console = front, faults, wire, console
        self.bus = Bus(run_dir).subscribe("users", "fault")
        self.truth = TruthLog(run_dir, DEVICE)
        self.users: tuple[float, list[dict[str, Any]]] = (0.0, [])
        self.going = True

    def run(self) -> None:
        """Until told to stop."""
        while self.going:
            now_s = time.monotonic()
            front = self.front
            units = front.due(now_s, self._moved(now_s)) if now_s >= front.next_s() else []
            spoilt = [self.faults.spoil(unit, front.lie, front.keep) for unit in units]
            for data in self.faults.held(spoilt, now_s):
                self._send(data, now_s)
            for wire in self._wires():
                wire.due(now_s)
            self._wait()

    def unplug(self) -> None:
        """Take the lines away."""
        for wire in self._wires():
            wire.unplug()

    def _wires(self) -> list[Wire]:
        return [self.wire] if self.console is None else [self.wire, self.console]

    def _moved(self, now_s: float) -> list[dict[str, Any]]:
        """The users where they are now."""
        t, users = self.users
        ahead = now_s - t if now_s - t < STALE_S else 0.0
        return [{**u, "x": u["x"] + u["vx"] * ahead, "y": u["y"] + u["vy"] * ahead} for u in users]

    def _send(self, data: bytes, now_s: float) -> None:
        if self.wire.up:
            self.wire.send(data if self.front.keep else self.faults.cooked(data), now_s)

    def _wait(self) -> None:
        now_s = time.monotonic()
        due = [self.front.next_s(), self.faults.stalled_until(now_s), *(w.next_s() for w in self._wires())]
        timeout_s = min(IDLE_S, max(0.0, min(at for at in due if at is not None) - now_s))
        found = readable([self.bus, *(file for w in self._wires() for file in w.files())], timeout_s)
        if any(each is not self.bus for each in found):
            self._hear(time.monotonic())
        while (message := self.bus.get()) is not None:
            topic, body = message
            if topic == "users":
                self.users = body["t"], body["users"]
            elif body["device"] == DEVICE:
                self._obey(body["name"], body["on"])

    def _hear(self, now_s: float) -> None:
        for data in self.wire.read(now_s):
            for answer in self.front.hear(data, now_s) if data else ():
                self._send(self.faults.spoil(answer, self.front.lie, self.front.keep), now_s)
        if self.console is not None and self.front.console is not None:
            for data in self.console.read(now_s):
                self.console.send(self.front.console.hear(data), now_s)

    def _obey(self, name: str, on: bool | float) -> None:
        now_s, name = time.monotonic(), FORMER.get(name, name)
        self.truth.write("fault", now_s, device=DEVICE, name=name, on=on)
        if self.faults.obey(name, on, now_s):
            if name == "reset" and on:
                self.front.reset()
            return
        match name:
            case "unplug" | "replug":
                if on and name == "unplug":
                    self.unplug()
                else:
                    for wire in self._wires():
                        wire.plug()
            case "kill":
                os._exit(9)


def wires_of(line: str, baud: int, run_dir: Path, to: str | None, former: int) -> Wire:
    """The line of a radar. to: HOST:PORT of the agent, where the radar begins; former: its TCP port, or 0."""
    match line:
        case "udp_to":
            host, _, port = (to or "127.0.0.1:0").rpartition(":")
            return UdpWire((host, int(port)))
        case "tcp":
            return TcpWire(number=former)
        case "socketcand":
            return CanWire(TcpWire(number=former), Socketcand())
        case "slcan":
            return CanWire(PtyWire(run_dir / "dev" / "radar-can", baud, minds_rate=False), Slcan())
    return PtyWire(run_dir / "dev" / "radar-data", baud)


def told_of(driver: str, wire: Wire, console: Wire | None) -> dict[str, Any]:
    """What the ready file says: TI's ports have names of their own."""
    if driver != "ti_mmwave":
        return wire.told
    told = {"data_port": wire.told["port"], "baud": wire.told["baud"]}
    return told if console is None else told | {"cli_port": console.told["port"]}
