"""Rendered training scenes: random cameras, textures, light and users, with a radar picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hil.paint.ground import Ground, paint_ground
from hil.paint.lens import View
from hil.paint.scene import Label, Look, labels, paint
from hil.world.crossing_read import RigCrossing
from hil.world.user import SIZES

CLASSES = ("car", "truck", "bus", "motorcycle", "bicycle", "tricycle", "cart", "pedestrian")
MIX = (0.36, 0.08, 0.06, 0.11, 0.11, 0.07, 0.05, 0.16)
TRAINED_MIX = (0.20, 0.10, 0.08, 0.14, 0.14, 0.10, 0.12, 0.12)  # rare ones oftener, so that they are learnt
WIDTH, HEIGHT = 640, 384
RADAR_SCALE = 4
LEAST_VISIBLE, LEAST_AREA, LEAST_WIDTH, MOST_CUT = 0.35, 60.0, 3.0, 0.6
RADAR_SEES = {"car": 0.93, "truck": 0.95, "bus": 0.95, "motorcycle": 0.88, "pedestrian": 0.72}
RADAR_SEES_OTHERS = 0.8
RANGE_SD_M, AZIMUTH_SD = 0.4, 0.012
PILLAR_M = 1.8
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Sample:
    """One picture with its radar picture and its labels."""

    image: Array
    radar: Array
    labels: list[Label]
    night: bool
    view: View


class SceneMaker:
    """Makes samples; another seed, other scenes. A texture serves twelve pictures. mix: share a class."""

    def __init__(self, crossing: RigCrossing, seed: int, mix: Sequence[float] = MIX) -> None:
        self._crossing = crossing
        self._mix = mix
        self._random = np.random.default_rng(seed)
        self._ground: Ground | None = None
        self._made = 0

    def sample(self) -> Sample:
        """The next sample."""
        if self._ground is None or self._made % 12 == 0:
            self._ground = paint_ground(self._crossing, int(self._random.integers(1 << 30)))
        self._made += 1
        view = self._view()
        users = self._users(view)
        look = self._look()
        lamps = {
            head.group: str(self._random.choice(["red", "green", "yellow", "dark"]))
            for head in self._crossing.heads
        }
        picture = paint(view, self._ground, users, self._crossing.heads, lamps, look)
        if self._random.random() < 0.7:
            quality = int(self._random.integers(60, 95))
            jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            picture = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
        kept = [label for label in labels(view, users) if _usable(label)]
        radar = radar_picture(view, self._radar_points(view, users))
        return Sample(picture, radar, kept, look.night, view)

    def _view(self) -> View:
        r = self._random
        around, away = r.uniform(0, 2 * math.pi), r.uniform(16, 34)
        x, y = away * math.sin(around), away * math.cos(around)
        towards = math.degrees(math.atan2(-x, -y)) + r.uniform(-23, 23)
        pitch = math.degrees(r.uniform(0.15, 0.40))
        return View(
            x, y, r.uniform(5.5, 10), towards, pitch, r.uniform(-1.5, 1.5), r.uniform(380, 620), WIDTH, HEIGHT
        )

    def _look(self) -> Look:
        r = self._random
        return Look(
            night=bool(r.random() < 0.3),
            rain=bool(r.random() < 0.25),
            sun_deg=float(r.uniform(0, 360)),
            sun_height=float(r.uniform(0.3, 1.6)),
            gain=float(r.uniform(0.7, 1.25)),
            blur=float(r.uniform(0.3, 1.0)) if r.random() < 0.3 else 0.0,
            noise=float(r.uniform(1, 6)),
            seed=int(r.integers(1 << 30)),
        )

    def _users(self, view: View) -> list[dict[str, Any]]:
        """Users in front of the camera, near and far, none inside another; often in queues."""
        r = self._random
        users: list[dict[str, Any]] = []
        for _ in range(int(r.integers(4, 27))):
            away, off = 5.0 + 62.0 * r.random() ** 0.8, r.uniform(-0.75, 0.75)
            angle = math.radians(view.yaw_deg) + off
            x, y = view.x + away * math.sin(angle), view.y + away * math.cos(angle)
            heading = float(r.choice([0, 90, 105, 180, 270, 285])) + float(r.normal(0, 12))
            if users and r.random() < 0.35:
                last = users[-1]
                turn = math.radians(last["heading"])
                gap = last["l"] / 2 + r.uniform(3.0, 6.5)
                x, y = last["x"] - math.sin(turn) * gap, last["y"] - math.cos(turn) * gap
                heading = last["heading"]
            cls = str(r.choice(CLASSES, p=self._mix))
            length, width, height = (side * r.uniform(0.9, 1.1) for side in SIZES[cls])
            if all(math.hypot(x - u["x"], y - u["y"]) > (length + u["l"]) / 2 + 0.2 for u in users):
                row = {"id": len(users), "cls": cls, "x": x, "y": y, "heading": heading}
                users.append({**row, "l": length, "w": width, "h": height, "shade": int(r.integers(1 << 16))})
        return users

    def _radar_points(self, view: View, users: list[dict[str, Any]]) -> list[tuple[float, float]]:
        r = self._random
        points = []
        for user in users:
            if r.random() < RADAR_SEES.get(user["cls"], RADAR_SEES_OTHERS):
                points.append(_jittered(view, user["x"], user["y"], r))
        for _ in range(3):
            angle, away = math.radians(view.yaw_deg) + r.uniform(-0.7, 0.7), r.uniform(6, 65)
            points.append((view.x + away * math.sin(angle), view.y + away * math.cos(angle)))
        return points


def _jittered(view: View, x: float, y: float, r: np.random.Generator) -> tuple[float, float]:
    away = math.hypot(x - view.x, y - view.y) + r.normal(0, RANGE_SD_M)
    angle = math.atan2(x - view.x, y - view.y) + r.normal(0, AZIMUTH_SD)
    return view.x + away * math.sin(angle), view.y + away * math.cos(angle)


def radar_picture(view: View, points: list[tuple[float, float]]) -> Array:
    """Radar returns as pillars at quarter resolution: occupancy, inverse depth; uint8, (2, h, w)."""
    picture = np.zeros((2, HEIGHT // RADAR_SCALE, WIDTH // RADAR_SCALE), np.uint8)
    for x, y in points:
        pixels, depth = view.project(np.array([[x, y, 0.0], [x, y, PILLAR_M]]))
        if depth.min() < 1.0:
            continue
        (u0, v0), (u1, v1) = (pixels / RADAR_SCALE).astype(int)
        thick = int(1 + 40 / depth[0])
        near = int(min(255, 2500 / depth[0]))
        for plane, value in ((picture[0], 255), (picture[1], near)):
            cv2.line(plane, (int(u0), int(v0)), (int(u1), int(v1)), value, thick)
    return picture


def _usable(label: Label) -> bool:
    left, top, right, bottom = label.box
    area = (right - left) * (bottom - top)
    cut_w = max(0.0, min(right, WIDTH) - max(left, 0.0))
    cut_h = max(0.0, min(bottom, HEIGHT) - max(top, 0.0))
    large = area > LEAST_AREA and right - left > LEAST_WIDTH
    return label.visible > LEAST_VISIBLE and large and cut_w * cut_h > (1 - MOST_CUT) * area
