"""The virtual radar: returns of what moves before it, on a pseudo-terminal, as a TI mmWave unit."""

from __future__ import annotations

import argparse
import math
import os
import random
import select
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.bus import Bus
from hil.devices.pacing import Pacer
from hil.devices.port import Port
from hil.devices.ready import announce
from hil.devices.ti_codec import Point, frame40, frame48
from hil.truth import TruthLog

DEVICE = "radar"
PERIOD_S = 0.1
BAUD = 921600
LATENCY_S = (0.040, 0.060)
DETECTS = {"car": 0.93, "truck": 0.95, "bus": 0.95, "motorcycle": 0.88, "pedestrian": 0.72}
DETECTS_OTHERS = 0.8
RANGE_SD_M, AZIMUTH_SD, DOPPLER_SD = 0.20, math.radians(0.7), 0.15
STILL_MPS = 0.3  # clutter removal: what stands vanishes
CLUTTER, GHOST = 2.0, 0.02


class RadarModel:
    """Sans-IO: users in, points out. Pose: metres, yaw clockwise from north."""

    def __init__(self, pose: Mapping[str, float], field: Mapping[str, float], seed: int) -> None:
        self._x, self._y = pose["x_east_m"], pose["y_north_m"]
        self._height, self._yaw = pose["height_m"], math.radians(pose["yaw_deg"])
        self._range, self._half = field["range_m"], math.radians(field["half_angle_deg"])
        self._random = random.Random(seed)

    def points(self, users: Sequence[Mapping[str, Any]]) -> list[Point]:
        """Returns of one frame: x right, y forward, z up, doppler, snr."""
        r = self._random
        points: list[Point] = []
        seen = sorted((self._polar(u["x"], u["y"]), i) for i, u in enumerate(users))
        covers: list[tuple[float, float]] = []
        for (away, bearing), i in seen:
            user = users[i]
            half = math.atan2(max(user["l"], user["w"]) / 2, max(away, 1.0))
            hidden = any(low < bearing < high for low, high in covers)
            if user["h"] > 1.3 and user["l"] > 3.0:
                covers.append((bearing - half * 0.8, bearing + half * 0.8))
            inside = 3.0 < away < self._range and abs(bearing) < self._half
            moving = math.hypot(user["vx"], user["vy"]) > STILL_MPS
            chance = DETECTS.get(user["cls"], DETECTS_OTHERS) * (0.35 if hidden else 1.0)
            if inside and moving and r.random() < chance:
                points += self._returns(user)
        for _ in range(self._poisson(CLUTTER)):
            away, bearing = r.uniform(5, self._range), r.uniform(-self._half, self._half)
            points.append(self._point(away, bearing, 0.5, r.gauss(0, 1.5), r.uniform(6, 12)))
        return points

    def _returns(self, user: Mapping[str, Any]) -> list[Point]:
        """One to five points over the side of the body that faces the radar."""
        r = self._random
        points = []
        count = 1 if user["l"] < 3 else r.randint(1, 5)
        angle = math.radians(user["heading"])
        for _ in range(count):
            along, across = r.uniform(-0.45, 0.45) * user["l"], r.uniform(-0.4, 0.4) * user["w"]
            x = user["x"] + math.sin(angle) * along + math.cos(angle) * across
            y = user["y"] + math.cos(angle) * along - math.sin(angle) * across
            away, bearing = self._polar(x, y)
            direction = bearing + self._yaw
            doppler = user["vx"] * math.sin(direction) + user["vy"] * math.cos(direction)
            nearer = min(user["w"], user["l"]) * 0.25
            snr = 30 - 20 * math.log10(max(1.0, away / 10)) + r.gauss(0, 2)
            points.append(self._point(away - nearer, bearing, user["h"] / 2, doppler, max(5.0, snr)))
            if r.random() < GHOST:
                points.append(self._point(away * 1.3, bearing, 0.5, doppler, 8.0))
        return points

    def _point(self, away: float, bearing: float, up: float, doppler: float, snr: float) -> Point:
        r = self._random
        away += r.gauss(0, RANGE_SD_M)
        bearing += r.gauss(0, AZIMUTH_SD)
        z = up - self._height
        flat = math.sqrt(max(0.01, away * away))
        return (flat * math.sin(bearing), flat * math.cos(bearing), z, doppler + r.gauss(0, DOPPLER_SD), snr)

    def _polar(self, x: float, y: float) -> tuple[float, float]:
        bearing = math.atan2(x - self._x, y - self._y) - self._yaw
        return math.hypot(x - self._x, y - self._y), (bearing + math.pi) % (2 * math.pi) - math.pi

    def _poisson(self, mean: float) -> int:
        limit, count, product = math.exp(-mean), 0, self._random.random()
        while product > limit:
            count += 1
            product *= self._random.random()
        return count


