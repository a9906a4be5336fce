"""The virtual camera: paints what it sees ten times a second and serves it, as MJPEG over HTTP or by RTSP."""

from __future__ import annotations

import argparse
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML

from hil.bus import Bus
from hil.devices.camera_faults import Mishaps
from hil.devices.cameras import CAMERAS, DEFAULT
from hil.devices.ready import announce, former
from hil.devices.rtp_jpeg import LARGEST_SIDE, carried
from hil.paint.ground import Picture, paint_ground
from hil.paint.lens import View
from hil.paint.scene import Look, paint
from hil.truth import TruthLog
from hil.world.crossing_read import RigCrossing, read_rig_crossing

DEVICE = "camera"
PERIOD_S = 0.1
JPEG_QUALITY = 85
DELAY_S = 0.3
FRESH_S = 0.5  # users older than this are not moved on: the world has stopped


def view_of(camera: dict[str, Any]) -> View:
    """The view of a camera of the site file."""
    pose, lens = camera["pose"], camera["lens"]
    return View(
        pose["x_east_m"],
        pose["y_north_m"],
        pose["height_m"],
        pose["yaw_deg"],
        pose.get("pitch_deg", 0.0),
        pose.get("roll_deg", 0.0),
        lens["focal_px"],
        lens["width_px"],
        lens["height_px"],
        tuple(map(float, lens.get("distortion", ()))),
    )


class CameraProcess:
    """One camera, one loop; the server's threads only send."""

    def __init__(
        self,
        run_dir: Path,
        crossing: RigCrossing,
        camera: dict[str, Any],
        seed: int,
        night: bool,
        delay_s: float = 0.0,
        quality: int = JPEG_QUALITY,
        driver: str = DEFAULT,
    ) -> None:
        self.truth = TruthLog(run_dir, DEVICE)
        self.bus = Bus(run_dir).subscribe("users", "lamps", "fault")
        self.view, self.crossing, self.night = view_of(camera), crossing, night
        self.name = camera["name"]
        self.ground = paint_ground(crossing, seed + 77)
        self.server = CAMERAS[driver](self._sent, former(run_dir, DEVICE).get("port", 0))
        self.random = random.Random(seed)
        self.users: tuple[float, list[dict[str, Any]]] = (0.0, [])
        self.lamps: dict[int, str] = {}
        self.frame = self.tick = 0
        self.mishaps = Mishaps()
        self.frozen: bytes | None = None
        self.black = self.planted = False
        self.delay_s = self.server.line.delay_s = delay_s
        self.quality = quality
        self.going = True

    def run(self) -> None:
        """Until told to stop."""
        next_s = time.monotonic()
        while self.going:
            time.sleep(max(0.0, next_s - time.monotonic()))
            now_s = time.monotonic()
            self._hear()
            self._expose(now_s)
            next_s = max(next_s + PERIOD_S, now_s + 0.01) if now_s - next_s < 1.0 else now_s + PERIOD_S

    def _expose(self, now_s: float) -> None:
        """One picture of this instant, if there is one."""
        self.tick += 1
        if not self.mishaps.exposes(self.tick):
            return
        self.frame += 1
        self.server.show(self.frame, self.frozen or self._jpeg(self._picture(now_s)))

    def _picture(self, now_s: float) -> Picture:
        if self.black:
            return np.zeros((self.view.height, self.view.width, 3), np.uint8)
        t, users = self.users
        ahead = now_s - t if now_s - t < FRESH_S else 0.0
        moved = [
            {**user, "x": user["x"] + user["vx"] * ahead, "y": user["y"] + user["vy"] * ahead}
            for user in users
        ]
        look = Look(night=self.night, noise=3.0, seed=self.frame, planted=self.planted)
        view = self.mishaps.view(self.view)
        look = self.mishaps.look(look, view)
        picture = paint(view, self.ground, moved, self.crossing.heads, self.lamps, look, now_s)
        return self.mishaps.through(picture)

    def _jpeg(self, picture: Picture) -> bytes:
        quality = self.mishaps.compression or self.quality
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        return data.tobytes()

    def _sent(self, frame: int, t: float) -> None:
        self.truth.write("frame", t, camera=self.name, frame=frame)

    def _hear(self) -> None:
        while (message := self.bus.get()) is not None:
            topic, body = message
            if topic == "users":
                self.users = body["t"], body["users"]
            elif topic == "lamps":
                self.lamps = body["groups"]
            elif body["device"] == DEVICE:
                self._obey(body["name"], body["on"])

    def _obey(self, name: str, on: Any) -> None:
        self.truth.write("fault", time.monotonic(), device=DEVICE, name=name, on=on)
        if self.mishaps.obey(name, on):
            return
        match name:
            case "unplug" if on:
                self.server.close()
            case "unplug" | "replug":
                self.server.open()
            case "silence" | "silent":
                self.server.silent = bool(on)
            case "garbage":
                self.server.spoil = self._spoilt if on else (lambda data: data)
            case "freeze":
                self.frozen = self._jpeg(self._picture(time.monotonic())) if on else None
            case "black":
                self.black = bool(on)
            case "planted":
                self.planted = bool(on)
            case "delay":
                self.server.line.delay_s = self.delay_s + (DELAY_S if on else 0.0)
            case "kill":
                os._exit(9)

    def _spoilt(self, data: bytes) -> bytes:
        spoilt = bytearray(data)
        for _ in range(self.random.randint(1, 40)):
            spoilt[self.random.randrange(len(spoilt))] = self.random.randrange(256)
        return bytes(spoilt[: self.random.randint(len(spoilt) // 2, len(spoilt))])


def main() -> None:
    """`python -m hil.devices.camera --run-dir DIR --site FILE`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--site", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--night", action="store_true")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="how slow the line behind the camera is")
    parser.add_argument("--quality", type=int, default=JPEG_QUALITY, help="of the JPEG encoder, 2 to 100")
    parser.add_argument("--driver", choices=list(CAMERAS), default=DEFAULT, help="who reads the pictures")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    site = YAML(typ="safe").load(options.site.read_text())
    crossing = read_rig_crossing(options.site.parent / site["crossing"]["file"])
    lens = site["cameras"][0]["lens"]
    if options.driver == "rtsp" and not carried(lens["width_px"], lens["height_px"]):
        parser.error(
            f"pictures by RTSP have sides of {LARGEST_SIDE} px at most, multiples of 8: change the lens"
        )
    process = CameraProcess(
        options.run_dir,
        crossing,
        site["cameras"][0],
        options.seed,
        options.night,
        options.delay_ms / 1000,
        options.quality,
        options.driver,
    )
    signal.signal(signal.SIGTERM, lambda *_: setattr(process, "going", False))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    announce(options.run_dir, DEVICE, url=process.server.url, port=process.server.port)
    process.run()


if __name__ == "__main__":
    main()
