"""What watching a camera's health costs: milliseconds a picture of 640x384, ten a second; the dearest."""

from __future__ import annotations

import resource
import time
from typing import Any

import cv2
import numpy as np
from ruamel.yaml import YAML

from hil.devices.camera import view_of
from hil.paint.ground import paint_ground
from hil.paint.scene import Look, paint
from hil.world.crossing_read import read_rig_crossing
from rsu_agent.perception.camera_care import DRIFT_PERIOD_S, REFERENCE_LOOKS, CameraCare
from rsu_agent.perception.watch import CameraWatch
from rsu_agent.ports.assets import asset

HZ = 10
PICTURES = 20  # different ones; then they come again
LEARNS_S = REFERENCE_LOOKS + 5
MEASURED_S = 2 * round(DRIFT_PERIOD_S)  # whole rounds of everything that is done now and then


def camera_watch(seed: int) -> dict[str, Any]:
    """`ms_a_frame`: mean of ten minutes of pictures; `p99_ms`, `max_ms` of single ones; `percent_of_core`."""
    cv2.setNumThreads(1)
    pictures, watch = painted(seed), CameraWatch(CameraCare())
    taken: list[float] = []
    began = 0.0
    for n in range(HZ * (LEARNS_S + MEASURED_S)):
        if n == HZ * LEARNS_S:
            taken, began = [], _cpu_s()
        start_s = time.perf_counter()
        watch.saw(pictures[n % PICTURES], n / HZ)
        taken.append((time.perf_counter() - start_s) * 1000)
    spent_s = _cpu_s() - began
    return {
        "ms_a_frame": round(spent_s * 1000 / len(taken), 3),
        "p50_ms": round(float(np.median(taken)), 3),
        "p99_ms": round(float(np.percentile(taken, 99)), 2),
        "max_ms": round(max(taken), 1),
        "percent_of_core": round(100 * spent_s / MEASURED_S, 2),
        "said": watch.reason((HZ * (LEARNS_S + MEASURED_S) - 1) / HZ),
    }


def painted(seed: int) -> list[Any]:
    """Pictures of the virtual crossing's camera with their noise."""
    path = asset("config/virtual.yaml")
    site = YAML(typ="safe").load(path.read_text())
    crossing = read_rig_crossing(path.parent / site["crossing"]["file"])
    view, ground = view_of(site["cameras"][0]), paint_ground(crossing, seed + 77)
    looks = [Look(noise=3.0, seed=seed * 1000 + n) for n in range(PICTURES)]
    return [paint(view, ground, [], crossing.heads, {}, look) for look in looks]


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
