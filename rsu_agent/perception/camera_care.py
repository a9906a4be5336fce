"""What goes wrong with a camera slowly: soft, dirty, moved, slow, blind; and how far it is trusted then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from rsu_agent.perception.drift import Drift
from rsu_agent.perception.drift_reference import Reference, grey_of
from rsu_agent.perception.frame_rate import FrameRate
from rsu_agent.perception.sharpness import COLUMNS, HOURS, ROWS, Sharpness

WIDTH_PX = 640  # wider pictures are reduced first
LOOK_S = 1.0
REFERENCE_LOOKS = 180  # in the mean of which the view is taken down: traffic has gone through by then
DRIFT_PERIOD_S = 300.0  # field-rules 7: a knocked camera is noticed within a quarter of an hour
SUSPICIOUS = 0.95  # of the cells have their edges: below, the camera may have moved
LARGEST_EDGES = 100.0
Image = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

# What is wrong -> by how much the covariance of the camera's measurements grows.
TRUST: Final[Mapping[str, float]] = {
    "slow": 2.0,
    "dirty": 4.0,
    "defocused": 9.0,
    "moved": 16.0,
    "blind": 4.0,
}
COVERS: Final = frozenset({"ok", "slow", "dirty", "moved"})  # still sees who is there


class CameraCare:
    """One camera. Fed with every picture; most cost nothing, one a second is looked at.

    period_s: between two measurements of where it looks.
    """

    def __init__(self, rate: FrameRate | None = None, period_s: float = DRIFT_PERIOD_S) -> None:
        self.rate, self.sharpness = rate or FrameRate(), Sharpness()
        self.drift: Drift | None = None
        self.blind = False
        self._period_s, self._scale = period_s, 1.0
        self._looked_s = -math.inf
        self._still: Floats | None = None  # the mean picture that the reference is taken from, in memory only
        self._still_looks = 0
        self._suspicious = False

    @property
    def reason(self) -> str:
        """`ok`, or the worst of what is wrong."""
        if self.drift is not None and self.drift.alarm:
            return "moved"
        if self.sharpness.word == "defocused":
            return "defocused"
        if self.blind:
            return "blind"
        if self.sharpness.word == "dirty":
            return "dirty"
        return "slow" if self.rate.slow else "ok"

    @property
    def shift_px(self) -> float | None:
        """By how many of its own pixels the view has moved; None: not measured."""
        return None if self.drift is None else self.drift.shift_px

    def saw(self, image: Image, now_s: float, hour: int, *, good: bool) -> None:
        """One picture. good: not black, over-exposed or frozen; hour: of the day."""
        self.rate.saw(now_s)
        if not good or 0.0 <= now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        grey = self._reduced(image)
        self.sharpness.look(grey, now_s, hour)
        if self.drift is None:
            self._take_down(grey)
        elif self.sharpness.warm and self.sharpness.mean is not None:
            kept = self.sharpness.kept_ratio
            suspicious = kept is not None and kept < SUSPICIOUS
            if suspicious and not self._suspicious:
                self.drift.ask(now_s)
            self._suspicious = suspicious
            self.drift.saw(self.sharpness.mean, now_s)

    def learnt(self) -> dict[str, Any]:
        """What to keep over a restart: no picture, nothing of which one could be made."""
        return {
            "rate_hz": self.rate.expected_hz,
            "view": None if self.drift is None else self.drift.reference.plain(),
            "hours": {
                str(hour): [[round(float(each), 4) for each in row] for row in edges]
                for hour, edges in self.sharpness.hours.items()
            },
        }

    def restore(self, told: Any) -> None:
        """What `learnt` gave. Raises ValueError for anything else, and is then as before."""
        try:
            rate_hz = None if told["rate_hz"] is None else float(told["rate_hz"])
            view = None if told["view"] is None else Reference.restored(told["view"])
            hours = {int(hour): np.array(edges, np.float32) for hour, edges in told["hours"].items()}
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"not what a camera's watch has learnt: {error!r}") from None
        if not all(0 <= hour < HOURS and _sound(edges) for hour, edges in hours.items()):
            raise ValueError("not what a camera's watch has learnt: its hours")
        if rate_hz is not None:
            if not 0.0 < rate_hz < 1000.0:
                raise ValueError(f"not what a camera's watch has learnt: {rate_hz} pictures a second")
            self.rate.restore(rate_hz)
        self.sharpness.restore(hours)
        self.drift = None if view is None else self._watched(view)

    def _take_down(self, grey: Image) -> None:
        """The reference is made from the mean of some minutes."""
        if self._still is None or self._still.shape != grey.shape:
            self._still, self._still_looks = grey.astype(np.float32), 0
        self._still_looks += 1
        cv2.accumulateWeighted(grey, self._still, 1.0 / self._still_looks)
        if self._still_looks >= REFERENCE_LOOKS and self.reason in ("ok", "slow"):
            self.drift = self._watched(Reference.of(self._still))
            self._still = None

    def _watched(self, view: Reference) -> Drift:
        return Drift(view, self._period_s, scale=self._scale)

    def _reduced(self, image: Image) -> Image:
        grey = grey_of(image)
        width = grey.shape[1]
        scale = max(1.0, width / WIDTH_PX)
        if scale != self._scale:
            self._scale = scale
            if self.drift is not None:
                self.drift.scale = scale
        if scale == 1.0:
            return grey
        size = WIDTH_PX, max(1, round(grey.shape[0] / scale))
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def _sound(edges: Floats) -> bool:
    whole = edges.shape == (ROWS, COLUMNS) and np.isfinite(edges).all()
    return bool(whole and (edges >= 0).all() and (edges < LARGEST_EDGES).all())
