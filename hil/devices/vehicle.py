"""The virtual vehicle: hears datagrams, stamps them with the kernel's receive time, writes them down."""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import socket
import struct
import time
from collections import Counter
from pathlib import Path
from typing import Any

from hil.bus import Bus
from hil.devices.ready import announce, former
from hil.devices.udp_port import UdpPort
from hil.devices.vehicle_codec import CSAE53, SETS, about, decode
from hil.truth import TruthLog

DEVICE = "vehicle"
SO_TIMESTAMPNS = 35  # asm-generic; Python has no name for it
LOOK_S = 0.2
REPORT_S = 1.0
LARGEST = 65536


def clock_offset_s() -> float:
    """CLOCK_REALTIME less CLOCK_MONOTONIC, the tightest of a few readings."""
    best: tuple[float, float] | None = None
    for _ in range(8):
        before = time.monotonic()
        real = time.time()
        after = time.monotonic()
        if best is None or after - before < best[0]:
            best = after - before, real - (before + after) / 2
    assert best
    return best[1]


def receive(sock: socket.socket) -> tuple[bytes, float]:
    """One datagram and the kernel's receive stamp on the monotonic scale."""
    data, ancillary, _, _ = sock.recvmsg(LARGEST, 64)
    for level, kind, raw in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = struct.unpack("qq", raw[:16])
            return data, seconds + nanoseconds / 1e9 - clock_offset_s()
    return data, time.monotonic()


class Vehicle:
    """Counts, and what was decoded last of each kind.

    unplug: nobody at the port. silence: hears nothing. garbage: a bit flips on the way, and the log says so.
    freeze: hears late, all at once when it ends.
    """

    def __init__(self, run_dir: Path, port: UdpPort, messages: str = CSAE53) -> None:
        self._port, self._path, self._messages = port, run_dir / "vehicle.json", messages
        self._random = random.Random(1)
        self._silent = self._garbage = self._frozen = False
        self._truth = TruthLog(run_dir, DEVICE)
        self._heard = Bus(run_dir).subscribe("fault")
        self._fresh: dict[int, bytes] = {}
        self._counts: Counter[str] = Counter()
        self._last: dict[str, Any] = {}
        self._report_s = 0.0
        self.going = True

    def run(self) -> None:
        """Until told to stop."""
        while self.going:
            sock = None if self._frozen else self._port.socket
            watched: list[Any] = [self._heard, *([sock] if sock else [])]
            readable, _, _ = select.select(watched, [], [], LOOK_S)
            if sock in readable and sock is not None:
                self._take(*receive(sock))
            while (message := self._heard.get()) is not None:
                self._obey(message[1])
            if time.monotonic() - self._report_s >= REPORT_S:
                self._report()

    def _take(self, data: bytes, at_s: float) -> None:
        """One datagram, as it is or as the fault makes it."""
        if self._silent:
            return
        spoilt = {"spoilt": True} if self._garbage and data else {}
        if spoilt:
            at = self._random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self._random.randrange(8)]) + data[at + 1 :]
        self._truth.write("air", at_s, hex=data.hex(), **spoilt)
        self._counts["datagrams"] += 1
        self._fresh[about(data, self._messages)] = data  # the newest of each kind

    def _obey(self, message: dict[str, Any]) -> None:
        if message["device"] != DEVICE:
            return
        name, on = message["name"], bool(message["on"])
        self._truth.write("fault", time.monotonic(), device=DEVICE, name=name, on=message["on"])
        match name:
            case "unplug" if on:
                self._port.unplug()
            case "unplug" | "replug":
                self._port.plug()
            case "silence":
                self._silent = on
            case "garbage":
                self._garbage = on
            case "freeze":
                self._frozen = on
            case "kill":
                os._exit(9)

    def _report(self) -> None:
        """Decode the newest of each kind, once a second, for people who look."""
        self._report_s = time.monotonic()
        for data in self._fresh.values():
            try:
                kind, value = decode(data, self._messages)
            except ValueError:
                self._counts["not_understood"] += 1
                continue
            self._counts[kind] += 1
            self._last[kind] = value
        self._fresh.clear()
        text = json.dumps({"counts": self._counts, "last": self._last}, default=_plain)
        draft = self._path.with_suffix(".part")
        draft.write_text(text)
        draft.replace(self._path)


def _plain(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else str(value)


def _stamped(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)


def main() -> None:
    """`python -m hil.devices.vehicle --run-dir DIR [--port N]`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--messages", choices=SETS, default=CSAE53)
    options = parser.parse_args()
    port = UdpPort(options.port or former(options.run_dir, DEVICE).get("port", 0), _stamped)
    vehicle = Vehicle(options.run_dir, port, options.messages)
    signal.signal(signal.SIGTERM, lambda *_: setattr(vehicle, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, host="127.0.0.1", port=port.port)
    vehicle.run()


if __name__ == "__main__":
    main()
