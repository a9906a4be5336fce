"""Rendering training samples in several processes into one file of arrays, with progress."""

from __future__ import annotations

import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from hil.world.crossing_read import read_rig_crossing
from models.scenes import CLASSES, TRAINED_MIX, SceneMaker
from models.targets import targets

CROSSING = Path(__file__).parents[1] / "config" / "crossings" / "virtual.geojson"
Array = npt.NDArray[Any]


def _part(arguments: tuple[int, int]) -> list[tuple[Array, Array, list[tuple[Any, ...]], bool]]:
    seed, count = arguments
    cv2.setNumThreads(1)
    maker = SceneMaker(read_rig_crossing(CROSSING), seed, TRAINED_MIX)
    made = []
    for _ in range(count):
        sample = maker.sample()
        rows = [(CLASSES.index(item.cls), *item.box, *item.ground) for item in sample.labels]
        made.append((sample.image, sample.radar, rows, sample.night))
    return made


def render(
    count: int, seed: int, processes: int = 2
) -> list[tuple[Array, Array, list[tuple[Any, ...]], bool]]:
    """So many samples as (image, radar, label rows, night)."""
    part = 60
    jobs = [(seed * 100_000 + i, min(part, count - i * part)) for i in range((count + part - 1) // part)]
    made = []
    with get_context("spawn").Pool(processes) as pool:
        for done in pool.imap(_part, jobs):
            made += done
            print(f"\rrendered {len(made)} of {count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return made


def as_targets(rows: list[tuple[Any, ...]]) -> tuple[Array, Array, Array]:
    """Targets of label rows."""
    from hil.paint.scene import Label

    found = [
        Label(i, CLASSES[row[0]], (row[1], row[2], row[3], row[4]), (row[5], row[6]), 1.0, 0.0, 0.0)
        for i, row in enumerate(rows)
    ]
    return targets(found)


def flipped(
    image: Array, radar: Array, rows: list[tuple[Any, ...]]
) -> tuple[Array, Array, list[tuple[Any, ...]]]:
    """The mirror image of a sample."""
    width = image.shape[1]
    turned = [(r[0], width - r[3], r[2], width - r[1], r[4], width - r[5], r[6]) for r in rows]
    return image[:, ::-1], np.ascontiguousarray(radar[:, :, ::-1]), turned
