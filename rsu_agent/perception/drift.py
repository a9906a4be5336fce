"""Whether a camera still looks where it did: fixed things of its reference are found again. Sans-IO."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.drift_reference import (
    CELL,
    REACH,
    SIDE,
    TILE,
    Reference,
    cells_of,
    features,
    grey_of,
)

ALARM_PX = 3.0
PERIOD_S = 86_400.0
LOOKS, BETWEEN_S = 5, 7.0  # of one measurement: a bus stands before a part of the picture in one look only
AGAIN_S = 60.0  # of a camera that has moved: whoever turns it back stands on a ladder and waits for the word
GIVE_UP_S = 1800.0  # a measurement that fog or night does not let happen is tried again the next day
LEAST_TILES = 8
ALIKE = 0.6  # correlation from which a tile is found again
AGREE_PX, AGREE_SHARE = 2.0, 0.25  # a turn moves the rim by so much more than the middle
LEAST_MATCHES, RATIO = 15, 0.75
Image = npt.NDArray[Any]
Array = npt.NDArray[np.float64]


class Drift:
    """One camera against its reference, once a period and when asked, sooner while it has moved.

    Pictures are BGR or grey, of its size.
    scale: pixels of the camera in one of the pictures given.
    """

    def __init__(self, reference: Reference, period_s: float = PERIOD_S, scale: float = 1.0) -> None:
        self.reference, self.scale = reference, scale
        self._tiles = [_unit(tile.astype(np.float32)[None])[0] for tile in reference.tiles]
        self._period_s = period_s
        self._due_s: float | None = None  # of the next measurement; None: at the first picture
        self._begun_s: float | None = None
        self._looked_s = -math.inf
        self._shifts: list[float] = []
        self.shift_px: float | None = None  # median of the last measurement; None: none has been possible
        self.measured_s: float | None = None
        self.failures = (
            0  # measurements since the last one that were given up: fog, dirt, or knocked far away
        )

    @property
    def alarm(self) -> bool:
        """Whether the camera has moved too far to be believed."""
        return self.shift_px is not None and self.shift_px > ALARM_PX

    def ask(self, now_s: float) -> None:
        """Measure now."""
        self._due_s = now_s
        self._begin(None)

    def saw(self, image: Image, now_s: float) -> None:
        """One picture; most cost nothing."""
        if self._due_s is None:
            self._due_s = now_s
        if now_s < self._due_s or now_s - self._looked_s < BETWEEN_S:
            return
        if self._begun_s is None:
            self._begin(now_s)
        self._looked_s = now_s
        shift = self.shift_of(image)
        if shift is not None:
            self._shifts.append(math.hypot(*shift))
        if len(self._shifts) >= LOOKS:
            self.shift_px = float(np.median(self._shifts)) * self.scale
            self.measured_s, self.failures = now_s, 0
            self._next(now_s, min(AGAIN_S, self._period_s) if self.alarm else self._period_s)
        elif self._begun_s is not None and now_s - self._begun_s > GIVE_UP_S:
            self.failures += 1
            self._next(now_s, self._period_s)

    def shift_of(self, image: Image) -> tuple[float, float] | None:
        """By how much, right and down (px), the picture's fixed things have moved; None: too few found."""
        if image.shape[:2] != self.reference.size:
            return None
        grey = grey_of(image)
        found = self._by_tiles(cells_of(grey))
        return found if found is not None else self._by_features(grey)

    def _begin(self, now_s: float | None) -> None:
        self._begun_s, self._shifts, self._looked_s = now_s, [], -math.inf

    def _next(self, now_s: float, after_s: float) -> None:
        self._due_s = now_s + after_s
        self._begin(None)

    def _by_tiles(self, cells: Image) -> tuple[float, float] | None:
        """Small shifts, to a fraction of a pixel."""
        shifts = []
        for (x, y), tile in zip(self.reference.spots.tolist(), self._tiles, strict=True):
            scores, left, top = _scores(cells, tile, x, y)
            _, best, _, (px, py) = cv2.minMaxLoc(scores)
            if best >= ALIKE:
                dx, dy = _between(scores, px, py)
                shifts.append((left + px + dx, top + py + dy))
        if len(shifts) < LEAST_TILES:
            return None
        middle = np.median(shifts, axis=0)
        agreeing = np.hypot(*(np.array(shifts) - middle).T) < AGREE_PX + AGREE_SHARE * np.hypot(*middle)
        if agreeing.sum() < max(LEAST_TILES, len(shifts) / 2):
            return None
        return float(middle[0]), float(middle[1])

    def _by_features(self, grey: Image) -> tuple[float, float] | None:
        """A camera that was knocked: key points found anywhere, moved together."""
        theirs, their_words = features(grey)
        ours, our_words = self.reference.points, self.reference.words
        if len(ours) < 2 or len(theirs) < 2:
            return None
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(our_words, their_words, k=2)
        good = [two[0] for two in pairs if len(two) == 2 and two[0].distance < RATIO * two[1].distance]
        if len(good) < LEAST_MATCHES:
            return None
        a = ours[[each.queryIdx for each in good]].astype(np.float64)
        b = theirs[[each.trainIdx for each in good]].astype(np.float64)
        _, mask = cv2.findHomography(a, b, cv2.RANSAC, 4.0)  # what a turn does to a picture
        if mask is None or int(mask.sum()) < max(LEAST_MATCHES, len(good) // 3):
            return None
        dx, dy = np.median((b - a)[mask.reshape(-1) > 0], axis=0)
        return float(dx), float(dy)


def _scores(cells: Image, tile: Image, x: int, y: int) -> tuple[Image, int, int]:
    """Correlation of a tile with every place within reach, and the shift (right, down) of the first place."""
    height, width = cells.shape
    left, top = -min(REACH, x - TILE), -min(REACH, y - TILE)
    right, down = min(REACH, width - TILE - x), min(REACH, height - TILE - y)
    first = CELL // 2 - TILE
    window = cells[y + top + first : y + down + TILE, x + left + first : x + right + TILE]
    reach = (SIDE - 1) * CELL + 1
    places = np.lib.stride_tricks.sliding_window_view(window, (reach, reach))[:, :, ::CELL, ::CELL]
    places = places[: down - top + 1, : right - left + 1]
    shape = places.shape[:2]
    scores = _unit(places.reshape(-1, SIDE * SIDE)) @ tile
    return np.ascontiguousarray(scores.reshape(shape)), left, top


def _unit(rows: Image) -> Image:
    """Rows without their mean, of length one; a row without any contrast is nothing."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-3))


def _between(scores: Image, x: int, y: int) -> tuple[float, float]:
    """A peak's place between pixels, by a parabola each way."""

    def peak(before: float, at: float, after: float) -> float:
        bend = before - 2 * at + after
        return 0.0 if abs(bend) < 1e-9 else max(-0.5, min(0.5, 0.5 * (before - after) / bend))

    height, width = scores.shape
    dx = peak(*map(float, scores[y, x - 1 : x + 2])) if 0 < x < width - 1 else 0.0
    dy = peak(*map(float, scores[y - 1 : y + 2, x])) if 0 < y < height - 1 else 0.0
    return dx, dy
