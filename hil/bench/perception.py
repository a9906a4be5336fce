"""The senses process as it runs on a pole, with four cameras and two radars: how late its tracks are."""

from __future__ import annotations

import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import cv2
import psutil
from ruamel.yaml import YAML

from hil.bench.taken import percentile
from hil.devices.camera import JPEG_QUALITY, view_of
from hil.devices.camera_server import CameraServer
from hil.devices.signal_model import SignalModel
from hil.paint.ground import paint_ground
from hil.paint.scene import Look, paint
from hil.processes import RigFailure
from hil.world.crossing_read import read_rig_crossing
from hil.world.main import STEP_S, user_row
from hil.world.traffic import Traffic
from rsu_agent.ports.assets import asset
from rsu_agent.runtime.child import ALONE
from rsu_agent.runtime.hub import Hub
from rsu_agent.world.road_user import Scene

SITE, WARM_S, SECONDS, PERIOD_S = "config/virtual.yaml", 40.0, 20.0, 0.1
SETTLE_S, START_S = 4.0, 60.0
CORNERS = ((-16.0, -19.0, 45.0), (-19.0, 16.0, 135.0), (16.0, 19.0, 225.0), (19.0, -16.0, 315.0))
RADARS = 2
Rows = list[dict[str, Any]]


def perception(seed: int) -> dict[str, Any]:
    """capture_to_track: from a picture's first byte leaving its camera to the first scene made with it, as
    the core receives it; cameras at 10 Hz, out of step with each other. Cost: that of the process."""
    with tempfile.TemporaryDirectory() as folder:
        return _Run(Path(folder), seed).figures()


@dataclass
class _Camera:
    """One camera: its pictures of the whole run, when each was sent."""

    name: str
    pictures: list[bytes]
    after_s: float
    sent_s: list[float] = field(default_factory=list)
    server: CameraServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = CameraServer(lambda _frame, at_s: self.sent_s.append(at_s))


class _Run:
    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._site = YAML(typ="safe").load(asset(SITE).read_text())
        self._place()
        self._steps = _traffic(seed)
        dice = random.Random(seed)
        self._cameras = [
            _Camera(section["name"], _painted(section, self._steps, seed), dice.uniform(0.0, PERIOD_S))
            for section in self._site["cameras"]
        ]
        self._late_ms: list[float] = []
        self._used: dict[str, int] = {}
        self._scenes, self._users, self._from_s = 0, 0, float("inf")

    def figures(self) -> dict[str, Any]:
        """Run it."""
        end = threading.Event()
        feeders = [threading.Thread(target=self._feed, args=(each, end)) for each in self._cameras]
        feeders.append(threading.Thread(target=self._radars, args=(end,)))
        senses = self._senses()
        for feeder in feeders:
            feeder.start()
        try:
            cpu_percent, rss_mb = anyio.run(self._watch, psutil.Process(senses.pid))
        finally:
            senses.terminate()
            senses.wait()
            end.set()
            for feeder in feeders:
                feeder.join()
            for camera in self._cameras:
                camera.server.close()
        if not self._late_ms:
            raise RigFailure("the senses process told of no picture")
        return {
            "capture_to_track_p50_ms": round(percentile(self._late_ms, 0.5), 1),
            "capture_to_track_p95_ms": round(percentile(self._late_ms, 0.95), 1),
            "percent_of_core": round(cpu_percent, 1),
            "rss_mb": round(rss_mb, 1),
            "pictures": len(self._late_ms),
            "pictures_share": round(len(self._late_ms) / (len(self._cameras) * SECONDS / PERIOD_S), 3),
            "scenes_a_second": round(self._scenes / SECONDS, 2),
            "users": round(self._users / max(1, self._scenes), 1),
        }

    def _place(self) -> None:
        """Four cameras and two radars at the corners."""
        camera, radar = self._site["cameras"][0], self._site["radars"][0]
        self._site["cameras"] = [
            {**camera, "name": f"camera-{n}", "heads": [], "pose": {**camera["pose"], **_corner(n)}}
            for n in range(len(CORNERS))
        ]
        self._ports = [_free_port() for _ in range(RADARS)]
        self._poses = [{**radar["pose"], **_corner(2 * n)} for n in range(RADARS)]
        self._site["radars"] = [
            {
                "driver": "json_udp",
                "name": f"radar-{n}",
                "port": f"udp-in://127.0.0.1:{self._ports[n]}",
                "targets": "targets",
                "coord": "sensor_xy",
                "axes": "x_forward_y_left",
                "fields": {"id": "id", "x": "x", "y": "y", "vx": "vx", "vy": "vy"},
                "pose": pose,
                "field": radar["field"],
            }
            for n, pose in enumerate(self._poses)
        ]

    def _feed(self, camera: _Camera, end: threading.Event) -> None:
        began_s, frame = time.monotonic() + camera.after_s, 0
        while not end.wait(max(0.0, began_s + frame * PERIOD_S - time.monotonic())):
            camera.server.show(frame, camera.pictures[frame % len(camera.pictures)])
            frame += 1

    def _radars(self, end: threading.Event) -> None:
        began_s, cycle = time.monotonic(), 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            while not end.wait(max(0.0, began_s + cycle * PERIOD_S - time.monotonic())):
                rows = self._steps[cycle % len(self._steps)]
                for port, pose in zip(self._ports, self._poses, strict=True):
                    line.sendto(json.dumps({"targets": _targets(pose, rows)}).encode(), ("127.0.0.1", port))
                cycle += 1

    def _senses(self) -> subprocess.Popen[bytes]:
        """The product's own process, as the parent starts it."""
        for camera, section in zip(self._cameras, self._site["cameras"], strict=True):
            section["url"] = f"http://127.0.0.1:{camera.server.port}/stream"
        site, state, run = (self._folder / name for name in ("site.yaml", "state", "run"))
        site.write_text(json.dumps(self._site))
        run.mkdir()
        told = ["--site", str(site), "--state", str(state), "--run", str(run)]
        command = [sys.executable, "-m", "rsu_agent.runtime.compose_senses", *told]
        return subprocess.Popen(command, env=ALONE | os.environ, stderr=subprocess.DEVNULL)

    async def _watch(self, senses: psutil.Process) -> tuple[float, float]:
        hub = Hub(self._folder / "run", self._hear)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hub.run)
            measured = await self._measured(senses)
            tasks.cancel_scope.cancel()
        return measured

    async def _measured(self, senses: psutil.Process) -> tuple[float, float]:
        with anyio.move_on_after(START_S):
            while len(self._used) < len(self._cameras):  # noqa: ASYNC110 (another process tells)
                await anyio.sleep(0.1)
        await anyio.sleep(SETTLE_S)
        before, self._from_s = senses.cpu_times(), time.monotonic()
        await anyio.sleep(SECONDS)
        after, took_s = senses.cpu_times(), time.monotonic() - self._from_s
        spent_s = after.user + after.system - before.user - before.system
        rss = senses.memory_info().rss
        self._from_s = float("inf")
        return 100 * spent_s / took_s, rss / 1e6

    def _hear(self, _role: str, _topic: str, noun: Any) -> None:
        now_s = time.monotonic()
        if not isinstance(noun, Scene):
            return
        if now_s >= self._from_s:
            self._scenes, self._users = self._scenes + 1, self._users + len(noun.users)
        for used in noun.frames:
            if self._used.get(used.camera) == used.frame:
                continue
            self._used[used.camera] = used.frame
            camera = next(each for each in self._cameras if each.name == used.camera)
            sent_s = min(camera.sent_s[-20:], key=lambda at_s: abs(at_s - used.captured_s))
            if now_s >= self._from_s:
                self._late_ms.append((now_s - sent_s) * 1000)


