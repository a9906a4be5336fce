"""A crowd on a crossing as detections with noise: lanes that sway to and fro like stop-and-go traffic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FRAME_S = 0.1
LANE_M, HEADWAY_M = 4.0, 12.0  # a hundred users on 70 m by 70 m, as at the peak of a crossing
SWAY_M, SWAY_PERIOD_S = 18.0, 16.0  # up to 7 m/s, speeding up and braking with 2.8 m/s^2
SPREAD_M = 0.3  # standard deviation of a detection, east and north
SCORE = 0.8


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: places (n, 2) metres east and north, in any order; who each is."""

    at_s: float
    xy: Array
    who: npt.NDArray[np.intp]


def crowd(count: int, seed: int, frames: int, start_s: float = 1000.0) -> list[Frame]:
    """Ten pictures a second, every user once in each. More users are a larger crowd, not a denser one."""
    dice = np.random.default_rng(seed)
    lanes = max(1, round(math.sqrt(count * HEADWAY_M / LANE_M)))
    lane, place = np.arange(count) % lanes, np.arange(count) // lanes
    across = (lane - (lanes - 1) / 2) * LANE_M
    along = place * HEADWAY_M + dice.uniform(-2.0, 2.0, count)
    along -= along.mean()
    phase = dice.uniform(0.0, 2 * math.pi, lanes)[lane]
    made = []
    for number in range(frames):
        at_s = start_s + number * FRAME_S
        sway = SWAY_M * np.sin(2 * math.pi * at_s / SWAY_PERIOD_S + phase)
        places = np.column_stack([across, along + sway]) + dice.normal(0.0, SPREAD_M, (count, 2))
        order = dice.permutation(count)
        made.append(Frame(at_s, places[order], order))
    return made


def as_feed(frames: list[Frame], path: Path) -> None:
    """The same as a file for peers: one sensor, each picture asked about when it has come."""
    counts = [len(frame.xy) for frame in frames]
    rows, at_s = sum(counts), np.array([frame.at_s for frame in frames])
    with path.open("wb") as file:
        np.savez(
            file,
            t=np.repeat(at_s, counts),
            sensor=np.zeros(rows, np.int64),
            kind=np.zeros(rows, np.int64),
            frame=np.repeat(np.arange(len(frames)), counts),
            xy=np.concatenate([frame.xy for frame in frames]),
            cov=np.tile(np.eye(2) * SPREAD_M**2, (rows, 1, 1)),
            score=np.full(rows, SCORE),
            frame_t=at_s,
            frame_sensor=np.zeros(len(frames), np.int64),
            ask_t=at_s,
        )
