"""A camera's lens: pinhole and distortion (OpenCV's order k1 k2 p1 p2 k3), pixels to rays and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
TURNS = 30  # of the iteration that takes distortion back; ten are enough but at the edge of a wide lens
CLOSE = 1e-5  # of a focal length: what is not taken back so well has no ray
WIDEST = 50.0  # ray slopes beyond this are behind the lens
OUTSIDE = 10.0  # times the widest ray that the lens can show


class LensLike(Protocol):
    """What settings give; None: not given. Pixels."""

    @property
    def width_px(self) -> int: ...

    @property
    def height_px(self) -> int: ...

    @property
    def focal_px(self) -> float | None: ...

    @property
    def fx_px(self) -> float | None: ...

    @property
    def fy_px(self) -> float | None: ...

    @property
    def cx_px(self) -> float | None: ...

    @property
    def cy_px(self) -> float | None: ...

    @property
    def distortion(self) -> Sequence[float]: ...


@dataclass(frozen=True)
class PinholeLens:
    """Focal lengths and principal point in px of a picture of this size; distortion k1 k2 p1 p2 k3."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    _edge: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_edge", _turning_point(self._radial()))

    @classmethod
    def of(cls, lens: LensLike) -> PinholeLens:
        """From a site file's lens: `focal_px` for both axes, the principal point in the middle by default."""
        fx, fy = lens.fx_px or lens.focal_px, lens.fy_px or lens.focal_px
        if fx is None or fy is None:
            raise ValueError("a lens needs focal_px, or fx_px and fy_px")
        cx = lens.width_px / 2 if lens.cx_px is None else lens.cx_px
        cy = lens.height_px / 2 if lens.cy_px is None else lens.cy_px
        distortion = tuple(lens.distortion) if any(lens.distortion) else ()
        return cls(lens.width_px, lens.height_px, fx, fy, cx, cy, distortion)

    @property
    def matrix(self) -> Array:
        """The camera matrix, 3x3."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])

    def rays(self, pixels: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Slopes right and down of the rays (n, 2) of pixels (n, 2), and which of them have one."""
        seen = (np.asarray(pixels, np.float64) - [self.cx, self.cy]) / [self.fx, self.fy]
        if not self.distortion:
            return seen, np.ones(len(seen), bool)
        slopes = seen.copy()
        with np.errstate(all="ignore"):  # what runs away has no ray
            for _ in range(TURNS):
                factor, shift = self._bent(slopes)
                slopes = (seen - shift) / factor[:, None]
            factor, shift = self._bent(slopes)
            off = np.hypot(*(slopes * factor[:, None] + shift - seen).T)
            good = (off < CLOSE) & (np.hypot(*slopes.T) <= self._edge)
        return np.where(good[:, None], slopes, 0.0), good

    def pixels(self, slopes: Array) -> Array:
        """Pixels (n, 2) of rays with these slopes (n, 2).

        A ray so wide that the distortion would turn it back into the picture is put far outside.
        """
        slopes = np.clip(slopes, -1e6, 1e6)
        if self.distortion:
            wide = np.hypot(slopes[:, 0], slopes[:, 1])
            inside = slopes * np.minimum(1.0, self._edge / np.maximum(wide, 1e-9))[:, None]
            factor, shift = self._bent(inside)
            beyond = np.where(wide > self._edge, OUTSIDE + wide / self._edge, 1.0)[:, None]
            slopes = (inside * factor[:, None] + shift) * beyond
        return np.asarray(slopes * [self.fx, self.fy] + [self.cx, self.cy], np.float64)

    def in_picture(self, pixels: Array, margin_px: float = 0.0) -> npt.NDArray[np.bool_]:
        """Which pixels (n, 2) lie in the picture."""
        u, v = pixels[:, 0], pixels[:, 1]
        across = (u >= margin_px) & (u <= self.width - margin_px)
        return np.asarray(across & (v >= margin_px) & (v <= self.height - margin_px), bool)

    def _radial(self) -> tuple[float, float, float]:
        k1, k2, _, _, k3 = (*self.distortion, 0.0, 0.0, 0.0, 0.0, 0.0)[:5]
        return k1, k2, k3

    def _bent(self, slopes: Array) -> tuple[Array, Array]:
        """The radial factor (n,) and the tangential shift (n, 2) at undistorted slopes."""
        k1, k2, p1, p2, k3 = self.distortion
        x, y = slopes[:, 0], slopes[:, 1]
        r2 = x * x + y * y
        factor = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
        across = 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
        down = p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
        return factor, np.column_stack([across, down])


def _turning_point(radial: tuple[float, float, float]) -> float:
    """The slope at which a wider ray no longer lies farther out: where r(1 + k1 r^2 + ...) stops growing."""
    k1, k2, k3 = radial
    roots = np.roots([7 * k3, 5 * k2, 3 * k1, 1.0])
    real = [float(root.real) for root in roots if abs(root.imag) < 1e-12 and root.real > 0]
    return float(np.sqrt(min(real))) if real else WIDEST
