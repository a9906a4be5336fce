"""What the tests of the virtual radars share: road users before a radar at the origin that looks north."""

from __future__ import annotations

import math
from typing import Any

from hil.devices.radar_faults import RadarFaults
from hil.devices.radar_front import Fitting, RadarFront
from hil.devices.radar_model import Mount

HEIGHT_M = 6.0
SIZES = {
    "pedestrian": (0.5, 0.5, 1.7),
    "bicycle": (1.8, 0.6, 1.6),
    "car": (4.6, 1.8, 1.5),
    "truck": (8.0, 2.4, 3.0),
    "bus": (12.0, 2.5, 3.2),
}


def mount(range_m: float = 120.0, half_deg: float = 50.0, yaw_deg: float = 0.0) -> Mount:
    return Mount(0.0, 0.0, HEIGHT_M, math.radians(yaw_deg), range_m, math.radians(half_deg))


def user(
    x: float, y: float, vx: float = 0.0, vy: float = 5.0, cls: str = "car", number: int = 1
) -> dict[str, Any]:
    """A user so far right and forward of a radar that looks north."""
    length, width, height = SIZES[cls]
    return {
        "id": number, "cls": cls, "x": x, "y": y, "vx": vx, "vy": vy,
        "heading": math.degrees(math.atan2(vx, vy)) % 360, "l": length, "w": width, "h": height,
    }  # fmt: skip


def fitting(seed: int = 1, faults: RadarFaults | None = None, **options: str) -> Fitting:
    return Fitting(mount(), faults or RadarFaults(seed), seed, 0.0, 1_790_000_000.0, options)


def moved(users: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    return [{**u, "x": u["x"] + u["vx"] * seconds, "y": u["y"] + u["vy"] * seconds} for u in users]


def run(
    front: RadarFront, users: list[dict[str, Any]], from_s: float, to_s: float, step_s: float = 0.001
) -> list[tuple[float, bytes]]:
    """What leaves, with its time; users move on from where they are at zero."""
    gone, now_s = [], from_s
    while now_s < to_s:
        gone += [(now_s, frame) for frame in front.due(now_s, moved(users, now_s))]
        now_s = max(now_s + step_s, min(front.next_s(), to_s))
    return gone
