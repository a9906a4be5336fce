"""The virtual controller as a process: `python -m hil.devices.controller --run-dir DIR`."""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path
from typing import Any

from hil.bus import Bus
from hil.devices.cabinets import CABINETS, Cabinet, Choices
from hil.devices.controller_view import Front
from hil.devices.gbt20999_codec import Profile
from hil.devices.gbt20999_front import Manners
from hil.devices.line_spoiler import LineSpoiler
from hil.devices.ready import announce
from hil.devices.signal_model import SignalModel
from hil.devices.stranger import Stranger
from hil.devices.wires import PtyWire, TcpWire, UdpWire, Wire, readable
from hil.truth import TruthLog

DEVICE = "controller"
REPUBLISH_S = 1.0  # all lamps again, for those who join late
IDLE_S = 0.2
COMMANDS = frozenset(
    {"set_mode", "set_plan", "step", "set_faults", "set_preempt", "set_priority", "jump_clock", "stick"}
)
REWIRING = frozenset({"burn_out", "swap"})  # give what shines differently from this instant


class ControllerProcess:
    """One line, one model, one loop."""

    def __init__(self, run_dir: Path, model: SignalModel, front: Front, wire: Wire) -> None:
        self.model, self.front, self.wire = model, front, wire
        self.bus = Bus(run_dir)
        self.heard = self.bus.subscribe("fault", "signal")
        self.truth = TruthLog(run_dir, DEVICE)
        self.line = LineSpoiler()
        self.stranger = Stranger()
        self.echo = False
        self.published_s = 0.0
        self.writes = 0
        self.was_up = False
        self.stopping = False
        now_s = time.monotonic()
        for group, colour in model.lamps.items():
            self.truth.write("lamp", now_s, group=group, colour=colour)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stopping:
            now_s = time.monotonic()
            self._line_state(now_s)
            self._lamps(now_s)
            for frame in [*self.front.due(now_s), *self.stranger.due(now_s)]:
                self._send(frame, now_s)
            if self.front.writes > self.writes:
                self.writes = self.front.writes
                self.truth.write("fault", now_s, device=DEVICE, name="was_written_to", on=True)
            self.wire.due(now_s)
            for colours in self.wire.passed():
                self.truth.write("wire", now_s, colours=colours)
            self._wait()

    def _line_state(self, now_s: float) -> None:
        if self.wire.up != self.was_up:
            self.was_up = self.wire.up
            self.front.opened(now_s) if self.was_up else self.front.closed()

    def _lamps(self, now_s: float) -> None:
        shone, learnt = self.model.advance(now_s)
        self._shine(shone, now_s)
        for group in learnt:
            end_s = self.model.next_change(group, now_s)
            self.truth.write("knowable", now_s, group=group, colour=self.model.known[group], end_t=end_s)
        if learnt:
            colours = {group: self.model.known[group] for group in learnt}
            for frame in self.front.changed(learnt, now_s):
                self._send(frame, now_s, colours)

    def _shine(self, shone: list[tuple[float, int, str]], now_s: float) -> None:
        for true_s, group, colour in shone:
            self.truth.write("lamp", true_s, group=group, colour=colour)
        if shone or now_s - self.published_s >= REPUBLISH_S:
            self.bus.publish("lamps", {"t": now_s, "groups": self.model.lamps})
            self.published_s = now_s

    def _send(self, frame: bytes, now_s: float, colours: dict[int, str] | None = None) -> None:
        """Onto the line; `colours` go into the truth log when the frame's last byte has left."""
        data, whole = self.line.spoil(frame)
        if data and self.wire.up:
            self.wire.send(data, now_s, colours if whole else None)

    def _wait(self) -> None:
        due = [
            self.model.next_s(),
            self.front.next_s(),
            self.stranger.next_s(),
            self.wire.next_s(),
            self.published_s + REPUBLISH_S,
        ]
        due_s = min(at for at in due if at is not None)
        timeout_s = min(IDLE_S, max(0.0, due_s - time.monotonic()))
        found = readable([self.heard, *self.wire.files()], timeout_s)
        if any(each is not self.heard for each in found):
            now_s = time.monotonic()
            for data in self.wire.read(now_s):
                if data:
                    self.front.hear(data, now_s)
                    if self.echo:
                        self.wire.send(data, now_s)
        while (message := self.heard.get()) is not None:
            self._obey(*message)

    def _obey(self, topic: str, message: dict[str, Any]) -> None:
        now_s = time.monotonic()
        if topic == "signal":
            if message["do"] in COMMANDS:
                getattr(self.model, message["do"])(message["what"], now_s)
            elif message["do"] in REWIRING:
                self._shine(getattr(self.model, message["do"])(message["what"], now_s), now_s)
            return
        if message["device"] != DEVICE:
            return
        name, on = message["name"], bool(message["on"])
        self.truth.write("fault", now_s, device=DEVICE, name=name, on=message["on"])
        if not self.line.obey(name, on):
            self._fault(name, on)

    def _fault(self, name: str, on: bool) -> None:
        match name:
            case "unplug" | "replug":
                self.wire.unplug() if on and name == "unplug" else self.wire.plug()
            case "freeze":
                self.front.frozen = on
            case "echo":
                self.echo = on
            case "other_master":
                self.stranger.on = on
            case "replaced":
                self.front.replace(on) if hasattr(self.front, "replace") else None
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
    parser.add_argument("--no-traps", action="store_true")