def _corner(number: int) -> dict[str, float]:
    x, y, yaw = CORNERS[number]
    return {"x_east_m": x, "y_north_m": y, "yaw_deg": yaw}


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _traffic(seed: int) -> list[Rows]:
    """The users ten times a second, after a while of warming up."""
    crossing = read_rig_crossing(asset("config/crossings/virtual.geojson"))
    traffic, lights, steps = Traffic(crossing, seed, "day"), SignalModel(0.0, seed=seed), []
    for step in range(int((WARM_S + SECONDS) / STEP_S)):
        now_s = step * STEP_S
        lights.advance(now_s)
        traffic.step(STEP_S, lights.lamps, now_s)
        if now_s >= WARM_S and step % round(PERIOD_S / STEP_S) == 0:
            steps.append([user_row(user) for user in traffic.users])
    return steps


def _painted(section: dict[str, Any], steps: Sequence[Rows], seed: int) -> list[bytes]:
    crossing = read_rig_crossing(asset("config/crossings/virtual.geojson"))
    view, ground, pictures = view_of(section), paint_ground(crossing, seed + 77), []
    for step, rows in enumerate(steps):
        picture = paint(view, ground, rows, crossing.heads, {}, Look(noise=3.0, seed=step))
        pictures.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())
    return pictures


def _targets(pose: dict[str, float], rows: Rows) -> Rows:
    """What a radar that follows its targets itself tells: forward and left of it."""
    radians = math.radians(pose["yaw_deg"])
    sine, cosine = math.sin(radians), math.cos(radians)
    targets = []
    for row in rows:
        dx, dy = row["x"] - pose["x_east_m"], row["y"] - pose["y_north_m"]
        forward, left = dx * sine + dy * cosine, dy * sine - dx * cosine
        if 4.0 < forward < 75.0 and abs(left) < forward:
            vx, vy = row["vx"] * sine + row["vy"] * cosine, row["vy"] * sine - row["vx"] * cosine
            targets.append({"id": row["id"], "x": forward, "y": left, "vx": vx, "vy": vy})
    return targets
