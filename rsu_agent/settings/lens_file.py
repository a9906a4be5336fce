"""Reading a lens file of elsewhere: OpenCV's YAML or JSON, a camera_info YAML, or plain keys."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rsu_agent.perception.calibrate_import import Foreign, ImportRefused

LARGEST_BYTES, MOST_NUMBERS = 1 << 20, 64
HEAD = re.compile(r"^\s*%YAML[^\n]*\n(---[^\n]*\n)?")  # OpenCV writes %YAML:1.0, which no YAML reader takes
TAG = re.compile(r"!!?opencv[-\w]*")
SHAPES = {"matrix": 9, "rotation": 9, "projection": 12, "translation": 3}
# What the things are called by OpenCV's samples, by ROS, and by people.
NAMES: dict[str, tuple[str, ...]] = {
    "matrix": ("camera_matrix", "cameramatrix", "k", "intrinsic_matrix", "intrinsics", "m1", "mtx"),
    "distortion": ("distortion_coefficients", "distortion", "dist_coeffs", "distcoeffs", "dist", "d", "d1"),
    "rotation": ("rotation", "rotation_matrix", "r"),
    "translation": ("translation", "translation_vector", "tvec", "t"),
    "projection": ("projection", "projection_matrix_world", "world_to_image", "p"),
    "width": ("width_px", "image_width", "width"),
    "height": ("height_px", "image_height", "height"),
    "model": ("distortion_model", "camera_model", "model"),
}


def read_lens_file(path: Path) -> Foreign:
    """What the file holds. Raises ImportRefused, and OSError."""
    told = {str(key).lower(): value for key, value in _document(path).items()}
    found = {what: _first(told, names) for what, names in NAMES.items()}
    plain = [found["matrix"], *(told.get(key) for key in ("fx_px", "fx", "focal_px"))]
    if all(each is None for each in plain):
        raise ImportRefused(f"{path.name}: no camera matrix there: camera_matrix (or K), or fx, fy, cx, cy")
    matrix = _plain_matrix(told) if found["matrix"] is None else _array(found, "matrix")
    width, height = found["width"], found["height"]
    size = None if width is None or height is None else (int(_number(width)), int(_number(height)))
    distortion = (
        () if found["distortion"] is None else tuple(map(float, _flat(found["distortion"], "distortion")))
    )
    return Foreign(
        matrix=matrix,
        distortion=distortion,
        size=size,
        rotation=None if found["rotation"] is None else _array(found, "rotation"),
        translation=None if found["translation"] is None else _array(found, "translation"),
        projection=None if found["projection"] is None else _array(found, "projection"),
        model=str(found["model"] or ""),
    )


def _document(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise ImportRefused(f"{path.name}: is larger than {LARGEST_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip().startswith("{"):
            document = json.loads(text)
        else:
            document = YAML(typ="safe", pure=True).load(TAG.sub("", HEAD.sub("", text)))
    except (ValueError, YAMLError, RecursionError) as error:
        raise ImportRefused(
            f"{path.name}: is neither YAML nor JSON: {' '.join(str(error).split())[:120]}"
        ) from None
    if not isinstance(document, dict):
        raise ImportRefused(f"{path.name}: holds no keys")
    return document


def _first(told: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((told[name] for name in names if told.get(name) is not None), None)


def _plain_matrix(told: dict[str, Any]) -> npt.NDArray[np.float64]:
    """From keys one number each; what is missing is not guessed."""
    focal = told.get("focal_px")
    keys = {"fx": focal, "fy": focal, "cx": None, "cy": None}
    read = {
        key: next((told[n] for n in (f"{key}_px", key) if told.get(n) is not None), keys[key]) for key in keys
    }
    if missing := [key for key, value in read.items() if value is None]:
        raise ImportRefused(f"{', '.join(missing)} missing: a lens needs fx, fy, cx and cy")
    fx, fy, cx, cy = (_number(value) for value in read.values())
    return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])


def _array(found: dict[str, Any], what: str) -> npt.NDArray[np.float64]:
    flat = _flat(found[what], what)
    if len(flat) != SHAPES[what]:
        raise ImportRefused(f"{what}: {len(flat)} numbers, not {SHAPES[what]}")
    return flat if what == "translation" else flat.reshape(3, -1)


def _flat(value: Any, what: str) -> npt.NDArray[np.float64]:
    """The numbers of a list, of a list of lists, or of {rows, cols, data}."""
    if isinstance(value, dict):
        value = value.get("data")
    numbers, waiting = [], [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each[::-1]
        elif isinstance(each, (int, float)) and math.isfinite(each):
            numbers.append(float(each))
        else:
            raise ImportRefused(f"{what}: is no list of finite numbers")
        if len(waiting) + len(numbers) > MOST_NUMBERS:
            raise ImportRefused(f"{what}: is no list of a few numbers")
    return np.array(numbers, np.float64)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ImportRefused(f"{value!r:.40} is no number") from None