class RadarProcess:
    """One pty, one model, ten frames a second."""

    def __init__(self, run_dir: Path, model: RadarModel, header: int, seed: int) -> None:
        self.model, self.write_frame = model, frame40 if header == 40 else frame48
        self.port = Port(run_dir / "dev" / "radar-data")
        self.bus = Bus(run_dir).subscribe("users", "fault")
        self.truth = TruthLog(run_dir, DEVICE)
        self.pacer = Pacer(BAUD)
        self.random = random.Random(seed)
        self.users: tuple[float, list[dict[str, Any]]] = (0.0, [])
        self.number = self.random.randrange(1000)
        self.later: list[tuple[float, bytes]] = []
        self.silent = self.garbage = self.cooked = self.frozen = False
        self.held: list[Point] = []
        self.going = True

    def run(self) -> None:
        """Until told to stop."""
        next_s = time.monotonic()
        while self.going:
            now_s = time.monotonic()
            if now_s >= next_s:
                self._measure(now_s)
                next_s = max(next_s + PERIOD_S, now_s)
            while self.later and self.later[0][0] <= now_s:
                self._send(self.later.pop(0)[1], now_s)
            data = self.pacer.due(now_s)
            if data and self.port.plugged:
                self.port.write(data.replace(b"\r", b"\n") if self.cooked else data)
            due = [next_s, self.pacer.next_s(), self.later[0][0] if self.later else None]
            wait_s = max(0.0, min(at for at in due if at is not None) - time.monotonic())
            watched: list[Any] = [self.bus]
            select.select(watched, [], [], min(0.1, wait_s))
            self._hear()

    def _measure(self, now_s: float) -> None:
        t, users = self.users
        ahead = now_s - t if now_s - t < 0.5 else 0.0
        moved = [{**u, "x": u["x"] + u["vx"] * ahead, "y": u["y"] + u["vy"] * ahead} for u in users]
        if not self.frozen:
            self.held = self.model.points(moved)
        self.number += 1
        frame = self.write_frame(self.number, now_s, self.held)
        self.later.append((now_s + self.random.uniform(*LATENCY_S), frame))

    def _send(self, frame: bytes, now_s: float) -> None:
        if self.silent or not self.port.plugged:
            return
        if self.garbage and self.random.random() < 0.4:
            at = self.random.randrange(len(frame))
            frame = self.random.randbytes(30) + frame[:at] + self.random.randbytes(9) + frame[at:]
        self.pacer.put(frame, now_s)

    def _hear(self) -> None:
        while (message := self.bus.get()) is not None:
            topic, body = message
            if topic == "users":
                self.users = body["t"], body["users"]
            elif body["device"] == DEVICE:
                self._obey(body["name"], bool(body["on"]))

    def _obey(self, name: str, on: bool) -> None:
        self.truth.write("fault", time.monotonic(), device=DEVICE, name=name, on=on)
        match name:
            case "unplug" | "replug":
                self.port.unplug() if on and name == "unplug" else self.port.plug()
                self.pacer.clear()
            case "silence" | "silent":
                self.silent = on
            case "garbage":
                self.garbage = on
            case "freeze":
                self.frozen = on
            case "cooked_tty":
                self.cooked = on
            case "kill":
                os._exit(9)


def main() -> None:
    """`python -m hil.devices.radar --run-dir DIR --site FILE`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--header", type=int, default=40, choices=[40, 48])
    options = parser.parse_args()
    radar = YAML(typ="safe").load(options.site.read_text())["radars"][0]
    model = RadarModel(radar["pose"], radar["field"], options.seed)
    process = RadarProcess(options.run_dir, model, options.header, options.seed)
    signal.signal(signal.SIGTERM, lambda *_: setattr(process, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, data_port=str(process.port.link), baud=BAUD)
    process.run()
    process.port.unplug()


if __name__ == "__main__":
    main()
