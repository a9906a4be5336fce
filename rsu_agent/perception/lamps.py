"""Signal lamps in a camera's pictures: the colour of every boxed head, or no opinion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rsu_agent.perception.lamp_boxes import HeadBox, Shine
from rsu_agent.perception.lamp_history import STEADY, HeadHistory
from rsu_agent.perception.lamp_light import LampLight
from rsu_agent.world.signal import Colour
from rsu_agent.world.witness import HeadsSeen

__all__ = ["HeadBox", "LampReader", "read_once"]

SHINES = tuple(Shine)


class LampReader:
    """Reads the boxed heads of one camera (field-rules 8). Sans-IO; not for two threads at once.

    A wrong colour is worse than none: whatever is not plain is UNKNOWN. size_px: width and height of the
    pictures that the boxes were drawn on, where known; in pictures of another size nothing is read.
    """

    def __init__(self, camera: str, heads: Sequence[HeadBox], size_px: tuple[int, int] | None = None) -> None:
        self._camera, self._heads = camera, tuple(heads)
        self._size = size_px
        self._light: LampLight | None = None
        self._shape: tuple[int, ...] = ()
        self._newest_s = float("-inf")
        self._histories = [HeadHistory(head.group) for head in self._heads]

    def saw(self, image: npt.NDArray[Any], captured_s: float) -> HeadsSeen:
        """One picture, HxWx3 uint8 BGR, exposed at captured_s. One HeadSeen per box, in the boxes' order.

        The same picture once more, or an older one, is no new evidence.
        """
        if captured_s > self._newest_s:
            self._newest_s = captured_s
            self._take(image, captured_s)
        seen = tuple([history.seen(captured_s) for history in self._histories])
        return HeadsSeen(self._camera, captured_s, seen)

    def _take(self, image: npt.NDArray[Any], at_s: float) -> None:
        light = self._look(image, at_s) if self._heads and self._readable(image) else None
        if light is not None:
            for history, shine, housed in zip(self._histories, light.shines, light.housed, strict=True):
                history.took(SHINES[shine], housed, at_s)

    def _look(self, image: npt.NDArray[Any], at_s: float) -> Any:
        if self._light is None or image.shape != self._shape:
            self._shape = image.shape
            self._light = LampLight(self._heads, image.shape[0], image.shape[1])
            self._histories = [HeadHistory(head.group) for head in self._heads]
        return self._light.look(image, at_s)

    def _readable(self, image: npt.NDArray[Any]) -> bool:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            return False
        return self._size is None or (image.shape[1], image.shape[0]) == self._size


def read_once(image: npt.NDArray[Any], heads: Sequence[HeadBox]) -> list[Colour]:
    """What one picture shows of each head; flash is not told from steady, nor from dark, by one picture."""
    light = LampLight(heads, image.shape[0], image.shape[1]).look(image, 0.0) if heads else None
    if light is None:
        return []
    seen = zip(map(Shine, light.shines), light.housed, strict=True)
    return [STEADY[shine] if shine in STEADY and housed else Colour.UNKNOWN for shine, housed in seen]
