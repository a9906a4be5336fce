"""All that the sensors of one run have measured, frame by frame in the order of arrival; kept under build/.

The file is also what peers are fed with. frame_t is when a frame arrives (feed it before an instant is asked
that is not earlier), t is when its rows were measured, ask_t are the instants asked. Seconds, metres.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hil.bench.fusion import occlusion, sensors
from hil.bench.fusion.config import Config
from hil.bench.fusion.sensors import Found, View
from hil.bench.fusion.truth import KEPT, Truth

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CAMERA, RADAR = 0, 1
START_S = 1000.0  # of the run; times are like a monotonic clock's


@dataclass(frozen=True, slots=True)
class Measurements:
    """Rows: t, sensor, kind (CAMERA, RADAR), frame, xy, cov, score, doppler_mps, said; user: whom it shows,
    which no tracker is fed with. Frames: frame_*.

    ask_t (steps,). clear: of each row of the truth in order of step and user, how many sensors see it freely.
    """

    t: Array
    sensor: Ints
    kind: Ints
    frame: Ints
    xy: Array
    cov: Array
    score: Array
    doppler_mps: Array
    said: Ints
    user: Ints
    frame_t: Array
    frame_captured_t: Array
    frame_sensor: Ints
    frame_kind: Ints
    ask_t: Array
    clear: Ints

    def save(self, path: Path) -> None:
        """Write a file; the last step makes it appear whole."""
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(file, **{each.name: getattr(self, each.name) for each in fields(self)})
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Measurements:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(**{each.name: file[each.name] for each in fields(cls)})

    def only(
        self, kinds: tuple[int, ...], until_t: float = np.inf, lost: tuple[int, ...] = ()
    ) -> Measurements:
        """Those of these kinds; of the kinds in `lost` only what was measured before `until_t`."""
        keeps = np.isin(self.frame_kind, kinds)
        keeps &= ~np.isin(self.frame_kind, lost) | (self.frame_captured_t < until_t)
        number = np.cumsum(keeps) - 1
        rows = keeps[self.frame]
        whole = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ("t", "sensor", "kind", "frame", "xy", "cov", "score", "doppler_mps", "said", "user"):
            whole[name] = whole[name][rows]
        for name in ("frame_t", "frame_captured_t", "frame_sensor", "frame_kind"):
            whole[name] = whole[name][keeps]
        whole["frame"] = number[whole["frame"]]
        return Measurements(**whole)


def measurements(config: Config, truth: Truth, seed: int, *, night: bool) -> tuple[Measurements, Path]:
    """What is measured of a truth, and the file that holds it."""
    code = "".join(map(inspect.getsource, (sensors, occlusion, sys.modules[__name__])))
    key = hashlib.sha256(f"{config.sha256} {truth.path.name} {seed} {night} {code}".encode()).hexdigest()[:16]
    path = KEPT / f"measured-{key}.npz"
    if not path.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        measure(config, truth, seed, night=night).save(path)
    return Measurements.load(path), path


def measure(config: Config, truth: Truth, seed: int, *, night: bool) -> Measurements:
    """All sensors at every step; each sensor has dice of its own."""
    poles = len(config.poles.places_m)
    dice = [np.random.default_rng([seed, int(night), sensor]) for sensor in range(2 * poles)]
    frames: list[tuple[float, float, int, Found]] = []  # arrives, captured, sensor
    clear = []
    for number, step in enumerate(truth.steps):
        at = round(START_S + number * config.step_s, 6)
        views = [sensors.view(config.poles, pole, step) for pole in range(poles)]
        clear.append(_clear(views))
        for pole, seen in enumerate(views):
            late = round(at + config.camera.late_s, 6)
            picture = sensors.pictured(config, pole, step, seen, dice[pole], night=night)
            frames.append((late, at, pole, picture))
            frames.append(
                (at, at, poles + pole, sensors.echoed(config, pole, step, seen, dice[poles + pole]))
            )
    frames.sort(key=lambda frame: frame[:3])
    return _table(config, frames, np.concatenate(clear))


def _clear(views: list[View]) -> Ints:
    """How many poles' sensors see each user freely; a pole's camera and radar see alike."""
    return np.asarray(sum((view.inside & ~view.hidden).astype(np.int64) for view in views), np.int64)


def _table(config: Config, frames: list[tuple[float, float, int, Found]], clear: Ints) -> Measurements:
    poles, counts = len(config.poles.places_m), [len(found.xy) for *_, found in frames]
    arrives, captured, sensor = (np.array(column) for column in list(zip(*frames, strict=True))[:3])
    kind = np.where(sensor < poles, CAMERA, RADAR)
    xy = np.concatenate([found.xy for *_, found in frames])
    cov = [sensors.spread(config, one % poles, found.xy, by_camera=one < poles) for *_, one, found in frames]
    return Measurements(
        t=np.repeat(captured, counts),
        sensor=np.repeat(sensor, counts),
        kind=np.repeat(kind, counts),
        frame=np.repeat(np.arange(len(frames)), counts),
        xy=xy,
        cov=np.concatenate(cov),
        score=np.concatenate([found.score for *_, found in frames]),
        doppler_mps=np.concatenate([found.doppler_mps for *_, found in frames]),
        said=np.concatenate([found.said for *_, found in frames]).astype(np.int64),
        user=np.concatenate([found.user for *_, found in frames]).astype(np.int64),
        frame_t=arrives,
        frame_captured_t=captured,
        frame_sensor=sensor,
        frame_kind=kind,
        ask_t=np.round(START_S + np.arange(config.steps) * config.step_s, 6),
        clear=clear,
    )
