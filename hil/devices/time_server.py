"""A virtual chronyd: answers tracking questions with whatever clock quality the scenario wants."""

from __future__ import annotations

import argparse
import math
import os
import random
import select
import signal
import struct
import time
from pathlib import Path
from typing import Any

from hil.bus import Bus
from hil.devices.ready import announce, former
from hil.devices.udp_port import UdpPort
from hil.truth import TruthLog

DEVICE = "time"
LEAP_CODES = {"none": 0, "insert": 1, "delete": 2, "unsynchronised": 3}
ANSWER_BYTES = 104


def to_chrony_float(value: float) -> int:
    """chrony's 32-bit float: coefficient of 25 bits with sign, exponent of 7 bits with sign."""
    if value == 0.0:
        return 0
    mantissa, exponent = math.frexp(abs(value))
    coefficient = round(mantissa * (1 << 24))
    if coefficient == 1 << 24:
        coefficient, exponent = coefficient >> 1, exponent + 1
    exponent = max(-64, min(63, exponent + 1))
    if value < 0:
        coefficient = -coefficient
    return (exponent & 0x7F) << 25 | coefficient & 0x1FFFFFF


class Clockwork:
    """What the virtual chronyd says."""

    def __init__(self) -> None:
        self.offset_s = 0.0
        self.dispersion_s = 0.0005
        self.leap = "none"
        self.silent = self.garbage = self.frozen = False
        self._random = random.Random(1)
        self._last = b""

    def reply(self, data: bytes) -> bytes | None:
        """What goes out for a request: nothing, noise, the reply of the moment it froze, or the answer."""
        answer = None if self.silent else self.answer(data)
        if answer is None or self.frozen:
            return None if answer is None else self._last or None
        self._last = answer
        return self._random.randbytes(self._random.randint(1, 200)) if self.garbage else answer

    def answer(self, data: bytes) -> bytes | None:
        """The reply to a request, None when it is no tracking request."""
        if len(data) < ANSWER_BYTES or data[:2] != b"\x06\x01":
            return None
        command, _, sequence = struct.unpack_from(">HHI", data, 4)
        if command != 33:
            return None
        head = struct.pack(">BBBBHHHHHHIII", 6, 2, 0, 0, 33, 5, 0, 0, 0, 0, sequence, 0, 0)
        synchronised = self.leap != "unsynchronised"
        body = struct.pack(">I", 0x52494700 if synchronised else 0)
        body += bytes(16) + struct.pack(">HH", 1, 0)
        body += struct.pack(">HH", 2 if synchronised else 0, LEAP_CODES[self.leap])
        now = time.time()
        body += struct.pack(">III", 0, int(now), int(now % 1 * 1e9))
        values = (self.offset_s, self.offset_s, 1e-5, 0.1, 0.0, 0.01, 0.0004, self.dispersion_s, 16.0)
        body += struct.pack(">9I", *(to_chrony_float(value) for value in values))
        return head + body

    def obey(self, name: str, on: Any) -> None:
        """What a fault changes in the answers; step and coast take seconds as their value."""
        match name:
            case "silence" | "silent":
                self.silent = bool(on)
            case "garbage":
                self.garbage = bool(on)
            case "freeze":
                self.frozen = bool(on)
            case "unsynchronised":
                self.leap = "unsynchronised" if on else "none"
            case "step":
                self.offset_s = float(on or 0)
            case "coast":
                self.dispersion_s = float(on or 0.0005)
            case "kill":
                os._exit(9)


def main() -> None:
    """`python -m hil.devices.time_server --run-dir DIR`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    options = parser.parse_args()
    clockwork = Clockwork()
    port = UdpPort(former(options.run_dir, DEVICE).get("port", 0))
    heard = Bus(options.run_dir).subscribe("fault")
    truth = TruthLog(options.run_dir, DEVICE)
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, host="127.0.0.1", port=port.port)
    while going:
        server = port.socket
        watched: list[Any] = [heard, *([server] if server else [])]
        readable, _, _ = select.select(watched, [], [], 0.5)
        if server in readable and server is not None:
            data, address = server.recvfrom(2048)
            reply = clockwork.reply(data)
            if reply is not None:
                server.sendto(reply, address)
        while (message := heard.get()) is not None:
            if (said := message[1])["device"] == DEVICE:
                truth.write("fault", time.monotonic(), device=DEVICE, name=said["name"], on=said["on"])
                _obey(port, clockwork, said["name"], said["on"])


def _obey(port: UdpPort, clockwork: Clockwork, name: str, on: Any) -> None:
    if name == "unplug" and on:
        port.unplug()
    elif name in ("unplug", "replug"):
        port.plug()
    else:
        clockwork.obey(name, on)


if __name__ == "__main__":
    main()
