"""Whether a camera sees sharply: its edges, cell by cell, against what they were at this hour. Sans-IO.

The mean picture of some seconds has no noise, no rain and little traffic in it. Edges are measured against
the brightness around them, so that dusk and clouds change little. A lens out of focus loses them everywhere,
a dirty one in a part of the picture. What stands in front has an outline: around it the edges are strong.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

Word = Literal["ok", "dirty", "defocused"]
Image = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

COLUMNS, ROWS = 16, 10
FADE = 0.06  # of a new look in the mean picture, a look a second
WARM_LOOKS = 30  # before it says anything
DIM = 24.0  # grey levels added to the brightness: in an unlit cell rain and noise are no texture
WHITE = 240.0  # a cell that glare has filled tells nothing
TEXTURED = 0.03  # edges per brightness from which a cell can lose them
LEAST_CELLS = 16
LOST, DOUBTED = 0.45, 0.6  # of the hour's edges: below these a cell has lost them, or is not learnt from
SOFT, SHARPEST = 0.75, 1.5  # mean ratio around a cell behind dirt; beside a vehicle's outline it is above
ALL_SHARE, PART_SHARE, WELL_SHARE = 0.7, 0.08, 0.04  # of the textured cells that have lost them
LASTS_S: dict[Word, float] = {"ok": 30.0, "dirty": 300.0, "defocused": 60.0}  # a queue at red is gone by then
FAST_S, FIRST_LOOKS = 600.0, 3600  # an hour is learnt quickly on its first day: dusk takes half an hour
SLOW_S = 36_000.0  # and slowly on later ones: dirt takes days
HOURS = 24


class Sharpness:
    """One camera. Fed with a grey picture about once a second; `word` says how it is."""

    def __init__(self) -> None:
        self.word: Word = "ok"
        self.kept_ratio: float | None = None  # textured cells that still have their edges; None: no opinion
        self.sharp_ratio: float | None = None  # median of edges now / edges of the hour
        self.mean: Floats | None = None
        self.hours: dict[int, Floats] = {}
        self._looks = 0
        self._learnt: dict[int, int] = {}
        self._next: tuple[Word, float] = ("ok", math.inf)  # what it seems to be, and since when

    @property
    def warm(self) -> bool:
        """Whether the mean picture holds enough looks."""
        return self._looks >= WARM_LOOKS

    def look(self, grey: Image, now_s: float, hour: int) -> None:
        """One picture; hour: of the day, 0..23, of any time zone that stays the same."""
        if self.mean is None or self.mean.shape != grey.shape:
            self.mean, self._looks = grey.astype(np.float32), 0
        cv2.accumulateWeighted(grey, self.mean, max(FADE, 1.0 / (self._looks + 1)))
        self._looks += 1
        if not self.warm:
            return
        edges, white = edges_of(self.mean)
        known = self.hours.get(hour)
        if known is None and self.word == "ok" and self._next[0] == "ok":
            self.hours[hour], self._learnt[hour] = edges, 1
            return
        usual = self.hours.get((hour - 1) % HOURS) if known is None else known
        if usual is not None:  # a doubt that the old hour has left is judged to its end by that hour
            ratio = np.asarray(edges / np.maximum(usual, 1e-6), np.float32)
            self._judge(ratio, (usual > TEXTURED) & ~white, now_s)
        if known is not None:
            self._learn(edges, known, hour)

    def restore(self, hours: dict[int, Floats]) -> None:
        """What was learnt before a restart: those hours are not new any more."""
        self.hours = {hour: edges for hour, edges in hours.items() if edges.shape == (ROWS, COLUMNS)}
        self._learnt = dict.fromkeys(self.hours, FIRST_LOOKS)

    def _judge(self, ratio: Floats, told: npt.NDArray[np.bool_], now_s: float) -> None:
        if int(told.sum()) < LEAST_CELLS:
            self.kept_ratio = self.sharp_ratio = None
            return
        capped = np.where(told, np.minimum(ratio, SHARPEST), np.float32(1.0))
        around = cv2.blur(capped, (3, 3), borderType=cv2.BORDER_REPLICATE)
        lost = float(((ratio < LOST) & (around < SOFT))[told].mean())
        self.kept_ratio, self.sharp_ratio = 1.0 - lost, float(np.median(ratio[told]))
        least = PART_SHARE if self.word == "ok" else WELL_SHARE
        seems: Word = "defocused" if lost >= ALL_SHARE else "dirty" if lost >= least else "ok"
        if seems != self._next[0]:
            self._next = seems, now_s
        if seems != self.word and now_s - self._next[1] >= LASTS_S[seems]:
            self.word = seems

    def _learn(self, edges: Floats, known: Floats, hour: int) -> None:
        count = self._learnt[hour] = self._learnt.get(hour, 0) + 1
        share = max(1.0 / count, 1.0 / FAST_S) if count < FIRST_LOOKS else 1.0 / SLOW_S
        self.hours[hour] = np.where(edges < DOUBTED * known, known, known + share * (edges - known))


def edges_of(mean: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Root of the Laplacian's variance per brightness, (ROWS, COLUMNS); and cells that are white all over."""
    size = (COLUMNS, ROWS)
    level = cv2.resize(mean, size, interpolation=cv2.INTER_AREA)
    bends = cv2.Laplacian(mean, cv2.CV_32F)
    energy = cv2.resize(bends * bends, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.sqrt(energy) / (level + DIM), np.float32), level > WHITE
