"""The virtual vehicles that send BSMs, as the RSU hands them on: one UDP datagram a message."""

from __future__ import annotations

import argparse
import math
import os
import random
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hil.bus import Bus
from hil.devices.ready import announce
from hil.devices.talker import Said, Talker, sends
from hil.devices.talker_faults import GHOST, Flood, Liar, Replay
from hil.devices.vehicle import clock_offset_s
from hil.devices.wires import UdpWire, readable
from hil.truth import TruthLog

DEVICE = "talkers"
SHARE = 0.05
IDLE_S = 0.1
STALE_S = 0.5  # users older than this are nowhere: the world has stopped
LOG_S = 1.0


class Talkers:
    """Users of the road in, BSMs out. Sans-IO.

    freeze: every radio sends its last message again and again.
    """

    def __init__(self, seed: int, share: float = SHARE, *, liar: bool = False) -> None:
        self._seed, self._share = seed, share
        self._seen: tuple[float, list[Mapping[str, Any]]] = (-math.inf, [])
        self._radios: dict[int, Talker] = {}
        self._last: dict[int, Said] = {}
        self._liar, self._flood, self._replay = Liar(), Flood(seed), Replay()
        self._liar.on = liar
        self._ghost: Talker | None = None
        self._frozen = False

    def see(self, t: float, users: Sequence[Mapping[str, Any]]) -> None:
        """The road at an instant: rows of the bus."""
        talking = [user for user in users if sends(user, self._seed, self._share)]
        self._seen = t, talking
        self._radios = {
            user["id"]: self._radios.get(user["id"]) or Talker(user["id"], self._seed, t) for user in talking
        }
        self._last = {number: said for number, said in self._last.items() if number in self._radios}

    def due(self, now_s: float, utc_s: float) -> list[Said]:
        """BSMs that leave now. utc_s: the same instant in UTC."""
        road = self._moved(now_s)
        self._liar.look(road)
        said = [self._said(user, now_s, utc_s) for user in road if self._radios[user["id"]].beat(now_s)]
        if self._ghost is not None and self._ghost.beat(now_s):
            data = self._ghost.message(GHOST, now_s, utc_s)
            said.append(Said(data, None, self._ghost.id, GHOST["x"], GHOST["y"], lie=True))
        for each in said:
            self._replay.keep(each, now_s)
        return said + self._replay.due(now_s)

    def garbage(self, now_s: float) -> list[bytes]:
        """Datagrams of a flood that leave now."""
        return self._flood.due(now_s)

    def next_s(self, now_s: float) -> float:
        """When there is something to do."""
        radios = [] if self._stale(now_s) else list(self._radios.values())
        radios += [self._ghost] if self._ghost else []
        return min([self._flood.next_s(now_s), self._replay.next_s(), *(radio.next_s for radio in radios)])

    def obey(self, name: str, on: Any, now_s: float) -> bool:
        """Whether this is one of its faults."""
        match name:
            case "lie":
                self._liar.on = bool(on)
            case "flood":
                self._flood.switch(bool(on), now_s)
            case "replay":
                self._replay.on = bool(on)
            case "ghost":
                self._ghost = Talker(GHOST["id"], self._seed, now_s) if on else None
            case "freeze":
                self._frozen = bool(on)
            case _:
                return False
        return True

    def _said(self, user: Mapping[str, Any], now_s: float, utc_s: float) -> Said:
        number, radio = user["id"], self._radios[user["id"]]
        if self._frozen and number in self._last:
            return replace(self._last[number], x_m=user["x"], y_m=user["y"], again=True)
        data = radio.message(user, now_s, utc_s, self._liar.aside(number))
        said = Said(data, number, radio.id, user["x"], user["y"], lie=number == self._liar.who)
        self._last[number] = said
        return said

    def _moved(self, now_s: float) -> list[dict[str, Any]]:
        """Those who send, where they are now."""
        if self._stale(now_s):
            return []
        t, users = self._seen
        ahead = now_s - t
        return [{**u, "x": u["x"] + u["vx"] * ahead, "y": u["y"] + u["vy"] * ahead} for u in users]

    def _stale(self, now_s: float) -> bool:
        return now_s - self._seen[0] > STALE_S


class TalkingVehicles:
    """The process: hears the road and faults on the bus, sends to the agent's port, writes the truth.

    unplug: no socket. silence: nothing is sent. garbage: noise in place of every message.
    """

    def __init__(self, run_dir: Path, talkers: Talkers, port: int, seed: int) -> None:
        self._talkers = talkers
        self._wire = UdpWire(("127.0.0.1", port))
        self._bus = Bus(run_dir).subscribe("users", "fault")
        self._truth = TruthLog(run_dir, DEVICE)
        self._logged: dict[tuple[bytes, bool, bool], float] = {}
        self._noise = random.Random(seed)
        self._silent = self._garbage = False
        self.going = True

    def run(self) -> None:
        """Until told to stop."""
        while self.going:
            now_s = time.monotonic()
            for said in self._talkers.due(now_s, now_s + clock_offset_s()):
                self._send(said, now_s)
            for data in self._talkers.garbage(now_s):
                self._put(data, now_s)
            self._wait(self._talkers.next_s(now_s))

    def _send(self, said: Said, now_s: float) -> None:
        data = self._noise.randbytes(len(said.data)) if self._garbage else said.data
        if not self._put(data, now_s) or self._garbage:
            return
        what = said.id, said.lie, said.again
        if now_s - self._logged.get(what, -math.inf) < LOG_S:
            return
        self._logged[what] = now_s
        place = {"x": round(said.x_m, 3), "y": round(said.y_m, 3)}
        told = {"user": said.sender, "id": said.id.hex(), **place, "lie": said.lie, "again": said.again}
        self._truth.write("bsm", now_s, **told)

    def _put(self, data: bytes, now_s: float) -> bool:
        """Whether it left."""
        if self._silent or not self._wire.up:
            return False
        self._wire.send(data, now_s)
        return True

    def _wait(self, until_s: float) -> None:
        readable([self._bus], min(IDLE_S, max(0.0, until_s - time.monotonic())))
        while (message := self._bus.get()) is not None:
            topic, body = message
            if topic == "users":
                self._talkers.see(body["t"], body["users"])
            elif body["device"] == DEVICE:
                self._obey(body["name"], body["on"])

    def _obey(self, name: str, on: Any) -> None:
        now_s = time.monotonic()
        self._truth.write("fault", now_s, device=DEVICE, name=name, on=on)
        if self._talkers.obey(name, on, now_s):
            return
        match name:
            case "unplug" if on:
                self._wire.unplug()
            case "unplug" | "replug":
                self._wire.plug()
            case "silence":
                self._silent = bool(on)
            case "garbage":
                self._garbage = bool(on)
            case "kill":
                os._exit(9)


def main() -> None:
    """`python -m hil.devices.talking_vehicles --run-dir DIR --port N`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="where the agent hears what the RSU hands on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=SHARE, help="of cars, trucks and buses")
    parser.add_argument("--liar", action="store_true", help="one of them lies from the beginning")
    options = parser.parse_args()
    talkers = Talkers(options.seed, options.share, liar=options.liar)
    process = TalkingVehicles(options.run_dir, talkers, options.port, options.seed)
    Talker(GHOST["id"], options.seed, 0.0).message(
        GHOST, 0.0, 0.0
    )  # compiles the schema before anybody waits
    signal.signal(signal.SIGTERM, lambda *_: setattr(process, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, host="127.0.0.1", to=options.port)
    process.run()


if __name__ == "__main__":
    main()
