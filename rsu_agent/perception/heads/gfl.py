"""NanoDet and PicoDet: class scores and four distributions of distances a cell, two outputs a stride."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsu_agent.perception.heads.detection import Array, Candidates
from rsu_agent.perception.heads.sidecar import Sidecar
from rsu_agent.perception.heads.told import STRIDES, STRIDES_64, Head, NotThis, Told, must_be_scores, unit

NANODET, PICODET = "nanodet", "picodet"
USUAL = 32  # columns of four distributions with reg_max 7
LEVELS = {6: STRIDES, 8: STRIDES_64}


def recognise_nanodet(told: Told, said: Sidecar) -> Head | None:
    """Facts/perception 2, row 4, where nothing tells of PicoDet."""
    return None if said.head != NANODET and _paddled(told) else _recognise(told, said)


def recognise_picodet(told: Told, said: Sidecar) -> Head | None:
    """Row 4: producer named after paddle, or eight outputs."""
    return _recognise(told, said) if said.head == PICODET or _paddled(told) else None


def _paddled(told: Told) -> bool:
    return "paddle" in told.producer.lower() or len(told.values) == 8


def _recognise(told: Told, said: Sidecar) -> Head | None:
    strides = LEVELS.get(len(told.values))
    if strides is None:
        return None
    levels = _levels(told, strides)
    if levels is None:
        return None
    shapes = [(told.values[c].shape[-1], told.values[d].shape[-1]) for c, d in levels]
    (classes, sides), *others = shapes
    if any(other != shapes[0] for other in others) or sides % 4 or sides < 8:
        raise NotThis(f"[classes, distances] differ from stride to stride or are none: {shapes}")
    for c, _ in levels:
        must_be_scores(told.values[c], "class scores")
    cells, sizes = told.grid(strides)
    ends = np.cumsum([0, *told.cells(strides)])

    def decode(outputs: Sequence[Array], threshold: float) -> Candidates:
        found = []
        for (c, d), first in zip(levels, ends, strict=False):
            scores, sure = sure_rows(outputs[c].reshape(-1, classes), threshold)
            distances = outputs[d].reshape(-1, sides)[sure]
            found.append((scores, distances, sure + first))
        scores, distances, places = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return boxed(scores, distances, cells[places], sizes[places], said.centre)

    why = f"{len(told.values)} outputs: {classes} classes and {sides} distances for strides {list(strides)}"
    return Head(why, decode, classes)


def _levels(told: Told, strides: Sequence[int]) -> list[tuple[int, int]] | None:
    """For each stride which output is classes and which distances; None where cells do not fit.

    Of two outputs with the same cells, the one with 32 columns is distances. Both have them: the one whose
    numbers can be scores is classes. Raises NotThis where that does not tell either.
    """
    levels = []
    for cells in told.cells(strides):
        pair = [n for n, v in enumerate(told.values) if v.ndim >= 2 and v.size == cells * v.shape[-1]]
        if len(pair) != 2:
            return None
        usual = [n for n in pair if told.values[n].shape[-1] == USUAL]
        if len(usual) != 1:
            usual = [n for n in pair if not unit(told.values[n])]
        if len(usual) != 1:
            raise NotThis("which outputs are classes cannot be told: both could be")
        levels.append((pair[0] if usual[0] == pair[1] else pair[1], usual[0]))
    return levels


def sure_rows(scores: Array, threshold: float) -> tuple[Array, Array]:
    """Rows with any score above the threshold, and their indices: before any distance is looked at."""
    hits = np.flatnonzero(scores > threshold)
    sure = np.unique(hits // scores.shape[1])
    return scores[sure], sure


def boxed(scores: Array, distances: Array, cells: Array, strides: Array, centre: float) -> Candidates:
    """Boxes from distributions: each side is the mean bin of its softmax, in strides, off the centre."""
    bins = distances.shape[1] // 4
    logits = distances.reshape(-1, 4, bins).astype(np.float64)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    sides = (weights @ np.arange(bins)) / weights.sum(axis=2) * strides
    middles = (cells + centre) * strides
    kinds = np.nan_to_num(scores, nan=-1.0).argmax(axis=1)
    boxes = np.concatenate([middles - sides[:, :2], middles + sides[:, 2:]], axis=1)
    return Candidates(boxes, scores[np.arange(len(kinds)), kinds], kinds)
