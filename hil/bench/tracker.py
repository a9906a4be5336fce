"""Fusion and tracking of the day's and the peak's traffic, every user seen by camera and radar."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from hil.bench.crossing import site
from hil.bench.taken import Taken, percentile
from hil.bench.tracker_ratio import ratios
from hil.devices.radar import RadarModel
from hil.devices.signal_model import SignalModel
from hil.world.crossing_read import read_rig_crossing
from hil.world.main import STEP_S, user_row
from hil.world.traffic import Traffic
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.ground import GroundCamera, GroundRadar
from rsu_agent.perception.heads.detection import Detection
from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.roadway import Roadway
from rsu_agent.ports.assets import asset
from rsu_agent.ports.devices import RadarFrame, RadarPoint
from rsu_agent.world.road_user import UserClass

WARM_S, SECONDS, START_S = 40.0, 30.0, 1000.0
GROUND_SD_PX = 1.5
PERIOD_MS = 100.0


def tracker(seed: int) -> dict[str, Any]:
    """Milliseconds a 100 ms cycle; ratio = ours / one bare assignment of the same places by SciPy, by day.

    Beside it one update of a hundred tracks, by us and by others' trackers, and how ours grows.
    """
    day, peak = _run(seed, "day"), _run(seed, "peak")
    figures = {f"{name}_day": value for name, value in day.items()}
    figures |= {f"{name}_peak": value for name, value in peak.items()}
    return {
        **figures,
        "budget_share": round(peak["cycle_ms"] / PERIOD_MS, 3),
        "ratio": round(day["cycle_ms"] / day["scipy_ms"], 1),
        **ratios(seed),
    }


def _run(seed: int, density: str) -> dict[str, float]:
    read = site()
    camera, radar = read.settings.cameras[0], read.settings.radars[0]
    eye = GroundCamera.through(camera.pose, PinholeLens.of(camera.lens))
    fusion = Fusion({"c": eye}, {"r": GroundRadar(radar.pose)}, Roadway(read.crossing))
    returns = RadarModel(radar.pose.model_dump(), radar.field.model_dump(), seed)
    traffic, lights = _warm(seed, density)
    dice, cycle, bare, users = random.Random(seed), Taken(), Taken(), []
    for step in range(int(SECONDS / STEP_S)):
        now_s = START_S + step * STEP_S
        lights.advance(now_s)
        traffic.step(STEP_S, lights.lamps, now_s)
        if step % 2:
            continue
        rows = [user_row(user) for user in traffic.users]
        found, frame = _pictured(eye, rows, dice), _returned(returns, rows, step, now_s)
        with cycle.once():
            fusion.camera("c", found, now_s)
            fusion.radar("r", frame)
            told = fusion.users(now_s)
        places = np.array([(row["x"], row["y"]) for row in rows])
        with bare.once():
            linear_sum_assignment(np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1)))
        users.append(len(told))
    return {
        "cycle_ms": cycle.ms(),
        "cycle_p99_ms": cycle.ms(0.99),
        "scipy_ms": bare.ms(),
        "users": percentile(users, 0.5),
    }


def _warm(seed: int, density: str) -> tuple[Traffic, SignalModel]:
    traffic = Traffic(read_rig_crossing(asset("config/crossings/virtual.geojson")), seed, density)
    lights = SignalModel(START_S - WARM_S, seed=seed)
    for step in range(int(WARM_S / STEP_S)):
        now_s = START_S - WARM_S + step * STEP_S
        lights.advance(now_s)
        traffic.step(STEP_S, lights.lamps, now_s)
    return traffic, lights


def _pictured(eye: GroundCamera, rows: list[dict[str, Any]], dice: random.Random) -> list[Detection]:
    """Every user before the camera, its ground point to a pixel or two."""
    pixels, depths = eye.to_pixels(np.array([(row["x"], row["y"], 0.0) for row in rows]).reshape(-1, 3))
    return [
        Detection(
            UserClass(row["cls"]),
            0.8,
            (u - 9, v - 9, u + 9, v + 1),
            (u + dice.gauss(0, GROUND_SD_PX), v + dice.gauss(0, GROUND_SD_PX)),
            grounded=True,
        )
        for row, (u, v), depth in zip(rows, pixels, depths, strict=True)
        if depth > 0
    ]


def _returned(model: RadarModel, rows: list[dict[str, Any]], number: int, now_s: float) -> RadarFrame:
    points = tuple(
        RadarPoint(forward, -right, up, doppler, snr)
        for right, forward, up, doppler, snr in model.points(rows)
    )
    return RadarFrame(number, now_s, points)
