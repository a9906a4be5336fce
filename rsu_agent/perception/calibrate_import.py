"""Taking over a calibration of elsewhere: camera matrix, distortion, and a pose that agrees with them. Pure.

The pose's frame must be the crossing's: x = R X + t with X east, north, up in metres; x right, down, forward.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import rq

from rsu_agent.perception.lens import PinholeLens
from rsu_agent.perception.pose import CameraPose, pose_of

Array = npt.NDArray[np.float64]
ORTHOGONAL = 2e-3  # a rotation printed with four digits is so far from one
SAME_FOCAL, SAME_CENTRE_PX = 0.01, 3.0
SAME_TURN_DEG, SAME_PLACE_M = 0.2, 0.05
HIGHEST_M = 40.0


class ImportRefused(Exception):
    """A calibration that cannot be taken over, why, and what to do."""


@dataclass(frozen=True)
class Foreign:
    """What a file of elsewhere holds; None: not there. size: width, height."""

    matrix: Array
    distortion: tuple[float, ...] = ()
    size: tuple[int, int] | None = None
    rotation: Array | None = None
    translation: Array | None = None
    projection: Array | None = None
    model: str = ""


def lens_of(foreign: Foreign, width: int, height: int) -> PinholeLens:
    """Its lens, for pictures of this size. Raises ImportRefused."""
    matrix = foreign.matrix
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise ImportRefused("the camera matrix is not 3x3: give [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    fx, skew, cx = map(float, matrix[0])
    fy, cy = float(matrix[1, 1]), float(matrix[1, 2])
    if abs(skew) > 1e-6 * abs(fx) or matrix[1, 0] or matrix[2, 0] or matrix[2, 1] or matrix[2, 2] != 1:
        raise ImportRefused("the camera matrix has skew or is not [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]")
    if foreign.size is not None and foreign.size != (width, height):
        was = "x".join(map(str, foreign.size))
        raise ImportRefused(
            f"the lens was measured on pictures of {was} px, but the camera gives {width}x{height} px: "
            "measure at the size that is used, or set lens.width_px and height_px"
        )
    if not (fx > 0 and fy > 0 and 0 < cx < width and 0 < cy < height):
        raise ImportRefused("focal lengths must be above 0 and the principal point must lie in the picture")
    if not 0.2 < fx / width < 20 or not 0.8 < fx / fy < 1.25:
        raise ImportRefused(f"focal lengths {fx:.0f} and {fy:.0f} px do not belong to {width}x{height} px")
    return PinholeLens(width, height, fx, fy, cx, cy, _distortion(foreign))


def pose_of_import(foreign: Foreign) -> CameraPose | None:
    """Its pose, None: it holds none. Raises ImportRefused where what it holds does not agree."""
    told = _told(foreign)
    read = None if foreign.projection is None else _from_projection(foreign.projection, foreign.matrix)
    if told is not None and read is not None:
        _same(told, read)
    found = told or read
    if found is None:
        return None
    pose = pose_of(*found)
    if not 0.5 < pose.height_m <= HIGHEST_M:
        raise ImportRefused(
            f"its camera is {pose.height_m:.1f} m over the road: is the frame east, north, up in metres, and "
            "is x = R X + t (not the camera's own place and turn)?"
        )
    if not -45 <= pose.pitch_deg <= 90 or abs(pose.roll_deg) > 45:
        angles = f"pitch {pose.pitch_deg:.0f}, roll {pose.roll_deg:.0f} degrees"
        raise ImportRefused(f"its camera has {angles}: are its axes right, down, forward (OpenCV)?")
    return pose


def _distortion(foreign: Foreign) -> tuple[float, ...]:
    told = foreign.distortion
    if foreign.model.lower() in ("fisheye", "equidistant", "kannala_brandt", "omnidir"):
        raise ImportRefused(f"distortion model {foreign.model}: only k1 k2 p1 p2 k3 (plumb bob) is known")
    if len(told) > 5 and any(told[5:]):
        raise ImportRefused(f"{len(told)} distortion coefficients: calibrate again with k1 k2 p1 p2 k3 only")
    if len(told) not in (0, 4, 5) and len(told) < 6:
        raise ImportRefused(f"{len(told)} distortion coefficients: OpenCV has k1 k2 p1 p2 [k3]")
    if not all(math.isfinite(each) and abs(each) < 10 for each in told):
        raise ImportRefused("distortion coefficients are numbers below 10")
    whole = (*told, 0.0)[:5] if len(told) == 4 else told[:5]
    return tuple(map(float, whole)) if any(whole) else ()


def _told(foreign: Foreign) -> tuple[Array, Array] | None:
    """Rotation and translation where both are told."""
    rotation, translation = foreign.rotation, foreign.translation
    if rotation is None and translation is None:
        return None
    if rotation is None or translation is None:
        raise ImportRefused("R and t go together: one of them is missing")
    if rotation.shape != (3, 3) or translation.size != 3:
        raise ImportRefused("R must be 3x3 and t must be 3 numbers")
    return _proper(rotation, "R"), translation.reshape(3)


def _proper(matrix: Any, name: str) -> Array:
    """The nearest rotation of one that is nearly one."""
    left, stretch, right = np.linalg.svd(matrix)
    if not np.isfinite(matrix).all() or np.abs(stretch - 1.0).max() > ORTHOGONAL * 5:
        raise ImportRefused(f"{name} is no rotation: its rows must be three unit vectors at right angles")
    if np.linalg.det(matrix) < 0:
        raise ImportRefused(f"{name} is a mirror, not a rotation: an axis points the other way")
    return np.asarray(left @ right, np.float64)


def _from_projection(projection: Array, matrix: Array) -> tuple[Array, Array]:
    """Rotation and translation of a 3x4 projection that is the camera matrix times [R | t], at any scale."""
    if projection.shape != (3, 4) or not np.isfinite(projection).all():
        raise ImportRefused("the projection matrix is not 3x4")
    left = projection[:, :3]
    if abs(np.linalg.det(left)) < 1e-12 * max(1.0, float(np.abs(left).max())) ** 3:
        raise ImportRefused("the projection matrix has no inverse: it is a homography of the ground only?")
    projection = projection * np.sign(np.linalg.det(left))
    upper, _ = rq(projection[:, :3])
    upper = upper * np.sign(np.diag(upper))
    upper = upper / upper[2, 2]
    told, read = (matrix[0, 0], matrix[1, 1]), (upper[0, 0], upper[1, 1])
    focal_off = max(abs(r / t - 1.0) for t, r in zip(told, read, strict=True))
    centre_off = math.dist(matrix[:2, 2], upper[:2, 2])
    if focal_off > SAME_FOCAL or centre_off > SAME_CENTRE_PX or abs(upper[0, 1]) > SAME_FOCAL * told[0]:
        raise ImportRefused(
            f"the projection matrix is not the camera matrix times [R | t]: it says fx {upper[0, 0]:.0f}, "
            f"fy {upper[1, 1]:.0f}, centre {upper[0, 2]:.0f}, {upper[1, 2]:.0f}; the camera matrix says "
            f"{told[0]:.0f}, {told[1]:.0f}, {matrix[0, 2]:.0f}, {matrix[1, 2]:.0f}: export both anew"
        )
    bare = np.linalg.solve(matrix, projection)
    scale = float(np.cbrt(np.linalg.det(bare[:, :3])))
    return _proper(bare[:, :3] / scale, "the projection matrix"), np.asarray(bare[:, 3] / scale, np.float64)


def _same(told: tuple[Array, Array], read: tuple[Array, Array]) -> None:
    turned = (np.trace(told[0] @ read[0].T) - 1.0) / 2.0
    apart_deg = math.degrees(math.acos(max(-1.0, min(1.0, float(turned)))))
    apart_m = float(np.linalg.norm(told[0].T @ told[1] - read[0].T @ read[1]))
    if apart_deg > SAME_TURN_DEG or apart_m > SAME_PLACE_M:
        raise ImportRefused(
            f"R and t, and the projection matrix, are {apart_deg:.1f} degrees and {apart_m:.2f} m apart: "
            "give one of them"
        )
