"""Pictures of the virtual crossing as its camera gives them: day, night, rain, traffic."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np

from hil.devices.camera_faults import KNOCK_DEG, SOFT_PX, dirtied
from hil.paint.ground import paint_ground
from hil.paint.lens import View
from hil.paint.scene import Look, paint
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.ports.assets import asset

VIEW = View(-16.0, -19.0, 8.0, 45.0, 12.0, 0.0, 430.0, 640, 384)
CROSSING = read_rig_crossing(asset("config/crossings/virtual.geojson"))
BODIES = {
    "car": (4.5, 1.8, 1.5),
    "bus": (11.5, 2.5, 3.1),
    "truck": (8.0, 2.5, 3.2),
    "bicycle": (1.8, 0.6, 1.7),
}
DAY = Look()
PICTURES = 24  # different ones of a kind; then they come again


def traffic(seed: int, count: int = 14) -> list[dict[str, Any]]:
    """Users anywhere on the crossing, along its arms."""
    dice = np.random.default_rng(seed)
    users = []
    for number in range(count):
        cls = list(BODIES)[number % len(BODIES)]
        length, width, height = BODIES[cls]
        users.append(
            {
                "cls": cls, "l": length, "w": width, "h": height,
                "heading": float(dice.choice([0.0, 90.0, 180.0, 270.0])),
                "x": float(dice.uniform(-11, 20)), "y": float(dice.uniform(-11, 20)),
                "shade": int(dice.integers(0, 4000)),
            }
        )  # fmt: skip
    return users


@cache
def ground() -> Any:
    return paint_ground(CROSSING, 9)


@cache
def picture(number: int, *, jam: int | None = None, knocked: bool = False, look: Look = DAY) -> Any:
    """One picture through JPEG. jam: traffic that stands, by its seed; else every picture has its own."""
    view = replace(VIEW, yaw_deg=VIEW.yaw_deg + KNOCK_DEG) if knocked else VIEW
    users = traffic(1000 + number if jam is None else jam, 14 if jam is None else 20)
    painted = paint(view, ground(), users, CROSSING.heads, {1: "red"}, replace(look, seed=number + 1))
    return coded(painted)


@cache
def dirty(number: int, look: Look = DAY) -> Any:
    return coded(dirtied(picture(number, look=look)))


@cache
def soft(number: int, look: Look = DAY) -> Any:
    return coded(np.asarray(cv2.GaussianBlur(picture(number, look=look), (0, 0), SOFT_PX), np.uint8))


def coded(image: Any) -> Any:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
