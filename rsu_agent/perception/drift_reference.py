"""What a camera's view is known by again: key points with coarse descriptors, never a picture.

A tile is 32 px of edge strength reduced to 8 x 8 cells of sixteen steps: a kerb's corner can be found again
by it, no face and no plate can be read from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

TILE, CELL, SIDE, STEPS = 16, 4, 8, 15  # half of a tile, px; of one cell; cells a side; of strength
REACH = 24  # how far a tile is looked for, px
MOST_TILES = 80
MOST_WORDS, WORD_BYTES = 800, 32  # ORB's key points
MARGIN = 0.08  # of the height, above and below: clocks and names that cameras write there never move
LARGEST_PX = 8192
Image = npt.NDArray[Any]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reference:
    """Of one view. size: height, width (px). spots: (n, 2) middles of tiles, x and y; tiles: (n, 64) 0..15.

    points: (m, 2) key points, x and y; words: (m, 32) their binary descriptors.
    """

    size: tuple[int, int]
    spots: npt.NDArray[np.int32]
    tiles: npt.NDArray[np.uint8]
    points: npt.NDArray[np.float32]
    words: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, image: Image) -> Reference:
        """From a still (BGR or grey); nothing of it is kept but the descriptors."""
        grey = grey_of(image)
        cells, spots = cells_of(grey), _spots(grey)
        tiles = [_steps(tile_at(cells, x, y)) for x, y in spots]
        points, words = features(grey)
        return cls(
            (grey.shape[0], grey.shape[1]),
            np.array(spots, np.int32).reshape(-1, 2),
            np.array(tiles, np.uint8).reshape(-1, SIDE * SIDE),
            points,
            words,
        )

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "size": list(self.size),
            "spots": self.spots.tolist(),
            "tiles": [tile.tobytes().hex() for tile in self.tiles],
            "points": np.round(self.points, 1).astype(float).tolist(),
            "words": [word.tobytes().hex() for word in self.words],
        }

    @classmethod
    def restored(cls, told: Any) -> Reference:
        """From `plain`. Raises ValueError for anything else."""
        try:
            height, width = (int(each) for each in told["size"])
            reference = cls(
                (height, width),
                np.array(told["spots"], np.int32).reshape(-1, 2),
                _bytes(told["tiles"], SIDE * SIDE, MOST_TILES),
                np.array(told["points"], np.float32).reshape(-1, 2),
                _bytes(told["words"], WORD_BYTES, MOST_WORDS),
            )
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"no reference of a view: {error}") from None
        if not reference._sound():
            raise ValueError("no reference of a view: its numbers do not fit together")
        return reference

    def _sound(self) -> bool:
        (height, width), rim = self.size, TILE
        if not (0 < height <= LARGEST_PX and 0 < width <= LARGEST_PX):
            return False
        inside = (self.spots >= rim).all() and (self.spots <= [width - rim, height - rim]).all()
        paired = len(self.spots) == len(self.tiles) and len(self.points) == len(self.words)
        return bool(inside and paired and np.isfinite(self.points).all())


def grey_of(image: Image) -> Image:
    """HxW uint8 of BGR or grey."""
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return grey if grey.dtype == np.uint8 else np.clip(grey, 0, 255).astype(np.uint8)


def cells_of(grey: Image) -> npt.NDArray[np.float32]:
    """At every pixel the strength of edges in the cell around it: by day and by night much the same."""
    smooth = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.2)
    steep = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    return np.asarray(cv2.blur(np.sqrt(steep), (CELL, CELL)), np.float32)


def tile_at(cells: npt.NDArray[np.float32], x: int, y: int) -> npt.NDArray[np.float32]:
    """The 64 cells of the tile around a pixel."""
    half = CELL // 2
    tile = cells[y - TILE + half : y + TILE : CELL, x - TILE + half : x + TILE : CELL]
    return np.asarray(tile.reshape(-1), np.float32)


def features(grey: Image) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Key points (m, 2) and their descriptors (m, 32), of the picture without its margins."""
    margin = round(grey.shape[0] * MARGIN)
    inner = np.ascontiguousarray(grey[margin : grey.shape[0] - margin])
    found, words = cv2.ORB.create(nfeatures=MOST_WORDS).detectAndCompute(inner, None)
    if words is None or not len(found):
        return np.zeros((0, 2), np.float32), np.zeros((0, WORD_BYTES), np.uint8)
    points = np.array([point.pt for point in found], np.float32) + np.array([0, margin], np.float32)
    return points[:MOST_WORDS], np.asarray(words[:MOST_WORDS], np.uint8)


def _spots(grey: Image) -> list[tuple[int, int]]:
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


def _steps(tile: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    low, high = float(tile.min()), float(tile.max())
    return np.round((tile - low) / max(high - low, 1e-6) * STEPS).astype(np.uint8)


def _bytes(told: Sequence[str], each: int, most: int) -> npt.NDArray[np.uint8]:
    if not isinstance(told, list) or len(told) > most:
        raise ValueError(f"no reference of a view: more than {most} descriptors")
    rows = [bytes.fromhex(text) for text in told]
    if any(len(row) != each for row in rows):
        raise ValueError(f"no reference of a view: a descriptor is not {each} bytes")
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, each)