def _profile(options: argparse.Namespace) -> Profile:
    return Profile(options.version, options.check, length_counts_check=not options.short_length)


def _manners(options: argparse.Namespace, baud: int) -> Manners:
    shortest, longest = options.reply_delay_ms
    return Manners(
        baud=baud,
        reply_delay_s=(shortest / 1000, longest / 1000),
        traps=not options.no_traps,
        most_values=options.most_values,
        serials=options.serials,
        beat_reply=options.beat_reply,
        beat_counted=options.beat_counted,
        wildcard=options.wildcard,
        trap_period_s=options.trap_period,
    )


def _wire(cabinet: Cabinet, run_dir: Path, baud: int, to: str | None) -> Wire:
    """The line that such a cabinet hangs on; to: HOST:PORT of the agent, where the cabinet begins."""
    host, _, port = (to or "127.0.0.1:0").rpartition(":")
    where = (host, int(port))
    match cabinet.line:
        case "udp":
            return UdpWire()
        case "udp_to":
            return UdpWire(where)
        case "tcp":
            return TcpWire()
        case "tcp_to":
            return TcpWire(where)
    return PtyWire(run_dir / "dev" / DEVICE, baud)


def main() -> None:
    """Start, say ready, run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plan", type=int, default=1)
    parser.add_argument("--mode", default="fixed")
    parser.add_argument("--cabinet", choices=sorted(CABINETS), default="gbt20999")
    parser.add_argument("--to", default=None, help="HOST:PORT where a cabinet that begins by itself goes")
    parser.add_argument("--baud", type=int, default=None)
    parser.add_argument("--drift-ppm", type=float, default=0.0)
    parser.add_argument("--lead-ms", type=float, default=50.0, help="how early lamps change at most")
    _manners_options(parser)
    options = parser.parse_args()
    cabinet = CABINETS[options.cabinet]
    baud = options.baud or cabinet.baud
    model = SignalModel(
        time.monotonic(),
        plan=options.plan,
        seed=options.seed,
        drift_ppm=options.drift_ppm,
        lead_s=options.lead_ms / 1000,
    )
    if options.mode != "fixed":
        model.set_mode(options.mode, time.monotonic())
    model.utc_less_now_s = time.time() - time.monotonic()
    front = cabinet.front(model, Choices(baud, options.seed, _profile(options), _manners(options, baud)))
    process = ControllerProcess(
        options.run_dir, model, front, _wire(cabinet, options.run_dir, baud, options.to)
    )
    signal.signal(signal.SIGTERM, lambda *_: setattr(process, "stopping", True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, **process.wire.told)
    process.run()
    process.wire.unplug()


if __name__ == "__main__":
    main()
