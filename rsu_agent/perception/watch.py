"""Whether a camera still sees: stalled, frozen, black, over-exposed. Sans-IO."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

STALLED_S = 1.0
FROZEN_S = 2.0
FROZEN_DIFFERENCE = 0.15  # mean grey levels; real sensors have noise, so exact equality is suspicious
BLACK_LEVEL, WHITE_LEVEL = 12.0, 245.0
SMALL = (80, 48)


class CameraWatch:
    """Fed with every picture; `reason` is `ok` or a stable word."""

    def __init__(self) -> None:
        self._small: npt.NDArray[Any] | None = None
        self._changed_s: float | None = None
        self._seen_s: float | None = None
        self._level = 128.0

    def saw(self, image: npt.NDArray[Any], now_s: float) -> None:
        """One picture."""
        small = cv2.resize(image, SMALL, interpolation=cv2.INTER_AREA).astype(np.int16)
        self._level = float(small.mean())
        if self._small is None or float(np.abs(small - self._small).mean()) > FROZEN_DIFFERENCE:
            self._changed_s = now_s
        self._small, self._seen_s = small, now_s

    def reason(self, now_s: float) -> str:
        """What is wrong now."""
        if self._seen_s is None:
            return "starting"
        if now_s - self._seen_s > STALLED_S:
            return "stalled"
        if self._level < BLACK_LEVEL:
            return "black"
        if self._level > WHITE_LEVEL:
            return "over_exposed"
        if self._changed_s is not None and now_s - self._changed_s > FROZEN_S:
            return "frozen"
        return "ok"

    def age_s(self, now_s: float) -> float:
        """Seconds since the last picture."""
        return 1e9 if self._seen_s is None else now_s - self._seen_s
