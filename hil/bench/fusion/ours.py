"""Our own tracker over a run's measurements."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from hil.bench.fusion.config import Config
from hil.bench.fusion.measurements import CAMERA, Array, Measurements
from hil.bench.fusion.result import Result
from hil.world.sumo import KINDS
from rsu_agent.perception.fuse import Fusion
from rsu_agent.perception.life import Associate
from rsu_agent.perception.measured import Measured
from rsu_agent.perception.roadway import Roadway
from rsu_agent.world.crossing import Crossing
from rsu_agent.world.road_user import RoadUser, UserClass

CLASSES = tuple(UserClass(kind) for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What our tracker said: its result; of each row the stated sd (m) and the sensors; ms of each step."""

    result: Result
    sd_m: Array
    sources: tuple[tuple[str, ...], ...]
    step_ms: Array


def track(
    config: Config,
    crossing: Crossing,
    measured: Measurements,
    *,
    late: bool = True,
    associate: Associate | None = None,
) -> Tracked:
    """Frames as they arrive, then the users at the instant asked.

    late False ignores the latency: a camera's frame then counts as measured when it arrives. associate:
    instead of the gate.
    """
    fusion = Fusion({}, {}, Roadway(crossing), associate=associate)
    frames = frames_of(config, measured, late=late)
    said: list[list[RoadUser]] = []
    step_ms, coming = [], 0
    for at in measured.ask_t.tolist():
        began = time.perf_counter()
        while coming < len(frames) and measured.frame_t[coming] <= at:
            fusion.take(frames[coming])
            coming += 1
        said.append(fusion.users(at))
        step_ms.append((time.perf_counter() - began) * 1e3)
    return _table(said, np.array(step_ms))


def frames_of(config: Config, measured: Measurements, *, late: bool = True) -> list[Measured]:
    """Each frame as the tracker is fed with it."""
    bounds = np.searchsorted(measured.frame, np.arange(len(measured.frame_t) + 1))
    return [
        _frame(config, measured, number, slice(bounds[number], bounds[number + 1]), late)
        for number in range(len(measured.frame_t))
    ]


def _frame(config: Config, measured: Measurements, number: int, rows: slice, late: bool) -> Measured:
    sensor, poles = int(measured.frame_sensor[number]), config.poles.places_m
    at = float((measured.frame_captured_t if late else measured.frame_t)[number])
    points, spreads = measured.xy[rows], measured.cov[rows]
    if measured.frame_kind[number] == CAMERA:
        classes = tuple(CLASSES[kind] for kind in measured.said[rows].tolist())
        score = measured.score[rows]
        return Measured(f"camera {sensor}", "camera", at, points, spreads, classes=classes, scores=score)
    pole = sensor % len(poles)
    origin = np.array(poles[pole])
    return Measured(f"radar {pole}", "radar", at, points, spreads, measured.doppler_mps[rows], origin)


def _table(said: list[list[RoadUser]], step_ms: Array) -> Tracked:
    users = [user for step in said for user in step]
    result = Result(
        np.repeat(np.arange(len(said)), [len(step) for step in said]),
        np.array([user.track for user in users], np.int64),
        np.array([(user.x_east_m, user.y_north_m) for user in users]).reshape(-1, 2),
        np.array([(user.vx_east_mps, user.vy_north_mps) for user in users]).reshape(-1, 2),
    )
    sd_m = np.array([user.position_sd_m for user in users])
    return Tracked(result, sd_m, tuple(user.sources for user in users), step_ms)
