"""The virtual controller as a process: `python -m hil.devices.controller --run-dir DIR`."""

from __future__ import annotations

import argparse
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

from hil.bus import Bus
from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Front, Manners
from hil.devices.line_spoiler import LineSpoiler
from hil.devices.pacing import Pacer
from hil.devices.port import Port
from hil.devices.ready import announce
from hil.devices.signal_model import SignalModel
from hil.devices.signal_plan import GROUPS
from hil.truth import TruthLog

DEVICE = "controller"
REPUBLISH_S = 1.0  # all lamps again, for those who join late
IDLE_S = 0.2
COMMANDS = frozenset({"set_mode", "set_plan", "step", "set_faults"})


class ControllerProcess:
    """One pty, one model, one loop."""

    def __init__(self, run_dir: Path, model: SignalModel, front: Front) -> None:
        self.model, self.front = model, front
        self.port = Port(run_dir / "dev" / DEVICE)
        self.bus = Bus(run_dir)
        self.heard = self.bus.subscribe("fault", "signal")
        self.truth = TruthLog(run_dir, DEVICE)
        self.pacer = Pacer(front.manners.baud)
        self.line = LineSpoiler()
        self.published_s = self.trapped_s = 0.0
        self.writes = 0
        self.stopping = False
        now_s = time.monotonic()
        for group, colour in model.lamps.items():
            self.truth.write("lamp", now_s, group=group, colour=colour)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stopping:
            now_s = time.monotonic()
            self._lamps(now_s)
            for frame in self.front.due(now_s):
                self._send(frame, now_s)
            if self.front.writes > self.writes:
                self.writes = self.front.writes
                self.truth.write("fault", now_s, device=DEVICE, name="was_written_to", on=True)
            self._write(now_s)
            self._wait()

    def _lamps(self, now_s: float) -> None:
        shone, learnt = self.model.advance(now_s)
        for true_s, group, colour in shone:
            self.truth.write("lamp", true_s, group=group, colour=colour)
        for group in learnt:
            end_s = self.model.next_change(group, now_s)
            self.truth.write("knowable", now_s, group=group, colour=self.model.known[group], end_t=end_s)
        if shone or now_s - self.published_s >= REPUBLISH_S:
            self.bus.publish("lamps", {"t": now_s, "groups": self.model.lamps})
            self.published_s = now_s
        if learnt and self.front.manners.traps and self.front.frozen is None:
            self._send(self.front.trap(learnt, now_s), now_s, {g: self.model.known[g] for g in learnt})
        period_s = self.front.manners.trap_period_s
        if period_s is not None and now_s - self.trapped_s >= period_s and self.front.frozen is None:
            self.trapped_s = now_s
            self._send(self.front.trap(list(GROUPS), now_s), now_s)

    def _send(self, frame: bytes, now_s: float, colours: dict[int, str] | None = None) -> None:
        """Onto the line; `colours` go into the truth log when the frame's last byte has left."""
        data, whole = self.line.spoil(frame)
        if data and self.port.plugged:
            self.pacer.put(data, now_s, colours if whole else None)

    def _write(self, now_s: float) -> None:
        data = self.pacer.due(now_s)
        if data and self.port.plugged:
            self.port.write(data)
            for colours in self.pacer.passed():
                self.truth.write("wire", now_s, colours=colours)

    def _wait(self) -> None:
        due = [self.model.next_s(), self.front.next_s(), self.pacer.next_s(), self.published_s + REPUBLISH_S]
        if self.front.manners.trap_period_s is not None:
            due.append(self.trapped_s + self.front.manners.trap_period_s)
        due_s = min(at for at in due if at is not None)
        timeout_s = min(IDLE_S, max(0.0, due_s - time.monotonic()))
        readers: list[Any] = [self.heard]
        if self.port.plugged:
            readers.append(self.port)
        readable, _, _ = select.select(readers, [], [], timeout_s)
        if self.port in readable:
            self.front.hear(self.port.read(), time.monotonic())
        while (message := self.heard.get()) is not None:
            self._obey(*message)

    def _obey(self, topic: str, message: dict[str, Any]) -> None:
        now_s = time.monotonic()
        if topic == "signal":
            if message["do"] in COMMANDS:
                getattr(self.model, message["do"])(message["what"], now_s)
            return
        if message["device"] != DEVICE:
            return
        self.truth.write("fault", now_s, device=DEVICE, name=message["name"], on=message["on"])
        on = bool(message["on"])
        match message["name"]:
            case "unplug" | "replug":
                self.port.unplug() if on and message["name"] == "unplug" else self.port.plug()
                self.pacer.clear()
            case "silence" | "silent" | "garbage" | "truncate" as name:
                self.line.obey(name, on)
            case "freeze":
                self.front.frozen = {} if on else None
            case "kill":
                os._exit(9)


def _manners_options(parser: argparse.ArgumentParser) -> None:
    """What differs among vendors (facts: configurable vendor profile)."""
    parser.add_argument("--check", choices=["1005", "1021"], default="1005")
    parser.add_argument("--short-length", action="store_true", help="the length leaves the checksum out")
    parser.add_argument("--version", type=lambda text: int(text, 16), default=0x0100)
    parser.add_argument("--serials", choices=["own", "echo", "next"], default="own")
    parser.add_argument("--beat-reply", type=lambda text: int(text, 16), default=0x80)
    parser.add_argument("--beat-counted", action="store_true")
    parser.add_argument("--wildcard", action="store_true")
    parser.add_argument("--most-values", type=int, default=255)
    parser.add_argument("--reply-delay-ms", type=float, nargs=2, default=(2.0, 5.0))
    parser.add_argument("--trap-period", type=float, default=None, help="seconds between traps of all lamps")


def _profile(options: argparse.Namespace) -> Profile:
    return Profile(options.version, options.check, length_counts_check=not options.short_length)


def _manners(options: argparse.Namespace) -> Manners:
    shortest, longest = options.reply_delay_ms
    return Manners(
        baud=options.baud,
        reply_delay_s=(shortest / 1000, longest / 1000),
        traps=not options.no_traps,
        most_values=options.most_values,
        serials=options.serials,
        beat_reply=options.beat_reply,
        beat_counted=options.beat_counted,
        wildcard=options.wildcard,
        trap_period_s=options.trap_period,
    )


def main() -> None:
    """Start, say ready, run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", type=int, default=1)
    parser.add_argument("--baud", type=int, default=115200)
    parser.add_argument("--drift-ppm", type=float, default=0.0)
    parser.add_argument("--no-traps", action="store_true")
    _manners_options(parser)
    options = parser.parse_args()
    model = SignalModel(time.monotonic(), plan=options.plan, seed=options.seed, drift_ppm=options.drift_ppm)
    front = Front(model, _profile(options), _manners(options), options.seed)
    front.values.utc_less_monotonic_s = time.time() - time.monotonic()
    process = ControllerProcess(options.run_dir, model, front)
    signal.signal(signal.SIGTERM, lambda *_: setattr(process, "stopping", True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, port=str(process.port.link), baud=options.baud)
    process.run()
    process.port.unplug()


if __name__ == "__main__":
    main()
