"""Files that ship with the product: package data when installed, top-level folders in a source tree."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def asset(name: str) -> Path:
    """Path of a shipped file, such as `models/detector/detector.onnx` or `config/virtual.yaml`.

    Raises FileNotFoundError naming both places looked in.
    """
    package = Path(str(files("rsu_agent")))
    for root in (package / "assets", package.parent):
        if (root / name).exists():
            return root / name
    raise FileNotFoundError(f"{name}: neither in {package / 'assets'} nor in {package.parent}")
