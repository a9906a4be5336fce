"""Whether a camera still looks where it did: fixed things of the reference still are found again. Sans-IO."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

ALARM_PX = 3.0
PERIOD_S = 86_400.0
LOOKS, BETWEEN_S = 5, 7.0  # of one measurement: a bus stands before a part of the picture in one look only
GIVE_UP_S = 1800.0  # a measurement that fog or night does not let happen is tried again the next day
TILE, REACH = 16, 24  # half of a tile, and how far it is looked for, px
MOST_TILES, LEAST_TILES = 80, 8
MARGIN = 0.08  # of the height, above and below: clocks and names that cameras write there never move
ALIKE = 0.6  # correlation from which a tile is found again
AGREE_PX, AGREE_SHARE = 2.0, 0.25  # a turn moves the rim by so much more than the middle
LEAST_MATCHES, RATIO = 15, 0.75
Image = npt.NDArray[Any]
Array = npt.NDArray[np.float64]


class Drift:
    """One camera against its reference still (BGR or grey, the camera's size), once a day and when asked."""

    def __init__(self, reference: Image, period_s: float = PERIOD_S) -> None:
        self._reference = _edges(reference)
        self._grey = _grey(reference)
        self._tiles = _tiles(self._grey)
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
            self.shift_px, self.measured_s, self.failures = float(np.median(self._shifts)), now_s, 0
            self._next(now_s)
        elif self._begun_s is not None and now_s - self._begun_s > GIVE_UP_S:
            self.failures += 1
            self._next(now_s)

    def shift_of(self, image: Image) -> tuple[float, float] | None:
        """By how much, right and down (px), the picture's fixed things have moved; None: too few found."""
        if image.shape[:2] != self._grey.shape:
            return None
        found = self._by_tiles(_edges(image))
        return found if found is not None else self._by_features(_grey(image))

    def _begin(self, now_s: float | None) -> None:
        self._begun_s, self._shifts, self._looked_s = now_s, [], -math.inf

    def _next(self, now_s: float) -> None:
        self._due_s = now_s + self._period_s
        self._begin(None)

    def _by_tiles(self, edges: Image) -> tuple[float, float] | None:
        """Small shifts, to a fraction of a pixel."""
        shifts = []
        for x, y in self._tiles:
            tile = self._reference[y - TILE : y + TILE, x - TILE : x + TILE]
            left, top = max(0, x - TILE - REACH), max(0, y - TILE - REACH)
            window = edges[top : y + TILE + REACH, left : x + TILE + REACH]
            scores = cv2.matchTemplate(window, tile, cv2.TM_CCOEFF_NORMED)
            _, best, _, (px, py) = cv2.minMaxLoc(scores)
            if best >= ALIKE:
                dx, dy = _between(scores, px, py)
                shifts.append((left + px + dx - (x - TILE), top + py + dy - (y - TILE)))
        if len(shifts) < LEAST_TILES:
            return None
        middle = np.median(shifts, axis=0)
        agreeing = np.hypot(*(np.array(shifts) - middle).T) < AGREE_PX + AGREE_SHARE * np.hypot(*middle)
        if agreeing.sum() < max(LEAST_TILES, len(shifts) / 2):
            return None
        return float(middle[0]), float(middle[1])

    def _by_features(self, grey: Image) -> tuple[float, float] | None:
        """A camera that was knocked: key points found anywhere, moved together."""
        orb = cv2.ORB.create(nfeatures=800)
        ours, our_words = orb.detectAndCompute(_without_margin(self._grey), None)
        theirs, their_words = orb.detectAndCompute(_without_margin(grey), None)
        if our_words is None or their_words is None or len(ours) < 2 or len(theirs) < 2:
            return None
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(our_words, their_words, k=2)
        good = [two[0] for two in pairs if len(two) == 2 and two[0].distance < RATIO * two[1].distance]
        if len(good) < LEAST_MATCHES:
            return None
        a = np.array([ours[each.queryIdx].pt for each in good], np.float64)
        b = np.array([theirs[each.trainIdx].pt for each in good], np.float64)
        _, mask = cv2.findHomography(a, b, cv2.RANSAC, 4.0)  # what a turn does to a picture
        if mask is None or int(mask.sum()) < max(LEAST_MATCHES, len(good) // 3):
            return None
        dx, dy = np.median((b - a)[mask.reshape(-1) > 0], axis=0)
        return float(dx), float(dy)


def _grey(image: Image) -> Image:
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _edges(image: Image) -> Image:
    """How steep the picture is: by day and by night much the same."""
    smooth = cv2.GaussianBlur(_grey(image).astype(np.float32), (0, 0), 1.2)
    steep = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.sqrt(steep)


def _tiles(grey: Image) -> list[tuple[int, int]]:
    """Middles of tiles with corners in them, far enough from the rim to be looked for."""
    height, width = grey.shape
    rim, margin = TILE + REACH // 2, max(TILE, round(height * MARGIN))
    corners = cv2.goodFeaturesToTrack(grey, 4 * MOST_TILES, 0.02, 2.0 * TILE)
    if corners is None:
        return []
    spots = [(round(float(x)), round(float(y))) for x, y in corners.reshape(-1, 2)]
    inside = [
        (x, y) for x, y in spots if rim <= x < width - rim and margin + TILE <= y < height - margin - TILE
    ]
    return inside[:MOST_TILES]


def _without_margin(grey: Image) -> Image:
    margin = round(grey.shape[0] * MARGIN)
    return grey[margin : grey.shape[0] - margin]


def _between(scores: Image, x: int, y: int) -> tuple[float, float]:
    """A peak's place between pixels, by a parabola each way."""

    def peak(before: float, at: float, after: float) -> float:
        bend = before - 2 * at + after
        return 0.0 if abs(bend) < 1e-9 else max(-0.5, min(0.5, 0.5 * (before - after) / bend))

    height, width = scores.shape
    dx = peak(*map(float, scores[y, x - 1 : x + 2])) if 0 < x < width - 1 else 0.0
    dy = peak(*map(float, scores[y - 1 : y + 2, x])) if 0 < y < height - 1 else 0.0
    return dx, dy
