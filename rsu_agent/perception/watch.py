"""Whether a camera still sees: stalled, frozen, black, over-exposed; its care knows the rest. Sans-IO."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.camera_care import COVERS, TRUST, CameraCare

STALLED_S = 1.0
FROZEN_S = 2.0
FROZEN_DIFFERENCE = 0.15  # mean grey levels; real sensors have noise, so exact equality is suspicious
BLACK_LEVEL, WHITE_LEVEL = 12.0, 245.0
SMALL = (80, 48)


class CameraWatch:
    """Fed with every picture; `reason` is `ok` or a stable word."""

    def __init__(self, care: CameraCare | None = None) -> None:
        self.care = care or CameraCare()
        self._small: npt.NDArray[Any] | None = None
        self._changed_s: float | None = None
        self._seen_s: float | None = None
        self._level = 128.0

    def saw(self, image: npt.NDArray[Any], now_s: float, hour: int = 0) -> None:
        """One picture. hour: of the day, of any time zone that stays the same."""
        small = cv2.resize(image, SMALL, interpolation=cv2.INTER_AREA).astype(np.int16)
        self._level = float(small.mean())
        if self._small is None or float(np.abs(small - self._small).mean()) > FROZEN_DIFFERENCE:
            self._changed_s = now_s
        self._small, self._seen_s = small, now_s
        self.care.saw(image, now_s, hour, good=self._at_once(now_s) == "ok")

    def reason(self, now_s: float) -> str:
        """What is wrong now."""
        at_once = self._at_once(now_s)
        return self.care.reason if at_once == "ok" else at_once

    def sees(self, now_s: float) -> bool:
        """Whether its pictures are worth looking at."""
        return self._at_once(now_s) == "ok"

    def covers(self, now_s: float) -> bool:
        """Whether it may be relied on to see who is there (field-rules 5.2)."""
        return self.reason(now_s) in COVERS

    def trust(self, now_s: float) -> float:
        """By how much the covariance of what it measures grows now; 1 where all is well."""
        return TRUST.get(self.reason(now_s), 1.0)

    def _at_once(self, now_s: float) -> str:
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
