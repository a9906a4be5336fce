"""A still in which nobody is: the median of many pictures, with every body that stood there all along filled.

Whoever moves is gone from the median; what a detector finds in it, or found in one of the pictures and the
median still shows, is painted over. Sans-IO.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.heads.detection import Box
from rsu_agent.perception.heads.detector import Detector

Picture = npt.NDArray[np.uint8]
LEAST_PICTURES, LEAST_S = 30, 10.0
EVERY_S = LEAST_S / (LEAST_PICTURES + 3)  # pictures nearer than this to the one before are left out
FIND_FROM = 0.1  # detections of the median count from this score: a box too many hides road, not a face
ALIKE = 0.3  # the median shows what the picture showed: they are apart by so much of its contrast at most
LEAST_CONTRAST = 6.0  # grey levels; noise alone has some
MARGIN, MARGIN_PX = 0.15, 4.0
FILL = 127
STRIP_ROWS = 32  # rows whose median is taken at once, to keep the memory small


@dataclass(frozen=True, slots=True)
class Still:
    """The still, how many pictures it is made of, and how many boxes were filled."""

    image: Picture
    pictures: int
    filled: int


class StillMaker:
    """Fed with the pictures of one camera, BGR (h, w, 3), and what was found in each."""

    def __init__(self) -> None:
        self._pictures: list[Picture] = []
        self._boxes: list[list[Box]] = []
        self._first_s = self._last_s = 0.0

    @property
    def ready(self) -> bool:
        """Enough pictures over enough time."""
        return len(self._pictures) >= LEAST_PICTURES and self._last_s - self._first_s >= LEAST_S

    @property
    def pictures(self) -> int:
        """How many it has."""
        return len(self._pictures)

    def wants(self, at_s: float) -> bool:
        """Whether a picture of this instant would be taken."""
        return not self._pictures or at_s - self._last_s >= EVERY_S

    def saw(self, image: Picture, boxes: Sequence[Box], at_s: float) -> None:
        """One picture that is wanted; at_s: its monotonic instant. A picture of another size begins anew."""
        if not self.wants(at_s):
            return
        if self._pictures and image.shape != self._pictures[0].shape:
            self._pictures, self._boxes = [], []
        if not self._pictures:
            self._first_s = at_s
        self._pictures.append(image.copy())
        self._boxes.append(list(boxes))
        self._last_s = at_s

    def median(self) -> Picture:
        """Of each pixel's colours over all pictures."""
        height = self._pictures[0].shape[0]
        strips = [self._median(top, min(height, top + STRIP_ROWS)) for top in range(0, height, STRIP_ROWS)]
        return np.concatenate(strips)

    def filled(self, median: Picture, find: Callable[[Picture, float], Sequence[Box]]) -> Still:
        """Every body that the median shows is painted over. find: boxes in a picture from a score on."""
        boxes = list(find(median, FIND_FROM))
        for picture, found in zip(self._pictures, self._boxes, strict=True):
            boxes += [box for box in found if _alike(median, picture, box)]
        image = median.copy()
        for box in boxes:
            left, top, right, bottom = _within(box, image, MARGIN, MARGIN_PX)
            image[top:bottom, left:right] = FILL
        return Still(image, len(self._pictures), len(boxes))

    def _median(self, top: int, bottom: int) -> Picture:
        stack = np.stack([picture[top:bottom] for picture in self._pictures], axis=-1)
        middle = len(self._pictures) // 2
        return np.asarray(np.partition(stack, middle, axis=-1)[..., middle], np.uint8)


def boxes_in(detector: Detector, image: Picture, score: float) -> list[Box]:
    """Of everybody that a detector finds in a picture from a score on."""
    return [each.box for each in detector.detect(image, None, score)]


def _within(box: Box, image: Picture, margin: float, margin_px: float) -> tuple[int, int, int, int]:
    """Whole pixels of a box and its margin, as far as they are in the picture."""
    left, top, right, bottom = box
    across, down = (right - left) * margin + margin_px, (bottom - top) * margin + margin_px
    height, width = image.shape[:2]
    edges = np.array([left - across, top - down, right + across, bottom + down])
    edges = np.clip(np.nan_to_num(edges), 0, [width, height, width, height]).round().astype(int)
    return int(edges[0]), int(edges[1]), int(edges[2]), int(edges[3])


def _alike(median: Picture, picture: Picture, box: Box) -> bool:
    left, top, right, bottom = _within(box, picture, 0.0, 0.0)
    shown = picture[top:bottom, left:right]
    if not shown.size:
        return False
    apart = cv2.absdiff(median[top:bottom, left:right], shown)
    return float(apart.mean()) < ALIKE * max(LEAST_CONTRAST, float(shown.std()))
