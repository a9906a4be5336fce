"""Pairs of tracks and detections with the truth about them: what the learnt association is trained on.

Our own fusion with the classical gate runs over the fusion benchmark's simulated measurements, on seeds that
the benchmark does not use. Every pair within the wide gate is one example.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hil.bench.fusion.config import Config
from hil.bench.fusion.measurements import START_S, Measurements, measurements
from hil.bench.fusion.ours import track
from hil.bench.fusion.sensors import NOBODY
from hil.bench.fusion.truth import Step, Truth, truth
from rsu_agent.perception.associate import Costs
from rsu_agent.perception.life import by_gate
from rsu_agent.perception.measured import Array, Measured
from rsu_agent.perception.pair_features import FEATURES, pairs
from rsu_agent.perception.tracks import Tracks

NEAR_M = 2.5  # a track is of the nearest user within this; of nobody where there is none
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Examples:
    """features (p, FEATURES) float32; same (p,): 1 where the detection shows the user of the track."""

    features: npt.NDArray[np.float32]
    same: npt.NDArray[np.float32]


class Recorder:
    """Gives the classical costs, and keeps the features and the truth of what it was asked."""

    def __init__(self, config: Config, world: Truth, measured: Measurements) -> None:
        self._step_s, self._steps = config.step_s, world.steps
        self._whom = whom_of(config, measured)
        self._kept: dict[tuple[str, float], Examples] = {}  # what is taken in again, as it was last

    def __call__(self, tracks: Tracks, measured: Measured, told: Array | None) -> Costs:
        """As `life.by_gate`."""
        found = pairs(tracks, measured, told)
        step = self._steps[round((measured.measured_s - START_S) / self._step_s)]
        mean, _ = tracks.motion.combined()
        owner = owners(mean[:, :2], tracks.hits, step)[found.rows]
        shown = self._whom[measured.sensor, measured.measured_s][found.columns]
        same = (owner == shown) & (owner != NOBODY)
        self._kept[measured.sensor, measured.measured_s] = Examples(found.features, same.astype(np.float32))
        return by_gate(tracks, measured, told)

    def examples(self) -> Examples:
        """All that were kept."""
        return together(list(self._kept.values()))


def whom_of(config: Config, measured: Measurements) -> dict[tuple[str, float], Ints]:
    """By name of the sensor and instant, whom each row of that frame shows."""
    poles = len(config.poles.places_m)
    bounds = np.searchsorted(measured.frame, np.arange(len(measured.frame_t) + 1))
    told: dict[tuple[str, float], Ints] = {}
    for number, sensor in enumerate(measured.frame_sensor.tolist()):
        name = f"camera {sensor}" if sensor < poles else f"radar {sensor - poles}"
        rows = slice(bounds[number], bounds[number + 1])
        told[name, float(measured.frame_captured_t[number])] = measured.user[rows]
    return told


def owners(places: Array, hits: Array, step: Step) -> Ints:
    """The user nearest to each track's place (n, 2) in metres, or NOBODY beyond NEAR_M.

    Of several tracks of one user only that with the most hits (n,) is its own: the others are doubles, which
    nothing should keep alive.
    """
    if not len(step.id) or not len(places):
        return np.full(len(places), NOBODY)
    far = np.hypot(*(places[:, None] - step.xy[None]).transpose(2, 0, 1))
    nearest = far.argmin(axis=1)
    near = far[np.arange(len(places)), nearest] <= NEAR_M
    told = np.full(len(places), NOBODY)
    order = np.lexsort((np.arange(len(places)), -hits))
    order = order[near[order]]
    _, first = np.unique(nearest[order], return_index=True)
    told[order[first]] = step.id[nearest[order[first]]]
    return told


def together(parts: list[Examples]) -> Examples:
    """One after the other."""
    empty = Examples(np.zeros((0, len(FEATURES)), np.float32), np.zeros(0, np.float32))
    parts = [empty, *parts]
    return Examples(
        np.concatenate([part.features for part in parts]), np.concatenate([part.same for part in parts])
    )


def examples(config: Config, seed: int, *, night: bool) -> Examples:
    """Those of one seed. Raises RigFailure without SUMO."""
    world = truth(config, seed)
    measured, _ = measurements(config, world, seed, night=night)
    recorder = Recorder(config, world, measured)
    track(config, world.crossing, measured, associate=recorder)
    return recorder.examples()
