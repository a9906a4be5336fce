"""The virtual radar: its process for any kind, and the plain TI mmWave unit that the demo is scored with."""

from __future__ import annotations

import argparse
import math
import random
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from hil.devices.radar_faults import RadarFaults
from hil.devices.radar_front import Console, Fitting, Outgoing, after
from hil.devices.radar_model import INTERFERED_CLUTTER, Mount, Rows
from hil.devices.radar_process import CONSOLE_BAUD, DEVICE, RadarProcess, told_of, wires_of
from hil.devices.radars import DEFAULT, RADARS
from hil.devices.ready import announce, former
from hil.devices.ti_codec import Point, frame40, frame48
from hil.devices.ti_frames import PROFILES, lied
from hil.devices.wires import PtyWire

PERIOD_S = 0.1
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
        self.clutter = CLUTTER
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
        for _ in range(self._poisson(self.clutter)):
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


class PlainFront:
    """A TI mmWave unit that tells points only, ten frames a second. Options: header=40 or 48."""

    keep = 0
    console: Console | None = None

    def __init__(self, fitting: Fitting) -> None:
        mount, header = fitting.mount, int(fitting.options.get("header", 40))
        pose = {
            "x_east_m": mount.x_m,
            "y_north_m": mount.y_m,
            "height_m": mount.height_m,
            "yaw_deg": math.degrees(mount.yaw_rad),
        }
        field = {"range_m": mount.range_m, "half_angle_deg": math.degrees(mount.half_rad)}
        self.model, self.faults = RadarModel(pose, field, fitting.seed), fitting.faults
        self._write = frame40 if header == 40 else frame48
        self._profile = PROFILES["sdk" if header == 40 else "pc3d_4x"]
        self._random = random.Random(fitting.seed)
        self._out, self._next_s = Outgoing(), fitting.now_s
        self.number = self._random.randrange(1000)
        self._held: list[Point] = []

    def due(self, now_s: float, users: Rows) -> list[bytes]:
        """Frames whose first byte leaves now."""
        if now_s >= self._next_s:
            self._next_s = after(self._next_s, self.faults.clock.true_s(PERIOD_S), now_s)
            weather = self.faults.weather
            if not weather.frozen:
                self.model.clutter = CLUTTER * (INTERFERED_CLUTTER if weather.interference else 1.0)
                self._held = self.model.points([] if weather.blocked else users)
            self.number += 1
            frame = self._write(self.number, self.faults.clock.own_s(now_s), self._held)
            self._out.put(now_s + self._random.uniform(*LATENCY_S), frame)
        return self._out.due(now_s)

    def hear(self, _data: bytes, _now_s: float) -> list[bytes]:
        """The data port only speaks."""
        return []

    def next_s(self) -> float:
        """The next frame, measured or sent."""
        return self._out.next_s(self._next_s)

    def lie(self, frame: bytes, dice: random.Random) -> bytes:
        """One length of the frame made untrue."""
        return lied(self._profile, frame, dice)

    def reset(self) -> None:
        """Power on again: frames are counted anew."""
        self.number = 0
        self._out.clear()


def process_of(options: argparse.Namespace) -> RadarProcess:
    """The chosen kind on its line."""
    kind, now_s = RADARS[options.radar], time.monotonic()
    entry = YAML(typ="safe").load(options.site.read_text())["radars"][0]
    faults = RadarFaults(options.seed, now_s)
    said = dict(each.split("=", 1) for each in options.option)
    plain = {"header": str(options.header)} if options.radar == DEFAULT else {}
    chosen = {**plain, **kind.options, **said}
    fitting = Fitting(Mount.of(entry), faults, options.seed, now_s, time.time() - now_s, chosen)
    front = kind.front(fitting)
    before = former(options.run_dir, DEVICE).get("tcp_port", 0)
    wire = wires_of(kind.line, kind.baud, options.run_dir, options.to, before)
    console = None if front.console is None else PtyWire(options.run_dir / "dev" / "radar-cli", CONSOLE_BAUD)
    return RadarProcess(options.run_dir, front, faults, wire, console)


def main() -> None:
    """`python -m hil.devices.radar --run-dir DIR --site FILE --radar KIND`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--header", type=int, default=40, choices=[40, 48])
    parser.add_argument("--radar", choices=sorted(RADARS), default=DEFAULT)
    parser.add_argument("--to", default=None, help="HOST:PORT where a radar that begins by itself sends")
    parser.add_argument("--option", action="append", default=[], help="NAME=VALUE of this kind")
    options = parser.parse_args()
    process = process_of(options)
    signal.signal(signal.SIGTERM, lambda *_: setattr(process, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told = told_of(RADARS[options.radar].driver, process.wire, process.console)
    announce(options.run_dir, DEVICE, **told)
    process.run()
    process.unplug()


if __name__ == "__main__":
    main()
