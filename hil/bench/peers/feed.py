"""What a peer is fed with, step by step. Imports numpy only: it runs in the peers' environment too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ONE_BODY_M = 2.0  # detections of different sensors so near each other are of one body
MOST_BYTES = 2_000_000_000
SHAPES = {"t": (), "sensor": (), "frame": (), "xy": (2,), "cov": (2, 2), "score": ()}


class BadFeed(ValueError):
    """A feed that cannot be read; what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One sensor's detections of one instant: seconds, metres east and north, (n, 2) and (n, 2, 2)."""

    at_s: float
    sensor: int
    xy: Array
    cov: Array
    score: Array


@dataclass(frozen=True, slots=True)
class Step:
    """What has come since the last instant asked. frames: in time order, for who knows several sensors.

    at_s and xy, cov, score: for who does not: all sensors' detections, those of one body merged, and their
    mean instant; NaN when there are none.
    """

    ask_s: float
    frames: tuple[Frame, ...]
    at_s: float = float("nan")
    xy: Array = field(default_factory=lambda: np.zeros((0, 2)))
    cov: Array = field(default_factory=lambda: np.zeros((0, 2, 2)))
    score: Array = field(default_factory=lambda: np.zeros(0))


def steps(path: Path, least_score: float, hold_s: float) -> Iterator[Step]:
    """A feed's steps.

    The file: t, sensor, frame, xy, cov, score (rows); frame_t, when each frame arrives, and frame_sensor
    (frames); ask_t (steps). A frame belongs to the first step that asks no earlier than it has come and no
    earlier than hold_s after it was measured: so pictures that come late and radar that comes at once are
    merged as of one instant.
    """
    told = _read(path)
    frames = [
        _frame(told, rows, int(sensor), least_score)
        for rows, sensor in zip(_rows(told), told["frame_sensor"], strict=True)
    ]
    measured = np.array([frame.at_s for frame in frames])
    ready = np.maximum(told["frame_t"], np.where(np.isnan(measured), -np.inf, measured) + hold_s)
    of_step = np.searchsorted(told["ask_t"], ready - 1e-6)
    for number, ask_s in enumerate(told["ask_t"].tolist()):
        come = [frames[each] for each in np.flatnonzero(of_step == number) if len(frames[each].xy)]
        yield step(ask_s, come)


def step(ask_s: float, frames: list[Frame]) -> Step:
    """These frames, in time order, and merged."""
    ordered = tuple(sorted(frames, key=lambda frame: frame.at_s))
    if not ordered:
        return Step(ask_s, ())
    xy, cov, score = (
        np.concatenate([getattr(each, name) for each in ordered]) for name in ("xy", "cov", "score")
    )
    sensor = np.concatenate([np.full(len(each.xy), each.sensor) for each in ordered])
    at_s = np.concatenate([np.full(len(each.xy), each.at_s) for each in ordered])
    return Step(ask_s, ordered, float(at_s.mean()), *merged(xy, cov, score, sensor))


def merged(xy: Array, cov: Array, score: Array, sensor: Ints) -> tuple[Array, Array, Array]:
    """One place for each body that several sensors see, weighted by covariance; the best of its scores.

    Greedy: the surest detection takes the nearest of each other sensor within ONE_BODY_M, then the next.
    """
    places, spreads, scores = [], [], []
    left = np.ones(len(xy), bool)
    weight = np.linalg.inv(cov) if len(cov) else cov
    for first in np.argsort(np.trace(cov, axis1=1, axis2=2), kind="stable").tolist():
        if not left[first]:
            continue
        members = _of_one_body(first, xy, sensor, left)
        left[members] = False
        spread = np.linalg.inv(weight[members].sum(axis=0))
        places.append(spread @ np.einsum("nij,nj->i", weight[members], xy[members]))
        spreads.append(spread)
        scores.append(score[members].max())
    return np.array(places).reshape(-1, 2), np.array(spreads).reshape(-1, 2, 2), np.array(scores)


def _of_one_body(first: int, xy: Array, sensor: Ints, left: npt.NDArray[np.bool_]) -> list[int]:
    away = np.hypot(*(xy - xy[first]).T)
    near = np.flatnonzero(left & (away <= ONE_BODY_M) & (sensor != sensor[first]))
    nearest: dict[int, int] = {}
    for row in near[np.argsort(away[near], kind="stable")].tolist():
        nearest.setdefault(int(sensor[row]), row)
    return [first, *nearest.values()]


def _read(path: Path) -> dict[str, Array]:
    if path.stat().st_size > MOST_BYTES:
        raise BadFeed(f"{path}: larger than {MOST_BYTES} bytes")
    with np.load(path, allow_pickle=False) as file:
        missing = {*SHAPES, "frame_t", "frame_sensor", "ask_t"} - set(file.files)
        if missing:
            raise BadFeed(f"{path}: no array {', '.join(sorted(missing))}")
        told = {name: file[name] for name in (*SHAPES, "frame_t", "frame_sensor", "ask_t")}
    rows = len(told["t"])
    for name, shape in SHAPES.items():
        if told[name].shape != (rows, *shape):
            raise BadFeed(f"{path}: {name} has shape {told[name].shape}, not {(rows, *shape)}")
    frames = len(told["frame_t"])
    if rows and (told["frame"].min() < 0 or told["frame"].max() >= frames):
        raise BadFeed(f"{path}: a row belongs to a frame outside 0..{frames - 1}")
    if len(told["frame_sensor"]) != frames or (np.diff(told["ask_t"]) < 0).any():
        raise BadFeed(f"{path}: frame_sensor is not as long as frame_t, or ask_t runs backwards")
    return told


def _rows(told: dict[str, Array]) -> list[Ints]:
    """The rows of each frame."""
    order = np.argsort(told["frame"], kind="stable")
    cuts = np.searchsorted(told["frame"][order], np.arange(1, len(told["frame_t"])))
    return list(np.split(order, cuts))


def _frame(told: dict[str, Array], rows: Ints, sensor: int, least_score: float) -> Frame:
    at_s = float(told["t"][rows].mean()) if len(rows) else float("nan")
    rows = rows[told["score"][rows] >= least_score]
    return Frame(at_s, sensor, told["xy"][rows], told["cov"][rows], told["score"][rows])
